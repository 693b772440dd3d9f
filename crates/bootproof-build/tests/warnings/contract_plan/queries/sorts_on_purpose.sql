-- bootproof: index of_customer
-- bootproof: budget 1 ms
-- bootproof: allow contract-sorts "nobody has more than a dozen"
SELECT placed FROM orders WHERE customer = :customer ORDER BY placed;
