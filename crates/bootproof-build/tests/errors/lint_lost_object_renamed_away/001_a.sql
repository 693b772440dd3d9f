CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, note TEXT);
CREATE INDEX of_customer ON orders(customer);
CREATE INDEX by_note ON orders(note);
CREATE TRIGGER t AFTER INSERT ON orders BEGIN SELECT 1; END;
