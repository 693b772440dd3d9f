-- A table that is STRICT and WITHOUT ROWID.
-- bootproof: index idx_reading_at
-- bootproof: budget 20 ms
SELECT sensor, at, value FROM reading WHERE at BETWEEN :from AND :to ORDER BY at;
