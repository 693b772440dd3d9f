-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT a.id, a.placed, b.id
FROM orders AS a JOIN orders AS b ON b.id = a.id WHERE a.customer = :customer;
