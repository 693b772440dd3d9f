-- Phase 1 as some installations did it by hand: the names of the guide, with the columns its text suggests.

CREATE INDEX IF NOT EXISTS idx_billing_rates_lookup ON billing_rates(billing_project_id, user_email);
CREATE INDEX IF NOT EXISTS idx_factorial_leaves_company_status ON factorial_leaves(user_id, status);
