-- What `notes list --tag` shows: every note with a tag, the newest first.
-- bootproof: index idx_note_tag_tag
-- bootproof: budget 20 ms
-- bootproof: allow contract-sorts "the notes of one tag fit on a screen or two"
SELECT note.id, note.title, note.created_at
FROM tag
JOIN note_tag ON note_tag.tag_id = tag.id
JOIN note ON note.id = note_tag.note_id
WHERE tag.name = :tag
ORDER BY note.id DESC;

-- The tags that most notes have.
-- bootproof: sample
SELECT tag.name AS tag
FROM note_tag JOIN tag ON tag.id = note_tag.tag_id
GROUP BY tag.id ORDER BY count(*) DESC LIMIT 3;
