-- A team's worklogs of a company between two days; :emails is a JSON array of lower-case addresses.
-- bootproof: index idx_worklogs_company_day
-- bootproof: budget 300 ms
-- bootproof: column id NOT NULL
SELECT id, issue_key, author_email, time_spent_seconds, started, jira_instance, epic_key, epic_name
FROM worklogs
WHERE company_id = :company_id
  AND LOWER(author_email) IN (SELECT value FROM json_each(:emails))
  AND date(started) >= :from_day
  AND date(started) <= :to_day;

-- The ten busiest people of each of the five busiest companies, in the month with the most worklogs.
-- bootproof: sample from busiest_month
WITH person AS (
    SELECT company_id, lower(author_email) AS email, count(*) AS worklogs
    FROM worklogs
    WHERE date(started) >= :from_day AND date(started) <= :to_day AND company_id IS NOT NULL
    GROUP BY company_id, email
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY company_id ORDER BY worklogs DESC, email) AS place FROM person
)
SELECT company_id, json_group_array(email) AS emails
FROM ranked
WHERE place <= 10
GROUP BY company_id
ORDER BY sum(worklogs) DESC, company_id
LIMIT 5;
