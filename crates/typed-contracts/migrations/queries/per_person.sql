-- Aggregates of every kind, by GROUP BY.
-- bootproof: index idx_task_person
-- bootproof: budget 20 ms
-- bootproof: column hours REAL NOT NULL
SELECT person_id, count(*) AS tasks, sum(seconds) AS seconds, coalesce(max(seconds), 0) AS longest, min(title) AS first,
       avg(ratio) AS ratio, group_concat(title, ', ') AS titles, sum(seconds) / 3600.0 AS hours
FROM task WHERE person_id >= :person_id GROUP BY person_id;
