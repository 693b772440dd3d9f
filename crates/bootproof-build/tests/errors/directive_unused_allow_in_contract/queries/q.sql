-- bootproof: index of_customer_and_id
-- bootproof: budget 1 ms
-- bootproof: allow contract-scans "there are few"
SELECT id FROM orders WHERE customer = :customer;
