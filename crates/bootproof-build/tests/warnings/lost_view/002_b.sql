DROP VIEW IF EXISTS notes;
DROP VIEW remade;
DROP VIEW of_items;
CREATE TABLE orders_new(id INTEGER PRIMARY KEY, note TEXT NOT NULL);
INSERT INTO orders_new(id, note) SELECT id, ifnull(note, '') FROM orders;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
CREATE VIEW remade AS SELECT note FROM orders;
