-- +goose Up
INSERT INTO products (id, name, price_cents) VALUES (1, 'cup; large', 450), (2, 'plate', 700);
-- +goose Down
SELECT 'no way back';