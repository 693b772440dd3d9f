SELECT date(placed) AS day FROM orders WHERE customer = :customer LIMIT 1;
