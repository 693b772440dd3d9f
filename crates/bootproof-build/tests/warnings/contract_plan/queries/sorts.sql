-- bootproof: index of_customer
-- bootproof: budget 1 ms
SELECT placed, count(*) AS orders FROM orders WHERE customer = :customer GROUP BY placed ORDER BY 2;
