-- bootproof: allow broken-view "a later program makes the table"
CREATE VIEW of_others AS SELECT 1 FROM elsewhere;
