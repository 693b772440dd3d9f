CREATE TABLE entries(id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE INDEX idx_entries_body ON entries(body);
