-- bootproof: no-transaction "a copy"
VACUUM INTO '/tmp/copy.db';
PRAGMA journal_mode = OFF;
