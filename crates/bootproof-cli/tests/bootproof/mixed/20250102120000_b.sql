-- migrate:up
ALTER TABLE a ADD COLUMN größe;
CREATE INDEX größte ON a("größe", grösse);
