CREATE TABLE t(a);
INSERT INTO t(a) SELECT printf('%.900000000c', 'a') || printf('%.900000000c', 'a');
