CREATE TABLE new_person(id INTEGER PRIMARY KEY, first TEXT, last TEXT, note TEXT, score INTEGER NOT NULL DEFAULT 0);
INSERT INTO new_person(id, first, last) SELECT id, first, last FROM person;
DROP TABLE person;
ALTER TABLE new_person RENAME TO person;
