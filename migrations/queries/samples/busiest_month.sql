-- The month with the most worklogs: what sampling a contract of worklogs begins with. It comes from the index on the day alone,
-- so that sampling never reads the whole table, with the new indexes or without them.
SELECT date(min(day), 'start of month') AS from_day,
       date(min(day), 'start of month', '+1 month', '-1 day') AS to_day
FROM (SELECT date(started) AS day, count(*) AS worklogs FROM worklogs WHERE date(started) IS NOT NULL GROUP BY 1)
GROUP BY substr(day, 1, 7)
ORDER BY sum(worklogs) DESC, 1 DESC
LIMIT 1;
