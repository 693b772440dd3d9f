-- The notes stay.
DROP INDEX idx_orders_customer;
