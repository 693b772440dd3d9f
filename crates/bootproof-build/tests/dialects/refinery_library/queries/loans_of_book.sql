-- bootproof: index idx_books_author
-- bootproof: budget 20 ms
SELECT title FROM books WHERE author_id = :author_id;
