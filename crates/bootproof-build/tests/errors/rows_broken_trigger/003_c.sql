DROP VIEW mended;
CREATE VIEW mended AS SELECT name FROM item;
