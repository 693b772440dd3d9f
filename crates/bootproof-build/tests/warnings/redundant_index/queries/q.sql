-- bootproof: index contracted
-- bootproof: budget 1 ms
SELECT id, customer, note FROM orders WHERE placed = :placed;
