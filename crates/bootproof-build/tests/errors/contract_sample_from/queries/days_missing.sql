-- What is sampled from does not tell the customer, and neither does the sample.
-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
-- bootproof: sample from busiest_day
SELECT date(placed) AS day FROM orders WHERE date(placed) = :day LIMIT 1;
