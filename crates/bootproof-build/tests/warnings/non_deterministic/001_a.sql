CREATE TABLE orders(
    id     INTEGER PRIMARY KEY,
    placed TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    paid   TEXT CHECK (paid <= CURRENT_TIMESTAMP),
    lot    INTEGER CHECK (lot < random())
);
