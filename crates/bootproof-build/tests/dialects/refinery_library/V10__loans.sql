CREATE TABLE loans (
    book_id INTEGER NOT NULL REFERENCES books(id),
    reader TEXT NOT NULL,
    due TEXT NOT NULL,
    PRIMARY KEY (book_id, due)
) WITHOUT ROWID, STRICT;
ANALYZE