CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, placed TEXT);
CREATE INDEX of_customer ON orders(customer);
CREATE TABLE items(number INTEGER, name TEXT);
