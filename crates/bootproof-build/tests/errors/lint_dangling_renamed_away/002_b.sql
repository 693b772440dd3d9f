-- The old table stays, for a while.
ALTER TABLE users RENAME TO users_old;
CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO users(id) SELECT id FROM users_old;
