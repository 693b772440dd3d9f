-- The tables of the shop.
-- +goose Up
-- +goose StatementBegin
CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
    updated_at TEXT
);
-- +goose StatementEnd
CREATE INDEX idx_products_name ON products (name);

-- +goose Down
DROP INDEX idx_products_name;
DROP TABLE products;
