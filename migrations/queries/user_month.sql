-- One person's worklogs of a company between two days, however the address is capitalised.
-- bootproof: index idx_worklogs_company_day
-- bootproof: budget 200 ms
-- bootproof: column id NOT NULL
SELECT id, issue_key, issue_summary, time_spent_seconds, started, jira_instance, epic_key, epic_name
FROM worklogs
WHERE company_id = :company_id
  AND LOWER(author_email) = :email
  AND date(started) >= :from_day
  AND date(started) <= :to_day;

-- The five busiest people in the month with the most worklogs.
-- bootproof: sample from busiest_month
SELECT company_id, lower(author_email) AS email
FROM worklogs
WHERE date(started) >= :from_day AND date(started) <= :to_day AND company_id IS NOT NULL
GROUP BY company_id, email
ORDER BY count(*) DESC, company_id, email
LIMIT 5;
