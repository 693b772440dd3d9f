-- bootproof: allow destroys-data "there are no teams any more"
ALTER TABLE team ADD COLUMN note TEXT;
DELETE FROM team;
