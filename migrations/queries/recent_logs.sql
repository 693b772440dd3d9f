-- The latest log entries since a moment. Phase 1 does not touch this table: the contract shows that it slows nothing else.
-- bootproof: index idx_logs_timestamp
-- bootproof: budget 50 ms
SELECT id, timestamp, level, logger_name, message, request_id, endpoint, method, status_code, duration_ms
FROM logs
WHERE timestamp > :since
ORDER BY timestamp DESC
LIMIT 10;

-- A moment shortly before the newest entry, taken from an entry: timestamps are compared as text, and the text of another
-- format (a space instead of the T) would sort elsewhere.
-- bootproof: sample
SELECT since
FROM (SELECT min(timestamp) AS since FROM (SELECT timestamp FROM logs ORDER BY timestamp DESC LIMIT 100))
WHERE since IS NOT NULL;
