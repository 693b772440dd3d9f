CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, name TEXT, nick TEXT, city TEXT);
CREATE UNIQUE INDEX email_is_unique ON users(email);
CREATE UNIQUE INDEX nick_is_unique ON users(nick);
CREATE INDEX by_name ON users(name);
CREATE INDEX by_city ON users(lower(city));
