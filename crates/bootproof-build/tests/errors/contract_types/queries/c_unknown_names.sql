-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
-- bootproof: parameter custmer TEXT
-- bootproof: column nothing TEXT
-- bootproof: column id NOT NULL
-- bootproof: column id INTEGER
SELECT id FROM orders WHERE customer = :customer;
