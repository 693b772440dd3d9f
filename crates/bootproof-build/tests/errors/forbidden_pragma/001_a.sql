PRAGMA foreign_keys = OFF;
PRAGMA journal_mode = WAL;
PRAGMA page_size = 8192;
PRAGMA writable_schema = ON;
PRAGMA legacy_alter_table(1);
PRAGMA cache_size = 10;
PRAGMA user_version = 7;
PRAGMA foreign_key_check;
