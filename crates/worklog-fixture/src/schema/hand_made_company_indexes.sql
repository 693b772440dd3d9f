-- Phase 1 by hand, the part that needs a company_id.

CREATE INDEX IF NOT EXISTS idx_worklogs_user_range ON worklogs(company_id, author_email, started DESC);
CREATE INDEX IF NOT EXISTS idx_worklogs_instance_range ON worklogs(company_id, jira_instance, started DESC);
