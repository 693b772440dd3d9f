-- The release that brought companies: five tables, and a company_id at the end of every table that belongs to one.

create table if not exists companies (
  id INTEGER primary key autoincrement,
  name TEXT not null unique,
  domain TEXT,
  is_active INTEGER default 1,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  updated_at TIMESTAMP default CURRENT_TIMESTAMP
);

create table if not exists oauth_users (
  id INTEGER primary key autoincrement,
  company_id INTEGER not null,
  google_id TEXT not null unique,
  email TEXT not null,
  first_name TEXT,
  last_name TEXT,
  picture_url TEXT,
  role TEXT not null default 'USER',
  is_active INTEGER default 1,
  last_login_at TIMESTAMP,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (company_id) references companies (id) on delete cascade,
  unique(company_id, email)
);

create table if not exists auth_sessions (
  id INTEGER primary key autoincrement,
  user_id INTEGER not null,
  refresh_token TEXT not null unique,
  access_token_jti TEXT,
  expires_at TIMESTAMP not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (user_id) references oauth_users (id) on delete cascade
);

create table if not exists invitations (
  id INTEGER primary key autoincrement,
  company_id INTEGER not null,
  email TEXT not null,
  role TEXT not null default 'USER',
  invited_by INTEGER,
  token TEXT not null unique,
  status TEXT default 'PENDING',
  expires_at TIMESTAMP not null,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (company_id) references companies (id) on delete cascade,
  foreign key (invited_by) references oauth_users (id)
);

create table if not exists auth_audit_log (
  id INTEGER primary key autoincrement,
  company_id INTEGER,
  user_id INTEGER,
  event_type TEXT not null,
  email TEXT,
  ip_address TEXT,
  metadata_json TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  foreign key (company_id) references companies (id),
  foreign key (user_id) references oauth_users (id)
);

alter table teams add column company_id INTEGER references companies(id) on delete cascade;
alter table users add column company_id INTEGER references companies(id) on delete cascade;
alter table worklogs add column company_id INTEGER references companies(id) on delete cascade;
alter table epics add column company_id INTEGER references companies(id) on delete cascade;
alter table sync_history add column company_id INTEGER;
alter table logs add column company_id INTEGER references companies(id);
alter table jira_instances add column company_id INTEGER references companies(id) on delete cascade;
alter table complementary_groups add column company_id INTEGER references companies(id) on delete cascade;
alter table package_templates add column company_id INTEGER references companies(id) on delete cascade;
alter table holidays add column company_id INTEGER references companies(id) on delete cascade;
alter table billing_clients add column company_id INTEGER references companies(id) on delete cascade;
alter table billing_projects add column company_id INTEGER references companies(id) on delete cascade;
alter table invoices add column company_id INTEGER references companies(id) on delete cascade;
alter table factorial_config add column company_id INTEGER references companies(id) on delete cascade;
