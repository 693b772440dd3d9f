-- +goose Up
CREATE TABLE z(x);
