-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id AS what, customer, placed FROM orders WHERE customer = :customer
UNION ALL
SELECT customer, lower(customer), NULL FROM orders WHERE customer = :customer ORDER BY what LIMIT 5;
