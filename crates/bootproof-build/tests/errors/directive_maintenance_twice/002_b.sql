-- bootproof: maintenance
-- bootproof: maintenance "the reason was missing above"
DROP TABLE orders;
