CREATE INDEX by_day_and_customer ON orders(date(placed), customer);
CREATE INDEX placed_and_customer ON orders(placed, customer);
CREATE INDEX dropped_again ON orders(customer, id);
CREATE INDEX contracted ON orders(placed);
