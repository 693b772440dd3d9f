CREATE TABLE orders_new(id INTEGER PRIMARY KEY, number TEXT, user INTEGER, state TEXT, note TEXT);
INSERT INTO orders_new(id, number, user, state) SELECT id, number, user, state FROM orders;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
CREATE INDEX of_user ON orders(user);
-- These rebuilds are made for what they drop, or change it into something else.
CREATE TABLE one_new(id INTEGER PRIMARY KEY, a TEXT, b TEXT NOT NULL);
INSERT INTO one_new(id, a, b) SELECT id, a, b FROM one;
DROP TABLE one;
ALTER TABLE one_new RENAME TO one;
CREATE TABLE three_new(
    id INTEGER PRIMARY KEY, a TEXT, b INT CHECK (b >= 0), user INTEGER REFERENCES users ON DELETE SET NULL, UNIQUE (a, b)
);
INSERT INTO three_new(id, a, b, user) SELECT id, a, b, user FROM three;
DROP TABLE three;
ALTER TABLE three_new RENAME TO three;
CREATE INDEX three_of_user ON three(user);
