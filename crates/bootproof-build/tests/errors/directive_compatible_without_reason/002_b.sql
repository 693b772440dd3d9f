-- bootproof: compatible
-- bootproof: compatible "nobody reads it yet"
CREATE TABLE b (x INTEGER);
