CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL, note TEXT);
CREATE INDEX idx_orders_customer ON orders(customer, date(placed));
