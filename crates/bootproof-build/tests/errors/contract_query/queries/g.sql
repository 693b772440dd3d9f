-- The page of a customer.
-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT id FROM orders WHERE note = ':x' AND customer = ?1 AND date(placed) = @day;
