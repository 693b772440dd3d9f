-- A subquery that may find nothing, and one that finds whether there is something.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
SELECT (SELECT title FROM task WHERE person_id = person.id ORDER BY id LIMIT 1) AS title,
       EXISTS (SELECT 1 FROM task WHERE person_id = person.id) AS is_busy
FROM person WHERE name = :name;
