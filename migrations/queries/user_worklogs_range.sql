-- One person's worklogs between two days, newest first: the user view of the dashboard.
-- bootproof: index idx_worklogs_user_range
-- bootproof: budget 200 ms
-- bootproof: column id NOT NULL
-- bootproof: allow contract-sorts "the index orders by day, and the rows of one person between two days are few"
SELECT id, issue_key, issue_summary, author_email, author_display_name, time_spent_seconds, started, jira_instance,
       epic_key, epic_name, parent_key, parent_name, parent_type
FROM worklogs
WHERE company_id = :company_id
  AND author_email = :author_email
  AND date(started) >= :from_day
  AND date(started) <= :to_day
-- The plus sign keeps idx_worklogs_company out (https://sqlite.org/optoverview.html). That index delivers
-- this order, and for a busy person of a small company SQLite would, once it has statistics, read the company's whole
-- history to avoid sorting one person's month: thirty times the steps at a million worklogs.
ORDER BY +started DESC;

-- The five busiest people in the month with the most worklogs.
-- bootproof: sample from busiest_month
SELECT company_id, author_email
FROM worklogs
WHERE date(started) >= :from_day AND date(started) <= :to_day AND company_id IS NOT NULL
GROUP BY company_id, author_email
ORDER BY count(*) DESC, company_id, author_email
LIMIT 5;
