-- One Jira instance's worklogs between two days: what a sync compares with what Jira reports.
-- bootproof: index idx_worklogs_instance_range
-- bootproof: budget 400 ms
-- bootproof: column id NOT NULL
SELECT id, issue_key, author_email, time_spent_seconds, started, epic_key, parent_key, updated_at
FROM worklogs
WHERE company_id = :company_id
  AND jira_instance = :jira_instance
  AND date(started) >= :from_day
  AND date(started) <= :to_day;

-- The five busiest instances in the month with the most worklogs.
-- bootproof: sample from busiest_month
SELECT company_id, jira_instance
FROM worklogs
WHERE date(started) >= :from_day AND date(started) <= :to_day AND company_id IS NOT NULL
GROUP BY company_id, jira_instance
ORDER BY count(*) DESC, company_id, jira_instance
LIMIT 5;
