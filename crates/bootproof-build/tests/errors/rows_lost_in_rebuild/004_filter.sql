CREATE TABLE new_filtered(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO new_filtered(id, name) SELECT id, name FROM filtered WHERE name IS NOT NULL;
DROP TABLE filtered;
ALTER TABLE new_filtered RENAME TO filtered;
