CREATE TABLE numbers(number INTEGER PRIMARY KEY);
INSERT INTO numbers(number)
WITH RECURSIVE counted(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM counted)
SELECT number FROM counted;
