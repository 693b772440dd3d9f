-- +goose Up
-- +goose StatementBegin
CREATE TABLE d(x);
