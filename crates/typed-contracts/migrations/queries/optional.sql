-- A parameter that may be NULL, and one that is there twice.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
-- bootproof: parameter email NULL
SELECT id FROM person WHERE name = :name AND (:email IS NULL OR email = :email);
