-- Pageof a customer.
-- bootproof: index idx_orders_customer
-- bootproof: budget 18446744073709551615 s
SELECT id FROM orders WHERE customer = :customer;
-- bootproof: sample
SELECT customer FROM orders LIMIT 3;
