-- bootproof: allow pragma
-- bootproof: allow if-not-exists " "
-- bootproof: allow lost-object because
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL, note TEXT);
