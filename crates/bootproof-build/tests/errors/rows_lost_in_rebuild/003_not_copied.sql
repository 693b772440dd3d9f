CREATE TABLE new_forgotten(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
DROP TABLE forgotten;
ALTER TABLE new_forgotten RENAME TO forgotten;
