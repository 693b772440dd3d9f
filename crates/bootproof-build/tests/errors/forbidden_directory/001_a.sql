-- bootproof: allow pragma "the disk of the server is small"
CREATE TABLE t(a);
PRAGMA temp_store_directory = '/tmp';
