-- The first of the five incidents: a rebuild of the parent.
-- bootproof: allow pragma "a file of another tool"
PRAGMA foreign_keys = OFF;
CREATE TABLE new_user(id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
INSERT INTO new_user(id, email) SELECT id, email FROM user;
DROP TABLE user;
ALTER TABLE new_user RENAME TO user;
PRAGMA foreign_keys = ON;
