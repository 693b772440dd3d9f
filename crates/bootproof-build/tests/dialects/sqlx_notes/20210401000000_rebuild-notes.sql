PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;

CREATE TABLE notes_new (
    id INTEGER PRIMARY KEY,
    owner BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags))
);
INSERT INTO notes_new (id, owner, body, tags) SELECT id, owner, body, tags FROM notes;
DROP TABLE notes;
ALTER TABLE notes_new RENAME TO notes;
CREATE INDEX notes_by_tag ON notes (json_extract(tags, '$[0]')) WHERE tags <> '[]';

PRAGMA foreign_key_check;
COMMIT;
PRAGMA foreign_keys = ON;