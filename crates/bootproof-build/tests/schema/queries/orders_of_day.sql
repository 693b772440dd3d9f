-- bootproof: budget 20 ms
-- bootproof: index IDX_ORDERS_DAY
WITH day AS (SELECT :day AS day)
SELECT count(*) AS orders FROM orders, day WHERE date(placed) = day;

-- The busiest days.
-- bootproof: sample
SELECT date(placed) AS day FROM orders GROUP BY 1 ORDER BY count(*) DESC LIMIT 3;
