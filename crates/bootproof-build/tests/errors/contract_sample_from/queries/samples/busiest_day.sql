SELECT date(placed) AS day FROM orders GROUP BY 1 ORDER BY count(*) DESC LIMIT 1;
