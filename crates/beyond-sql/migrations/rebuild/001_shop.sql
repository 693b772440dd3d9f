CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);
CREATE TABLE orders(
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers(id) ON DELETE CASCADE,
    total INTEGER NOT NULL
);
CREATE TABLE notes(
    id INTEGER PRIMARY KEY,
    customer_id INTEGER REFERENCES customers(id) ON DELETE SET NULL,
    body TEXT NOT NULL
);
CREATE TABLE deletions(customer_id INTEGER NOT NULL);
CREATE INDEX idx_customers_name ON customers(name);
CREATE INDEX idx_orders_customer ON orders(customer_id);
CREATE INDEX idx_notes_customer ON notes(customer_id);
CREATE VIEW totals AS
    SELECT customers.name AS name, sum(orders.total) AS total
    FROM customers JOIN orders ON orders.customer_id = customers.id GROUP BY customers.id;
CREATE TRIGGER customers_deleted AFTER DELETE ON customers BEGIN
    INSERT INTO deletions(customer_id) VALUES (old.id);
END;
