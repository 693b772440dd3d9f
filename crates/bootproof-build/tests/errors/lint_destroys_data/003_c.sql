-- The rebuild leaves two columns behind, and copies the third under another name.
CREATE TABLE tags_new(id INTEGER PRIMARY KEY, name TEXT, label TEXT);
INSERT INTO tags_new(id, label) SELECT id, name FROM tags;
ALTER TABLE tags RENAME TO tags_old;
ALTER TABLE tags_new RENAME TO tags;
DROP TABLE tags_old;
-- Comes back empty.
DROP TABLE logs;
DROP VIEW lines;
CREATE TABLE logs(id INTEGER PRIMARY KEY, line TEXT);
