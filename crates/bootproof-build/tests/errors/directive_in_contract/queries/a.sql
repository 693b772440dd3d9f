-- bootproof: index
-- bootproof: budget 20 minutes
-- bootproof: allow pragma "x"
-- bootproof: sample 5
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
