DROP TABLE IF EXISTS items;
ALTER TABLE orders DROP COLUMN note;
DELETE FROM main.logs;
UPDATE orders SET customer = '', state = 'new';
WITH one AS (SELECT 1 WHERE 1) UPDATE orders SET state = 'old';
