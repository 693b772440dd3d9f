  -- bootproof: maintenance "  "
CREATE INDEX idx_orders_customer ON orders(customer, date(placed));
