-- What `notes list` shows: the newest notes that are not archived.
-- bootproof: index idx_note_recent
-- bootproof: budget 20 ms
SELECT id, title, created_at
FROM note
WHERE archived = 0 AND created_at >= :since
ORDER BY created_at DESC, id DESC
LIMIT 20;

-- bootproof: sample
SELECT coalesce(max(created_at), '') AS since FROM (SELECT created_at FROM note WHERE archived = 0 ORDER BY created_at LIMIT 1);
