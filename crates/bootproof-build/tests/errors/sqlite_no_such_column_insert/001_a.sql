CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL, note TEXT);
INSERT INTO orders(id, custmer) VALUES (1, 'x');
