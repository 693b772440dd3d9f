-- What it is sampled from is wrong itself: that is said once.
-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
-- bootproof: sample from broken
SELECT customer FROM orders WHERE date(placed) = :day LIMIT 5;
