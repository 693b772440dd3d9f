-- no-transaction
INSERT INTO users (id, email, password_hash) VALUES (x'00', 'nobody@example.org', '')
    ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash;
