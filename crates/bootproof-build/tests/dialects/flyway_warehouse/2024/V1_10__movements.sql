CREATE TABLE movements (sku TEXT NOT NULL REFERENCES stock (sku), at TEXT NOT NULL, change INTEGER NOT NULL);
CREATE INDEX movements_sku ON movements (sku, at);
