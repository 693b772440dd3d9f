-- +goose Down
DROP TABLE c;
-- +goose Up
CREATE TABLE c(x);
