CREATE TABLE reading(sensor TEXT NOT NULL, at INTEGER NOT NULL, value ANY, PRIMARY KEY (sensor, at)) STRICT, WITHOUT ROWID;
CREATE INDEX idx_reading_at ON reading(at);
