-- bootproof: maintenance
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL, note TEXT);
