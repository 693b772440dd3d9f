-- The old table stays for a while, and keeps what hangs on it; one index is made again.
ALTER TABLE orders RENAME TO orders_old;
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL DEFAULT '', note TEXT);
INSERT INTO orders(id, customer, note) SELECT id, ifnull(customer, ''), note FROM orders_old;
CREATE INDEX by_note_again ON orders(note);
