CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, note TEXT, state TEXT, total REAL, twice AS (total * 2));
CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE logs(id INTEGER PRIMARY KEY, line TEXT);
CREATE TABLE tags(id INTEGER PRIMARY KEY, name TEXT, colour TEXT, size TEXT);
CREATE VIEW lines AS SELECT line FROM logs;
