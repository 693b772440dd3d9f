-- migrate:up
CREATE TABLE d(x);
