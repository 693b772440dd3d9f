-- What is NOT NULL in its table, and not behind a LEFT JOIN.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
-- bootproof: allow contract-sorts "nobody has many tasks"
-- bootproof: column name NOT NULL
SELECT person.name, task.title
FROM person LEFT JOIN task ON task.person_id = person.id WHERE person.name = :name ORDER BY task.id;
