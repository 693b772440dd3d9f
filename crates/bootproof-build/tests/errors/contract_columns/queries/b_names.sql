-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
SELECT "the note", count(*),
       self.id AS self, 1 AS "2nd"
FROM orders AS self WHERE customer = :customer;
