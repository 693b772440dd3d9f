-- A name that Rust cannot have.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
SELECT id AS "fn", name AS "userName", born AS größe FROM person WHERE name IN (:a, :b);
