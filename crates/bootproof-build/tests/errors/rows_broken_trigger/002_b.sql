-- The log moves elsewhere.
DROP TABLE log;
