-- bootproof: index of_customer
-- bootproof: budget 1 ms
WITH items(number) AS MATERIALIZED (VALUES (1), (2))
SELECT id FROM orders, items WHERE customer = :customer AND (SELECT count(*) FROM orders AS o) > items.number;
