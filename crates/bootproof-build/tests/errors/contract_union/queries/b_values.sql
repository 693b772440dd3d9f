-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
-- bootproof: column id ANY
WITH of_one AS (SELECT id, placed FROM orders WHERE customer = :customer)
SELECT id, placed FROM of_one UNION SELECT placed, 'none' FROM of_one UNION VALUES (0, 1);
