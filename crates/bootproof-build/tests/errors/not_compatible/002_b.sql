-- bootproof: compatible "nobody reads x any more"
ALTER TABLE a ADD COLUMN y INTEGER;
ALTER TABLE a DROP COLUMN x;
-- bootproof: allow destroys-data "nobody reads it any more"
