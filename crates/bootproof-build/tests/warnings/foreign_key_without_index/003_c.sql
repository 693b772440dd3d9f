-- bootproof: allow foreign-key-without-index "users are never deleted"
CREATE TABLE likes(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users);
