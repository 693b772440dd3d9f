-- bootproof: index of_customer
-- bootproof: budget 1 ms
SELECT i.name FROM orders AS o LEFT JOIN items i ON i.number = o.id WHERE o.customer >= :customer;
