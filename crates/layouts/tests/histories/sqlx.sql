PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES(20210101120000,'create users','2026-11-26 04:40:15',1,X'c088bc77d15afe204ad39978f3de04df72ef36a08ae6e09a9181ec879955b2bc3ee0cd60817055f782481a5d53ce9b19',1875127);
INSERT INTO _sqlx_migrations VALUES(20210102090000,'notes & tags','2026-11-26 04:40:15',1,X'63744caa28a2da3b2af09bdec4d28f98aff51ade7aeabdb796cd9728d38b6bed7f54a82fb3328b78289dcf01b83b17f0',1821087);
INSERT INTO _sqlx_migrations VALUES(20210301000000,'empty','2026-11-26 04:40:15',1,X'38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',1166614);
CREATE TABLE users
(
    id            BLOB PRIMARY KEY NOT NULL,
    email         TEXT             NOT NULL UNIQUE,
    password_hash TEXT             NOT NULL,
    created_at    INTEGER          NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    owner BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    body TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    words INTEGER GENERATED ALWAYS AS (length(body)) VIRTUAL
);
CREATE INDEX notes_by_tag ON notes (json_extract(tags, '$[0]')) WHERE tags <> '[]';
COMMIT;
