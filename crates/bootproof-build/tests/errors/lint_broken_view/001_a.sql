CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, note TEXT);
CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT);
CREATE VIEW names AS SELECT name FROM items;
CREATE VIEW names_again AS SELECT name FROM names;
CREATE VIEW notes AS SELECT note FROM orders;
CREATE VIEW typing_error AS SELECT nme FROM items;
