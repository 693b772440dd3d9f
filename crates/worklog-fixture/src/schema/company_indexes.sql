-- The indexes of the release that brought companies.

create index if not exists idx_oauth_users_company on oauth_users(company_id);
create index if not exists idx_oauth_users_google_id on oauth_users(google_id);
create index if not exists idx_oauth_users_email on oauth_users(email);
create index if not exists idx_auth_sessions_user on auth_sessions(user_id);
create index if not exists idx_auth_sessions_token on auth_sessions(refresh_token);
create index if not exists idx_invitations_company on invitations(company_id);
create index if not exists idx_invitations_token on invitations(token);
create index if not exists idx_invitations_email on invitations(email, status);
create index if not exists idx_auth_audit_company on auth_audit_log(company_id, created_at);
create index if not exists idx_teams_company on teams(company_id);
create index if not exists idx_users_company on users(company_id);
create index if not exists idx_worklogs_company on worklogs(company_id, started);
create index if not exists idx_epics_company on epics(company_id);
create index if not exists idx_jira_instances_company on jira_instances(company_id);
create index if not exists idx_complementary_groups_company on complementary_groups(company_id);
create index if not exists idx_package_templates_company on package_templates(company_id);
create index if not exists idx_holidays_company on holidays(company_id);
create index if not exists idx_billing_clients_company on billing_clients(company_id);
create index if not exists idx_billing_projects_company on billing_projects(company_id);
create index if not exists idx_invoices_company on invoices(company_id);
create index if not exists idx_factorial_config_company on factorial_config(company_id);
