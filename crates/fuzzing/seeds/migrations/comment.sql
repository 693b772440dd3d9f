CREATE TABLE t(a); /* never closed
