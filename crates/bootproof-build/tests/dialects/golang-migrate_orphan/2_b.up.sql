INSERT INTO b(a_id) VALUES (7);
PRAGMA foreign_key_check;
