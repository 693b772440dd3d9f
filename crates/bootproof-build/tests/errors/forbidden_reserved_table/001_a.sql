DELETE FROM refinery_schema_history;
CREATE TABLE bootproof_mine(x);
CREATE VIEW v AS SELECT * FROM bootproof_audit;
SELECT * FROM v;
CREATE TABLE Refinery_Schema_History(x);
