PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE refinery_schema_history(
             version int4 PRIMARY KEY,
             name VARCHAR(255),
             applied_on VARCHAR(255),
             checksum VARCHAR(255));
INSERT INTO refinery_schema_history VALUES(1,'create_books','2026-11-26T04:40:15.981311501Z','4533157722529992313');
INSERT INTO refinery_schema_history VALUES(2,'search','2026-11-26T04:40:15.981367374Z','10133168997426799039');
INSERT INTO refinery_schema_history VALUES(10,'loans','2026-11-26T04:40:15.981370118Z','12629859760941380734');
INSERT INTO refinery_schema_history VALUES(11,'overdue','2026-11-26T04:40:15.981372442Z','17672063528933744644');
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
CREATE TABLE loans (
    book_id INTEGER NOT NULL REFERENCES books(id),
    reader TEXT NOT NULL,
    due TEXT NOT NULL,
    PRIMARY KEY (book_id, due)
) WITHOUT ROWID, STRICT;
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES('book_search_config','book_search_config','1 1');
INSERT INTO sqlite_stat1 VALUES('book_search_data',NULL,'2');
INSERT INTO sqlite_stat1 VALUES('refinery_schema_history','sqlite_autoindex_refinery_schema_history_1','2 1');
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat4 VALUES('book_search_config','book_search_config','1','0','0',X'021b76657273696f6e');
INSERT INTO sqlite_stat4 VALUES('refinery_schema_history','sqlite_autoindex_refinery_schema_history_1','1 1','0 0','0 0',X'030909');
INSERT INTO sqlite_stat4 VALUES('refinery_schema_history','sqlite_autoindex_refinery_schema_history_1','1 1','1 1','1 1',X'0301010202');
DELETE FROM sqlite_sequence;
CREATE INDEX idx_books_author ON books(author_id);
CREATE TRIGGER books_ai AFTER INSERT ON books BEGIN
    INSERT INTO book_search(rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER books_ad AFTER DELETE ON books BEGIN
    INSERT INTO book_search(book_search, rowid, title) VALUES ('delete', old.id, old.title);
END;
CREATE VIEW overdue AS
    SELECT b.title, l.reader, l.due FROM loans l JOIN books b ON b.id = l.book_id WHERE l.due < '2025-01-01';
PRAGMA writable_schema=OFF;
COMMIT;
