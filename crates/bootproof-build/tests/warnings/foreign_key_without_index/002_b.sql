CREATE INDEX of_later ON posts(later);
ALTER TABLE posts ADD COLUMN reader INTEGER REFERENCES users;
