-- The dashboard's main pages: one company between two days, all of it, one person or a team.
--
-- They compare LOWER(author_email), or no author at all, so no index of 001 serves them, and once there are statistics
-- SQLite reads a small company's month through idx_worklogs_started_date: every company's rows of those days.

-- jira_instance and author_email follow the day so that a page for a team or a person discards the other rows while it
-- is still in the index, and only reads from the table what it shows.
DROP INDEX IF EXISTS idx_worklogs_company_day;
CREATE INDEX idx_worklogs_company_day ON worklogs (company_id, date(started), jira_instance, author_email);
