-- Nothing gives the month a value.
-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
-- bootproof: sample from busiest_day
SELECT customer FROM orders WHERE substr(placed, 1, 7) = :month LIMIT 5;
