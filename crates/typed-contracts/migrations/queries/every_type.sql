-- One column of every type.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
-- bootproof: column price REAL
SELECT id, name, email, born, is_active, salary, photo, extra, price, type
FROM person WHERE name = :name ORDER BY rowid;
