-- bootproof: rust digest_emails "SQLite has no such digest"
-- bootproof: writes users
ALTER TABLE users ADD COLUMN digested INTEGER NOT NULL DEFAULT 0;
