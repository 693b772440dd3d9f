-- Two SELECTs: of the second nobody knows.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
SELECT name FROM person WHERE name = :name
UNION ALL
SELECT NULL FROM person WHERE name = :name LIMIT :most;
