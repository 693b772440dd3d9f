CREATE VIRTUAL TABLE book_search USING fts5(title, content='books', content_rowid='id', tokenize = 'unicode61 remove_diacritics 2');

CREATE TRIGGER books_ai AFTER INSERT ON books BEGIN
    INSERT INTO book_search(rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER books_ad AFTER DELETE ON books BEGIN
    INSERT INTO book_search(book_search, rowid, title) VALUES ('delete', old.id, old.title);
END;
