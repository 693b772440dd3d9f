CREATE TABLE person(id INTEGER PRIMARY KEY, first TEXT, last TEXT, note TEXT, score INTEGER);
