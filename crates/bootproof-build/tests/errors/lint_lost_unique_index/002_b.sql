-- The first is lost; a constraint takes the place of the second, a longer index that of the third, and the column of the
-- last is gone.
CREATE TABLE users_new(id INTEGER PRIMARY KEY, email TEXT, name TEXT, nick TEXT UNIQUE);
INSERT INTO users_new(id, email, name, nick) SELECT id, email, name || ifnull(city, ''), nick FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
CREATE INDEX by_name_and_email ON users(name, email);
