DROP VIEW totals;
CREATE TABLE new_customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL DEFAULT 'unknown');
INSERT INTO new_customers(id, name, city) SELECT id, name, coalesce(city, 'unknown') FROM customers;
DROP TABLE customers;
ALTER TABLE new_customers RENAME TO customers;
CREATE INDEX idx_customers_name ON customers(name);
CREATE TRIGGER customers_deleted AFTER DELETE ON customers BEGIN
    INSERT INTO deletions(customer_id) VALUES (old.id);
END;
CREATE VIEW totals AS
    SELECT customers.name AS name, sum(orders.total) AS total
    FROM customers JOIN orders ON orders.customer_id = customers.id GROUP BY customers.id;
