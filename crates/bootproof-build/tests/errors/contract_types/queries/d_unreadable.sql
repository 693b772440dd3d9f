-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
-- bootproof: parameter customer VARCHAR(20)
-- bootproof: column id
SELECT id FROM orders WHERE customer = :customer;
