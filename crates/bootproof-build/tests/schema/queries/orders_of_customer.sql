-- The page of a customer,
-- newest order first.

-- bootproof: index idx_orders_customer
-- bootproof: budget 1 s
SELECT id, placed, total -- what the page shows; no more
FROM orders
WHERE customer_id = :customer AND placed < :before AND :customer > 0
ORDER BY placed DESC
