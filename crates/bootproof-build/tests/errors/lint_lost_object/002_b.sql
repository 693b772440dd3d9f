CREATE TABLE orders_new(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL, note TEXT DEFAULT '');
INSERT INTO orders_new(id, customer, placed, note) SELECT id, customer, placed, note FROM orders;
DROP INDEX on_purpose;
DROP VIEW v;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
CREATE INDEX i ON orders(note);
CREATE VIEW v AS SELECT note FROM orders;
