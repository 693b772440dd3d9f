CREATE VIEW low AS SELECT sku FROM stock WHERE amount < reorder_level;
