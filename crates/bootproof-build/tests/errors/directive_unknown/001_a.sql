-- bootproof: alow pragma "x"
-- bootproof: allow pragmas "x"
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL, note TEXT);
