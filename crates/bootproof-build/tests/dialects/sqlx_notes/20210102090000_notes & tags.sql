-- Größe und Übersicht: non-ASCII text
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    owner BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    body TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    words INTEGER GENERATED ALWAYS AS (length(body)) VIRTUAL
);
CREATE INDEX notes_by_tag ON notes (json_extract(tags, '$[0]')) WHERE tags <> '[]';
