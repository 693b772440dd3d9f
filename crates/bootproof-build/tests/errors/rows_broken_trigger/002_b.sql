-- bootproof: allow destroys-data "the log moves elsewhere"
DROP TABLE log;
