-- bootproof: allow destroys-data "nobody reads them"
DROP TABLE items;
