-- migrate:up
CREATE TABLE watchers (ticket_id INTEGER REFERENCES tickets (id), email TEXT, UNIQUE (ticket_id, email));
CREATE TABLE temporary (x);
DROP TABLE temporary;
-- migrate:down
DROP TABLE watchers;
