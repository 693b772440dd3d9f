-- bootproof: index a
-- bootproof: index b
-- bootproof: budget 1 s
-- bootproof: budget 2 s
SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
-- bootproof: sample
-- bootproof: sample
