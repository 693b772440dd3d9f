CREATE TABLE orders(
    id INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    placed TEXT NOT NULL,
    price MONEY,
    "the note" TEXT
);
CREATE INDEX idx_orders_customer ON orders(customer);
