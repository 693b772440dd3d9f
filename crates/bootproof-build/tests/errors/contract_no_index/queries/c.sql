-- The page of a customer.
-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT * FROM orders WHERE +customer = :customer AND placed = :day;
