-- bootproof: rust hash_notes "SQLite has no SHA-256"
ALTER TABLE orders ADD COLUMN digest TEXT;
