CREATE TABLE users(id INTEGER PRIMARY KEY);
CREATE TABLE posts(id INTEGER PRIMARY KEY, user_id REFERENCES users(id));
CREATE INDEX posts_of_user ON posts(user_id);
