-- +goose Up
-- +goose ENVSUB ON
CREATE TABLE ${PREFIX}_f(x);
