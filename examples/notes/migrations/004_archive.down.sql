DROP VIEW tag_count;

CREATE TABLE new_note(
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  body TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  archived INTEGER
);
INSERT INTO new_note(id, title, body, created_at, archived)
SELECT id, title, body, created_at, archived FROM note;
DROP TABLE note;
ALTER TABLE new_note RENAME TO note;

CREATE TRIGGER note_inserted AFTER INSERT ON note BEGIN
  INSERT INTO note_text(rowid, title, body) VALUES (new.id, new.title, new.body);
END;

CREATE TRIGGER note_deleted AFTER DELETE ON note BEGIN
  INSERT INTO note_text(note_text, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
END;

CREATE TRIGGER note_changed AFTER UPDATE OF title, body ON note BEGIN
  INSERT INTO note_text(note_text, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
  INSERT INTO note_text(rowid, title, body) VALUES (new.id, new.title, new.body);
END;

CREATE VIEW tag_count AS
SELECT tag.name, count(note.id) AS notes
FROM tag
JOIN note_tag ON note_tag.tag_id = tag.id
JOIN note ON note.id = note_tag.note_id AND note.archived IS NOT 1
GROUP BY tag.id;
