-- Customers and what they order.
CREATE TABLE customers(id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE);

CREATE TABLE orders(
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers(id) ON DELETE CASCADE,
    placed TEXT NOT NULL,
    total REAL NOT NULL DEFAULT 0 CHECK (total >= 0)
);
CREATE TABLE audit(at TEXT NOT NULL, what TEXT NOT NULL); -- written by a trigger; nobody else's "#business"

CREATE TRIGGER orders_are_audited AFTER DELETE ON orders BEGIN
    INSERT INTO audit VALUES (datetime('now'), 'deleted; order ' || old.id);
END;

INSERT INTO customers(email) VALUES ('walk-in@example.org');
