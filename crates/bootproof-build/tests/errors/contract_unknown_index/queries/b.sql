-- The page of a customer.
-- bootproof: index something_else
-- bootproof: budget 20 ms
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
