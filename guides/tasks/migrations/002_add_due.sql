-- A task without a date is due last.
ALTER TABLE task ADD COLUMN due TEXT NOT NULL DEFAULT '9999-12-31';
CREATE INDEX idx_task_open ON task(due, id) WHERE NOT done;
