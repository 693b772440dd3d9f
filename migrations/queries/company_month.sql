-- All worklogs of one company between two days: the dashboard's first page, which sums them up itself.
-- bootproof: index idx_worklogs_company_day
-- bootproof: budget 500 ms
-- bootproof: column id NOT NULL
SELECT id, issue_key, author_email, author_display_name, time_spent_seconds, started, jira_instance,
       epic_key, epic_name, parent_key, parent_name, parent_type
FROM worklogs
WHERE company_id = :company_id
  AND date(started) >= :from_day
  AND date(started) <= :to_day;

-- The five busiest companies in the month with the most worklogs. Small companies belong in the sample too: they are the
-- ones that suffer when SQLite reads everybody's month.
-- bootproof: sample from busiest_month
SELECT company_id
FROM worklogs
WHERE date(started) >= :from_day AND date(started) <= :to_day AND company_id IS NOT NULL
GROUP BY company_id
ORDER BY count(*) DESC, company_id
LIMIT 5;
