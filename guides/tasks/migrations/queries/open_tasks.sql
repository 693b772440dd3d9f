-- What is to be done until a day, the most urgent first.
-- bootproof: index idx_task_open
-- bootproof: budget 20 ms
SELECT id, title, due FROM task WHERE NOT done AND due <= :until ORDER BY due, id LIMIT 100;
