-- bootproof: index idx_orders_customer
-- bootproof:
-- bootproof: budget 0 ms
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
