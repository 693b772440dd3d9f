-- One person's leaves of one status, newest first.
-- bootproof: index idx_factorial_leaves_company_status
-- bootproof: budget 50 ms
SELECT id, leave_type_name, start_date, finish_date, half_day, description
FROM factorial_leaves
WHERE user_id = :user_id
  AND status = :status
ORDER BY start_date DESC;

-- The five people with the most leaves of one status.
-- bootproof: sample
SELECT user_id, status
FROM factorial_leaves
GROUP BY user_id, status
ORDER BY count(*) DESC, user_id, status
LIMIT 5;
