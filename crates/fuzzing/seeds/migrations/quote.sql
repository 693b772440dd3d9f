CREATE TABLE t(a DEFAULT 'never closed);
