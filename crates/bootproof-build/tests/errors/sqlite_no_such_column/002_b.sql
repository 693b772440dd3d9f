CREATE INDEX i ON orders(placd);
