-- bootproof: allow destroys-data "their digests are kept"
ALTER TABLE users DROP COLUMN email;
CREATE VIRTUAL TABLE search USING fts5(digest);
