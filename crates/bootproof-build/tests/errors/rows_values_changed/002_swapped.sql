CREATE TABLE new_person(id INTEGER PRIMARY KEY, last TEXT, first TEXT, note TEXT, score INTEGER);
INSERT INTO new_person(id, last, first, note, score) SELECT id, first, last, note, score FROM person;
DROP TABLE person;
ALTER TABLE new_person RENAME TO person;
