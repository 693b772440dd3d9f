CREATE TABLE comments (
  id INTEGER NOT NULL PRIMARY KEY,
  post_id INTEGER NOT NULL,
  text TEXT NOT NULL,
  FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE
);
CREATE INDEX comments_post ON comments (post_id);
