-- +goose Up
CREATE TABLE a(x);
INSERT INTO a
VALUES ({{ .Seed }});
-- +goose Down
DROP TABLE a;
