-- Größe
-- bootproof: maintenance "it takes long, and
-- bootproof: the import has to be stopped"
DROP TABLE orders;
