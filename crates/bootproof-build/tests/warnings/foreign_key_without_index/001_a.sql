CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, UNIQUE (name, id));
CREATE TABLE posts(
    id INTEGER PRIMARY KEY,
    author INTEGER REFERENCES users,
    editor INTEGER REFERENCES users(id),
    later INTEGER REFERENCES users,
    indexed INTEGER REFERENCES users,
    partially INTEGER REFERENCES users,
    n TEXT, i INTEGER, FOREIGN KEY (n, i) REFERENCES users(name, id)
);
CREATE INDEX of_indexed ON posts(indexed, author);
CREATE INDEX of_partially ON posts(partially) WHERE partially IS NOT NULL;
CREATE INDEX of_some_editors ON posts(editor) WHERE editor > 7;
CREATE INDEX of_both ON posts(i, n, id);
CREATE TABLE profiles(user_id INTEGER PRIMARY KEY REFERENCES users, picture BLOB);
