-- bootproof: index idx_orders_customer
-- bootproof: budget 20 ms
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c, orders WHERE customer = :x;
-- bootproof: sample
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c;
