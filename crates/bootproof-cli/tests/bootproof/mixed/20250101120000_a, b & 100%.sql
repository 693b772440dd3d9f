-- migrate:up
BEGIN;
CREATE TABLE a(x);
COMMIT;
-- migrate:down
DROP TABLE a;
