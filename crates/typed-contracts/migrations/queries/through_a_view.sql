-- The same behind a view.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
SELECT name, title FROM person_task WHERE name = :name;
