CREATE TABLE orders(
    id      INTEGER PRIMARY KEY,
    placed  TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (placed <= datetime('now')),
    shipped TEXT CHECK (shipped < current_date),
    age     REAL AS (julianday('NOW') - julianday(placed))
);
CREATE INDEX recent ON orders(placed) WHERE placed > date('now', '-7 days');
CREATE INDEX by_day ON orders(date(placed));
INSERT INTO orders(placed, shipped) SELECT 'now', NULL WHERE 0;
