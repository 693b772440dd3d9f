-- +goose Up
CREATE TABLE b(x);
-- +goose Up
CREATE TABLE b2(x);
