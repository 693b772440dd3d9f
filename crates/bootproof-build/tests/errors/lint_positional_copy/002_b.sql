CREATE TABLE orders_new(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL CHECK (placed > ''));
INSERT INTO orders_new SELECT * FROM orders;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
CREATE TABLE archive(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL);
INSERT OR REPLACE INTO archive(id, customer, placed) SELECT o.* FROM orders AS o WHERE placed < '2020';
