-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
-- bootproof: maintenance "nobody asks meanwhile"
SELECT id FROM orders WHERE customer = :customer;
