-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id FROM orders
WHERE customer = :customer AND length(placed) % :every = 0;
