CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL, digest TEXT);
CREATE TABLE changes(id INTEGER PRIMARY KEY, what TEXT NOT NULL);
CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), total INTEGER NOT NULL);
CREATE TRIGGER users_change AFTER UPDATE OF digest ON users BEGIN
    INSERT INTO changes(what) VALUES ('digest of ' || new.id);
END;
INSERT INTO users(email) VALUES ('admin@example.org');
