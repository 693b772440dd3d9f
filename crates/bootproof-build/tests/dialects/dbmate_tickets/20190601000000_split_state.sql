-- migrate:up transaction:false
PRAGMA legacy_alter_table = ON;
ALTER TABLE tickets RENAME TO tickets_old;
CREATE TABLE tickets (
  id INTEGER PRIMARY KEY,
  subject TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'waiting', 'closed')),
  closed_at TEXT
);
INSERT INTO tickets (id, subject, state) SELECT id, subject, state FROM tickets_old;
DROP TABLE tickets_old;

-- migrate:down transaction:false
