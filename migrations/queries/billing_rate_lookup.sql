-- The rates of one person for one type of issue in a billing project; which of them is valid on a day is the caller's.
-- bootproof: index idx_billing_rates_lookup
-- bootproof: budget 50 ms
SELECT hourly_rate, valid_from, valid_to
FROM billing_rates
WHERE billing_project_id = :billing_project_id
  AND user_email = :user_email
  AND issue_type = :issue_type;

-- The combinations with the most rates. A rate for everybody, or for every type, has NULL there, which no lookup equals:
-- the empty string stands for a lookup that finds nothing, and sorts last.
-- bootproof: sample
SELECT billing_project_id, coalesce(user_email, '') AS user_email, coalesce(issue_type, '') AS issue_type
FROM billing_rates
GROUP BY 1, 2, 3
ORDER BY 2 = '' OR 3 = '', count(*) DESC, 1, 2, 3
LIMIT 5;
