-- bootproof: no-transaction "pages of 8 KiB hold a whole entry"
PRAGMA page_size = 8192;
PRAGMA auto_vacuum = INCREMENTAL;
DELETE FROM entries WHERE body = '';
VACUUM;
