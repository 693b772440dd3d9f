-- Nothing is lost here.
ALTER TABLE orders ADD COLUMN buyer TEXT;
UPDATE orders SET buyer = customer;
ALTER TABLE orders DROP COLUMN customer;
ALTER TABLE orders DROP COLUMN twice;
UPDATE orders SET total = round(total, 2), buyer = 'nobody';
UPDATE orders SET state = 'new' WHERE state IS NULL;
DELETE FROM logs WHERE line = '';
INSERT INTO tags(name) SELECT state FROM orders;
DELETE FROM orders;
CREATE TABLE scratch(x);
INSERT INTO scratch VALUES (1);
UPDATE scratch SET x = 2;
DELETE FROM scratch;
DROP TABLE scratch;
CREATE TRIGGER orders_are_logged AFTER DELETE ON orders BEGIN DELETE FROM logs; UPDATE tags SET label = ''; END;
