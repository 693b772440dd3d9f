SELECT date(plcaed) AS day FROM orders LIMIT 1;
