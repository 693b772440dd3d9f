-- Forgets the column, drops too much.
DROP TABLE b;
DROP INDEX idx_orders_customer;
