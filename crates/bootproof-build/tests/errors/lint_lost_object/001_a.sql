CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL, note TEXT);
CREATE INDEX idx_orders_customer ON orders(customer, date(placed));
CREATE INDEX i ON orders(note);
CREATE INDEX on_purpose ON orders(placed);
CREATE TRIGGER t AFTER INSERT ON orders BEGIN SELECT 1; END;
CREATE VIEW v AS SELECT note FROM orders;
CREATE TRIGGER notes_are_written INSTEAD OF INSERT ON v BEGIN SELECT 1; END;
