-- Renamed away, and one thing lost.
ALTER TABLE two RENAME TO two_old;
CREATE TABLE two(id INTEGER PRIMARY KEY, a TEXT, b TEXT);
INSERT INTO two(id, a) SELECT id, a FROM two_old;
DROP TABLE two_old;
