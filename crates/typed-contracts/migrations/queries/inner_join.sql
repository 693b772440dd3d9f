-- What is NOT NULL stays so.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
WITH named AS (SELECT id, name FROM person WHERE name = :name)
SELECT named.id AS person_id, name, title, ratio FROM named JOIN task ON task.person_id = named.id;
