CREATE VIEW overdue AS
    SELECT b.title, l.reader, l.due FROM loans l JOIN books b ON b.id = l.book_id WHERE l.due < '2025-01-01';
-- the end