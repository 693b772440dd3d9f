-- bootproof: allow destroys-data "the shop starts anew"
DELETE FROM tags;
UPDATE orders SET customer = NULL;
