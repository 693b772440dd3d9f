CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT);
CREATE INDEX of_customer ON orders(customer);
CREATE INDEX of_customer_and_id ON orders(customer, id);
-- bootproof: allow redundant-index "it is half as large"
