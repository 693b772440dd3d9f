-- bootproof: allow pragma "why"
CREATE TABLE t(a);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a, b, c' WHERE name = 't';
PRAGMA writable_schema = RESET;

