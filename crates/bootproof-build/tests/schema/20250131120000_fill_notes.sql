-- bootproof: allow if-not-exists "some installations made this index by hand, with the same columns"
-- bootproof: maintenance "rewrites every order; stop the import first"
CREATE INDEX IF NOT EXISTS idx_orders_customer ON orders(customer_id, placed);
UPDATE orders SET note = '' WHERE note IS NULL;
DELETE FROM orders WHERE total < 0
