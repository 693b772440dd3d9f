-- The second of the five incidents: the old table is renamed away, and the references go with it.
ALTER TABLE user RENAME TO _user_old;
CREATE TABLE user(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
INSERT INTO user(id, name) SELECT id, coalesce(name, '') FROM _user_old;
DROP TABLE _user_old;
