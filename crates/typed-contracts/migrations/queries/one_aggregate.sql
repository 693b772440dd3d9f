-- Without rows this is one, and a column in it is NULL.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
SELECT name, count(*) AS people FROM person WHERE name = :name;
