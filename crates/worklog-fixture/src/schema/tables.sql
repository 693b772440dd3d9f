-- The first generation of the application: 27 tables, one customer. Written as the application wrote it, which is not how
-- the baseline migration is laid out: two texts of one structure are the point of this file.

create table if not exists teams (
  id INTEGER primary key autoincrement,
  name TEXT not null unique,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists users (
  id INTEGER primary key autoincrement,
  email TEXT not null unique,
  first_name TEXT not null,
  last_name TEXT not null,
  team_id INTEGER,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (team_id) references teams (id) on delete set null
);

create table if not exists user_jira_accounts (
  id INTEGER primary key autoincrement,
  user_id INTEGER not null,
  jira_instance TEXT not null,
  account_id TEXT not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (user_id) references users (id) on delete cascade,
  unique(user_id, jira_instance)
);

create table if not exists worklogs (
  id TEXT primary key,
  issue_key TEXT not null,
  issue_summary TEXT,
  author_email TEXT not null,
  author_display_name TEXT,
  time_spent_seconds INTEGER not null,
  started TEXT not null,
  jira_instance TEXT not null,
  epic_key TEXT,
  epic_name TEXT,
  data TEXT not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists epics (
  key TEXT primary key,
  name TEXT,
  summary TEXT,
  jira_instance TEXT not null,
  data TEXT not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists sync_history (
  id INTEGER primary key autoincrement,
  start_date TEXT not null,
  end_date TEXT not null,
  jira_instances TEXT not null,
  worklogs_synced INTEGER default 0,
  worklogs_updated INTEGER default 0,
  worklogs_deleted INTEGER default 0,
  status TEXT default 'completed',
  error_message TEXT,
  started_at TIMESTAMP default CURRENT_TIMESTAMP,
  completed_at TIMESTAMP
);

create table if not exists logs (
  id INTEGER primary key autoincrement,
  timestamp TEXT not null,
  level TEXT not null,
  logger_name TEXT,
  message TEXT not null,
  request_id TEXT,
  endpoint TEXT,
  method TEXT,
  status_code INTEGER,
  duration_ms REAL,
  extra_data TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists jira_instances (
  id INTEGER primary key autoincrement,
  name TEXT not null unique,
  url TEXT not null,
  email TEXT not null,
  api_token TEXT not null,
  tempo_api_token TEXT,
  billing_client_id INTEGER,
  is_active INTEGER default 1,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (billing_client_id) references billing_clients (id) on delete set null
);

create table if not exists complementary_groups (
  id INTEGER primary key autoincrement,
  name TEXT not null unique,
  primary_instance_id INTEGER,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (primary_instance_id) references jira_instances (id) on delete set null
);

create table if not exists complementary_group_members (
  id INTEGER primary key autoincrement,
  group_id INTEGER not null,
  instance_id INTEGER not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (group_id) references complementary_groups (id) on delete cascade,
  foreign key (instance_id) references jira_instances (id) on delete cascade,
  unique(group_id, instance_id)
);

create table if not exists package_templates (
  id INTEGER primary key autoincrement,
  name TEXT not null unique,
  description TEXT,
  default_project_key TEXT,
  parent_issue_type TEXT default 'Task',
  child_issue_type TEXT default 'Sub-task',
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists package_template_elements (
  id INTEGER primary key autoincrement,
  template_id INTEGER not null,
  name TEXT not null,
  sort_order INTEGER default 0,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (template_id) references package_templates (id) on delete cascade,
  unique(template_id, name)
);

create table if not exists jira_instance_issue_types (
  id INTEGER primary key autoincrement,
  instance_id INTEGER not null,
  type_id TEXT not null,
  name TEXT not null,
  subtask INTEGER default 0,
  foreign key (instance_id) references jira_instances (id) on delete cascade,
  unique(instance_id, type_id)
);

create table if not exists package_template_instances (
  id INTEGER primary key autoincrement,
  template_id INTEGER not null,
  instance_id INTEGER not null,
  foreign key (template_id) references package_templates (id) on delete cascade,
  foreign key (instance_id) references jira_instances (id) on delete cascade,
  unique(template_id, instance_id)
);

create table if not exists linked_issues (
  id INTEGER primary key autoincrement,
  link_group_id TEXT not null,
  issue_key TEXT not null,
  jira_instance TEXT not null,
  element_name TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  unique(issue_key, jira_instance)
);

create table if not exists holidays (
  id INTEGER primary key autoincrement,
  name TEXT not null,
  holiday_date TEXT not null,
  holiday_type TEXT not null,
  month INTEGER,
  day INTEGER,
  country TEXT default 'IT',
  is_active INTEGER default 1,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  unique(holiday_date, country)
);

create table if not exists billing_clients (
  id INTEGER primary key autoincrement,
  name TEXT not null unique,
  billing_currency TEXT not null default 'EUR',
  default_hourly_rate REAL,
  jira_instance_id INTEGER,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (jira_instance_id) references jira_instances (id) on delete set null
);

create table if not exists billing_projects (
  id INTEGER primary key autoincrement,
  client_id INTEGER not null,
  name TEXT not null,
  default_hourly_rate REAL,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (client_id) references billing_clients (id) on delete cascade
);

create table if not exists billing_project_mappings (
  id INTEGER primary key autoincrement,
  billing_project_id INTEGER not null,
  jira_instance TEXT not null,
  jira_project_key TEXT not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (billing_project_id) references billing_projects (id) on delete cascade,
  unique(billing_project_id, jira_instance, jira_project_key)
);

create table if not exists billing_rates (
  id INTEGER primary key autoincrement,
  billing_project_id INTEGER not null,
  user_email TEXT,
  issue_type TEXT,
  hourly_rate REAL not null,
  valid_from TEXT,
  valid_to TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (billing_project_id) references billing_projects (id) on delete cascade
);

create table if not exists billing_worklog_classifications (
  id INTEGER primary key autoincrement,
  worklog_id TEXT not null unique,
  is_billable INTEGER not null default 1,
  override_hourly_rate REAL,
  note TEXT,
  classified_by TEXT,
  classified_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists invoices (
  id INTEGER primary key autoincrement,
  client_id INTEGER not null,
  billing_project_id INTEGER,
  period_start TEXT not null,
  period_end TEXT not null,
  status TEXT not null default 'DRAFT',
  currency TEXT not null default 'EUR',
  subtotal_amount REAL not null default 0,
  taxes_amount REAL not null default 0,
  total_amount REAL not null default 0,
  group_by TEXT not null default 'project',
  notes TEXT,
  created_by TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  issued_at TIMESTAMP,
  foreign key (client_id) references billing_clients (id),
  foreign key (billing_project_id) references billing_projects (id)
);

create table if not exists invoice_line_items (
  id INTEGER primary key autoincrement,
  invoice_id INTEGER not null,
  line_type TEXT not null default 'work',
  description TEXT not null,
  quantity_hours REAL not null default 0,
  hourly_rate REAL not null default 0,
  amount REAL not null default 0,
  metadata_json TEXT,
  sort_order INTEGER default 0,
  foreign key (invoice_id) references invoices (id) on delete cascade
);

create table if not exists factorial_config (
  id INTEGER primary key autoincrement,
  api_key TEXT not null,
  is_active INTEGER default 1,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists user_factorial_accounts (
  id INTEGER primary key autoincrement,
  user_id INTEGER not null unique,
  factorial_employee_id INTEGER not null unique,
  factorial_email TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (user_id) references users (id) on delete cascade
);

create table if not exists factorial_leaves (
  id INTEGER primary key autoincrement,
  factorial_leave_id INTEGER not null unique,
  user_id INTEGER not null,
  factorial_employee_id INTEGER not null,
  leave_type_id INTEGER,
  leave_type_name TEXT not null,
  start_date TEXT not null,
  finish_date TEXT not null,
  half_day TEXT default 'no',
  status TEXT not null,
  description TEXT,
  data TEXT not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (user_id) references users (id) on delete cascade
);

create table if not exists factorial_sync_history (
  id INTEGER primary key autoincrement,
  start_date TEXT not null,
  end_date TEXT not null,
  leaves_synced INTEGER default 0,
  leaves_updated INTEGER default 0,
  status TEXT default 'completed',
  error_message TEXT,
  started_at TIMESTAMP default CURRENT_TIMESTAMP,
  completed_at TIMESTAMP
);

-- Columns that later releases added at start-up.
alter table worklogs add column parent_key TEXT;
alter table worklogs add column parent_name TEXT;
alter table worklogs add column parent_type TEXT;
alter table jira_instances add column default_project_key TEXT;
