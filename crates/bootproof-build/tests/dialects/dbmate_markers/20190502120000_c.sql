-- migrate:up
CREATE TABLE c(x);
