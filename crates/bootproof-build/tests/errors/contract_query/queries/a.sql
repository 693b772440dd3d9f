-- The page of a customer.
-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
DELETE FROM orders WHERE customer = :customer;
