-- Add migration script here
CREATE TABLE users
(
    id            BLOB PRIMARY KEY NOT NULL,
    email         TEXT             NOT NULL UNIQUE,
    password_hash TEXT             NOT NULL,
    created_at    INTEGER          NOT NULL DEFAULT (unixepoch())
) STRICT;
