-- Two steps of one migration
BEGIN IMMEDIATE;
CREATE TABLE keys (id TEXT PRIMARY KEY, alg TEXT NOT NULL);
COMMIT;
PRAGMA busy_timeout = 5000;
BEGIN;
SAVEPOINT filled;
INSERT INTO keys (id, alg) VALUES ('first', 'ES256');
RELEASE filled;
COMMIT;
