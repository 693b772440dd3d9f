-- bootproof: no-transaction "larger pages"
PRAGMA page_size = 8192;
VACUUM;
BEGIN;
UPDATE orders SET note = 'x';
COMMIT;
PRAGMA foreign_keys = OFF;
