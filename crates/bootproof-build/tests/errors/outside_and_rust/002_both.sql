-- bootproof: no-transaction "larger pages"
-- bootproof: rust hash_notes "SQLite has no SHA-256"
-- bootproof: writes orders
VACUUM;
