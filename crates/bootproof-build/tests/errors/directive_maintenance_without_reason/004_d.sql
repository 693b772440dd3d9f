-- Größe
-- bootproof: maintenance "it takes long, and
-- bootproof: the import has to be stopped"
DROP TABLE orders;
-- bootproof: allow destroys-data "nobody reads it any more"
