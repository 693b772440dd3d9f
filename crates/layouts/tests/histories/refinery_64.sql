PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE refinery_schema_history(
             version int8 PRIMARY KEY,
             name VARCHAR(255),
             applied_on VARCHAR(255),
             checksum VARCHAR(255));
INSERT INTO refinery_schema_history VALUES(1,'create_books','2026-11-26T04:40:15.95748966Z','10866837495726417843');
INSERT INTO refinery_schema_history VALUES(2,'search','2026-11-26T04:40:15.957507787Z','2622145802712113660');
CREATE TABLE authors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE
);
CREATE TABLE books (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    author_id INTEGER NOT NULL REFERENCES authors(id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    isbn TEXT UNIQUE,
    added_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
PRAGMA writable_schema=ON;
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','book_search','book_search',0,'CREATE VIRTUAL TABLE book_search USING fts5(title, content=''books'', content_rowid=''id'', tokenize = ''unicode61 remove_diacritics 2'')');
CREATE TABLE IF NOT EXISTS 'book_search_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO book_search_data VALUES(1,X'');
INSERT INTO book_search_data VALUES(10,X'00000000000000');
CREATE TABLE IF NOT EXISTS 'book_search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS 'book_search_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
CREATE TABLE IF NOT EXISTS 'book_search_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO book_search_config VALUES('version',4);
DELETE FROM sqlite_sequence;
CREATE INDEX idx_books_author ON books(author_id);
CREATE TRIGGER books_ai AFTER INSERT ON books BEGIN
    INSERT INTO book_search(rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER books_ad AFTER DELETE ON books BEGIN
    INSERT INTO book_search(book_search, rowid, title) VALUES ('delete', old.id, old.title);
END;
PRAGMA writable_schema=OFF;
COMMIT;
