-- A team's worklogs in one Jira instance between two days; :emails is a JSON array of lower-case addresses.
-- bootproof: index idx_worklogs_instance_range
-- bootproof: budget 200 ms
-- bootproof: column id NOT NULL
SELECT id, issue_key, author_email, time_spent_seconds, started, epic_key, epic_name
FROM worklogs
WHERE company_id = :company_id
  AND jira_instance = :jira_instance
  AND LOWER(author_email) IN (SELECT value FROM json_each(:emails))
  AND date(started) >= :from_day
  AND date(started) <= :to_day;

-- The ten busiest people of each of the five busiest instances, in the month with the most worklogs.
-- bootproof: sample from busiest_month
WITH person AS (
    SELECT company_id, jira_instance, lower(author_email) AS email, count(*) AS worklogs
    FROM worklogs
    WHERE date(started) >= :from_day AND date(started) <= :to_day AND company_id IS NOT NULL
    GROUP BY company_id, jira_instance, email
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY company_id, jira_instance ORDER BY worklogs DESC, email) AS place
    FROM person
)
SELECT company_id, jira_instance, json_group_array(email) AS emails
FROM ranked
WHERE place <= 10
GROUP BY company_id, jira_instance
ORDER BY sum(worklogs) DESC, company_id, jira_instance
LIMIT 5;
