-- The shared query has another name.
-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
-- bootproof: sample from busiest_dya
SELECT customer FROM orders WHERE date(placed) = :day LIMIT 5;
