-- bootproof: allow pragma "why"
PRAGMA temp_store_directory = '.';
CREATE TABLE t(a);
