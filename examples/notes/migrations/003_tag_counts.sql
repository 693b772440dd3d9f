CREATE VIEW tag_count AS
SELECT tag.name, count(note.id) AS notes
FROM tag
JOIN note_tag ON note_tag.tag_id = tag.id
JOIN note ON note.id = note_tag.note_id AND note.archived IS NOT 1
GROUP BY tag.id;
