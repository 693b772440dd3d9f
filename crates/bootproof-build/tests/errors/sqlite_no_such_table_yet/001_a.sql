CREATE INDEX i ON later(x);
