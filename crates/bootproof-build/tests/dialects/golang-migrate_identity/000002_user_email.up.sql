PRAGMA foreign_keys=OFF;
BEGIN;
ALTER TABLE users ADD COLUMN email TEXT;
UPDATE users SET email = username || '@example.org' WHERE email IS NULL;
CREATE UNIQUE INDEX idx_users_email ON users (lower(email));
END;
PRAGMA foreign_keys=ON;
