-- A name that is a word of Rust, and a row that has one. No parameters.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
SELECT type FROM person WHERE name = 'Ada';
