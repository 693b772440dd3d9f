-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id, -- the number
       length(placed) / 2.0 AS half, price
FROM orders WHERE customer = :customer;
