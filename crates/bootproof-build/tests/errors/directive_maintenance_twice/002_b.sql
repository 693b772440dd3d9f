-- bootproof: maintenance
-- bootproof: maintenance "the reason was missing above"
DROP TABLE orders;
-- bootproof: allow destroys-data "nobody reads it any more"
