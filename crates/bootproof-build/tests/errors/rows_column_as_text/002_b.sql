CREATE TABLE new_account(id INTEGER PRIMARY KEY, address TEXT NOT NULL, quota INTEGER NOT NULL DEFAULT 0);
INSERT INTO new_account(id, address, quota) SELECT id, 'address', coalesce(quota, 0) FROM account;
DROP TABLE account;
ALTER TABLE new_account RENAME TO account;
