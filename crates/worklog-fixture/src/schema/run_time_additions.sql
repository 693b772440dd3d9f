-- What the application adds by itself when it starts, on every generation.

alter table worklogs add column issue_type TEXT;
alter table teams add column owner_id INTEGER references users(id) on delete set null;
alter table users add column role TEXT default 'USER';
alter table users add column role_level INTEGER default 4;

create table if not exists generic_issues (
  id INTEGER primary key autoincrement,
  issue_code TEXT not null,
  issue_type TEXT not null,
  team_id INTEGER references teams(id) on delete cascade,
  description TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP,
  unique(issue_type, team_id)
);

create table if not exists jira_issue_types (
  id INTEGER primary key autoincrement,
  name TEXT not null unique,
  icon_url TEXT,
  created_at TIMESTAMP default CURRENT_TIMESTAMP
);

create index if not exists idx_generic_issues_team on generic_issues(team_id);

-- An operator's own, made while looking into a slow page.
CREATE INDEX ops_worklogs_issue ON worklogs (issue_key);
