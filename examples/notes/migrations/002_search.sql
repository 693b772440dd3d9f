-- The words of every note. The text itself stays in `note`; the triggers tell the index what becomes of it.
CREATE VIRTUAL TABLE note_text USING fts5(title, body, content = 'note', content_rowid = 'id');
INSERT INTO note_text(note_text) VALUES ('rebuild');

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
