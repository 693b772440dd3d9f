PRAGMA journal_mode = WAL;
PRAGMA page_size = 8192;
PRAGMA writable_schema = ON;
PRAGMA encoding = "UTF-16";
CREATE TABLE a(x);
ROLLBACK;
BEGIN;
BEGIN;
