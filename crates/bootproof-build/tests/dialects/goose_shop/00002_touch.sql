-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER products_touch AFTER UPDATE OF price_cents ON products
BEGIN
    UPDATE products SET updated_at = datetime('now') WHERE id = new.id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER products_touch;
