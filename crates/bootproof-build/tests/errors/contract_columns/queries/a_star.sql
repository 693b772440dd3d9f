-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT o.*
FROM orders AS o WHERE customer = :customer;
