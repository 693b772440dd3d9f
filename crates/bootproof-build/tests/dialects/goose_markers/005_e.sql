-- +goose Upp
CREATE TABLE e(x);
