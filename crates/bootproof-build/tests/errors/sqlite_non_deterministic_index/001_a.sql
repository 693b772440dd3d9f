CREATE TABLE orders(id INTEGER PRIMARY KEY, placed TEXT);
CREATE INDEX i ON orders(placed, random());
