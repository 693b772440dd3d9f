-- +goose NO TRANSACTION
-- +goose Up
PRAGMA foreign_keys = off;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL DEFAULT 1,
    note TEXT DEFAULT ';'
);
CREATE INDEX idx_orders_product ON orders (product_id);
PRAGMA foreign_keys = on;

-- +goose Down
DROP TABLE order;
