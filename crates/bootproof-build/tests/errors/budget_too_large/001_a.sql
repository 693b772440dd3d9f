CREATE TABLE files(id INTEGER PRIMARY KEY, content BLOB);
INSERT INTO files(content) VALUES (zeroblob(999999999));
