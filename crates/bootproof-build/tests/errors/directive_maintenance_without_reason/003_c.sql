-- bootproof: maintenance because it takes long
DROP INDEX idx_orders_customer;
