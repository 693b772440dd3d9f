CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL);
CREATE TABLE log(id INTEGER PRIMARY KEY, item INTEGER, what TEXT);
CREATE TRIGGER item_added AFTER INSERT ON item BEGIN INSERT INTO log(item, what) VALUES (new.id, 'added'); END;
CREATE TRIGGER item_gone AFTER DELETE ON item BEGIN INSERT INTO history(item) VALUES (old.id); END;
CREATE VIEW logged AS SELECT item, what FROM log;
CREATE VIEW mended AS SELECT nonsense FROM item;
