ALTER TABLE stock ADD COLUMN reorder_level INTEGER;
