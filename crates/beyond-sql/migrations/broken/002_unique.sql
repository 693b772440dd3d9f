-- bootproof: no-transaction "for the space of what is deleted"
DELETE FROM entries WHERE id = 1;
VACUUM;
CREATE UNIQUE INDEX idx_entries_unique ON entries(body);
