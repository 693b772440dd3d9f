ALTER TABLE stock DROP COLUMN reorder_level;
