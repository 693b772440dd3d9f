-- bootproof: budget 20 ms
SELECT date(placed) AS day FROM orders LIMIT 1;
