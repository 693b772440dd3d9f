DROP INDEX dropped_again;
-- bootproof: allow redundant-index "it is half as large"
CREATE INDEX by_note_and_customer ON orders(note COLLATE NOCASE, customer);
