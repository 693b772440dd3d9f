-- Pages that show a day, and one that shows the best customers.
CREATE INDEX idx_orders_day ON orders(date(placed), customer_id);
ALTER TABLE orders ADD COLUMN note TEXT;
CREATE VIEW best_customers AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
CREATE TABLE shipments(order_id INTEGER NOT NULL REFERENCES orders(id), parcel_id INTEGER REFERENCES "a parcel"(id));
CREATE TABLE "a parcel"(id INTEGER PRIMARY KEY);
