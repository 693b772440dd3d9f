-- The page of a customer.
-- bootproof: index idx_order_customer
-- bootproof: budget 20 ms
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
