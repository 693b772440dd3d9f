-- Phase 1: four composite indexes for the queries that people wait for.
--
-- Every index is dropped first. Some installations made these names by hand with other columns; CREATE INDEX IF NOT
-- EXISTS would keep those without a word, and the queries would stay slow.

-- One person's worklogs between two days. The queries compare date(started), so the day is in the index as that
-- expression, letter for letter: SQLite matches an indexed expression by its text (https://sqlite.org/expridx.html), and
-- with the bare column it could only filter the person's whole history row by row.
DROP INDEX IF EXISTS idx_worklogs_user_range;
CREATE INDEX idx_worklogs_user_range ON worklogs (company_id, author_email, date(started));

-- One Jira instance's worklogs between two days. With started in place of date(started), SQLite prefers
-- idx_worklogs_started_date as soon as it has statistics, and reads every instance's days. author_email comes last so
-- that a team's rows are picked out of the index before the table is read.
DROP INDEX IF EXISTS idx_worklogs_instance_range;
CREATE INDEX idx_worklogs_instance_range ON worklogs (company_id, jira_instance, date(started), author_email);

-- The rate of one person for one type of issue in a project. With issue_type in the index the lookup reads the matching
-- rates only.
DROP INDEX IF EXISTS idx_billing_rates_lookup;
CREATE INDEX idx_billing_rates_lookup ON billing_rates (billing_project_id, user_email, issue_type);

-- One person's leaves of one status, newest first: in the order of the page, so that nothing is sorted.
DROP INDEX IF EXISTS idx_factorial_leaves_company_status;
CREATE INDEX idx_factorial_leaves_company_status ON factorial_leaves (user_id, status, start_date DESC);
