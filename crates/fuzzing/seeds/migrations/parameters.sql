CREATE TABLE t(a);
INSERT INTO t(a) VALUES ($a::b(c), ?7, @é, :NULL, #1);
