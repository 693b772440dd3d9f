-- bootproof: allow pragma "x"
DROP TABLE orders;
