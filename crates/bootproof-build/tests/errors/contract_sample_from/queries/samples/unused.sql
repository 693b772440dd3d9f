SELECT date(placed) AS day FROM orders LIMIT 1;
