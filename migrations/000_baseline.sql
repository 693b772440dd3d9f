-- The production structure before phase 1: 32 tables and 42 named indexes.
--
-- Read from an existing installation of the dashboard, object by object. Column order is the production order: columns
-- from company_id on were added there with ALTER TABLE, so an old database stores other text for the same structure.
-- An existing database is adopted at this version, never rebuilt by it, and must be recognised by structure alone.

-- Companies and sign-in

CREATE TABLE companies (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    domain     TEXT,
    is_active  INTEGER DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE oauth_users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    company_id    INTEGER NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    google_id     TEXT NOT NULL UNIQUE,
    email         TEXT NOT NULL,
    first_name    TEXT,
    last_name     TEXT,
    picture_url   TEXT,
    role          TEXT NOT NULL DEFAULT 'USER',
    is_active     INTEGER DEFAULT 1,
    last_login_at TIMESTAMP,
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (company_id, email)
);

CREATE INDEX idx_oauth_users_company   ON oauth_users (company_id);
CREATE INDEX idx_oauth_users_google_id ON oauth_users (google_id);
CREATE INDEX idx_oauth_users_email     ON oauth_users (email);

CREATE TABLE auth_sessions (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id          INTEGER NOT NULL REFERENCES oauth_users(id) ON DELETE CASCADE,
    refresh_token    TEXT NOT NULL UNIQUE,
    access_token_jti TEXT,
    expires_at       TIMESTAMP NOT NULL,
    created_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_auth_sessions_user  ON auth_sessions (user_id);
CREATE INDEX idx_auth_sessions_token ON auth_sessions (refresh_token);

CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    company_id INTEGER NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    email      TEXT NOT NULL,
    role       TEXT NOT NULL DEFAULT 'USER',
    invited_by INTEGER REFERENCES oauth_users(id),
    token      TEXT NOT NULL UNIQUE,
    status     TEXT DEFAULT 'PENDING',
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_invitations_company ON invitations (company_id);
CREATE INDEX idx_invitations_token   ON invitations (token);
CREATE INDEX idx_invitations_email   ON invitations (email, status);

CREATE TABLE auth_audit_log (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    company_id    INTEGER REFERENCES companies(id),
    user_id       INTEGER REFERENCES oauth_users(id),
    event_type    TEXT NOT NULL,
    email         TEXT,
    ip_address    TEXT,
    metadata_json TEXT,
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_auth_audit_company ON auth_audit_log (company_id, created_at);

-- People

CREATE TABLE teams (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_teams_company ON teams (company_id);

CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    email      TEXT NOT NULL UNIQUE,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    team_id    INTEGER REFERENCES teams(id) ON DELETE SET NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_users_team    ON users (team_id);
CREATE INDEX idx_users_email   ON users (email);
CREATE INDEX idx_users_company ON users (company_id);

CREATE TABLE user_jira_accounts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id       INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    jira_instance TEXT NOT NULL,
    account_id    TEXT NOT NULL,
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (user_id, jira_instance)
);

CREATE INDEX idx_user_jira_accounts_user ON user_jira_accounts (user_id);

-- Worklogs

CREATE TABLE worklogs (
    id                  TEXT PRIMARY KEY,
    issue_key           TEXT NOT NULL,
    issue_summary       TEXT,
    author_email        TEXT NOT NULL,
    author_display_name TEXT,
    time_spent_seconds  INTEGER NOT NULL,
    started             TEXT NOT NULL,
    jira_instance       TEXT NOT NULL,
    epic_key            TEXT,
    epic_name           TEXT,
    data                TEXT NOT NULL,
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    parent_key          TEXT,
    parent_name         TEXT,
    parent_type         TEXT,
    company_id          INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_worklogs_started      ON worklogs (started);
CREATE INDEX idx_worklogs_author       ON worklogs (author_email);
CREATE INDEX idx_worklogs_instance     ON worklogs (jira_instance);
CREATE INDEX idx_worklogs_started_date ON worklogs (date(started));
CREATE INDEX idx_worklogs_company      ON worklogs (company_id, started);

CREATE TABLE epics (
    key           TEXT PRIMARY KEY,
    name          TEXT,
    summary       TEXT,
    jira_instance TEXT NOT NULL,
    data          TEXT NOT NULL,
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id    INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_epics_company ON epics (company_id);

CREATE TABLE sync_history (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    start_date       TEXT NOT NULL,
    end_date         TEXT NOT NULL,
    jira_instances   TEXT NOT NULL,
    worklogs_synced  INTEGER DEFAULT 0,
    worklogs_updated INTEGER DEFAULT 0,
    worklogs_deleted INTEGER DEFAULT 0,
    status           TEXT DEFAULT 'completed',
    error_message    TEXT,
    started_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    completed_at     TIMESTAMP,
    company_id       INTEGER
);

CREATE TABLE logs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp   TEXT NOT NULL,
    level       TEXT NOT NULL,
    logger_name TEXT,
    message     TEXT NOT NULL,
    request_id  TEXT,
    endpoint    TEXT,
    method      TEXT,
    status_code INTEGER,
    duration_ms REAL,
    extra_data  TEXT,
    created_at  TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id  INTEGER REFERENCES companies(id)
);

CREATE INDEX idx_logs_timestamp  ON logs (timestamp);
CREATE INDEX idx_logs_level      ON logs (level);
CREATE INDEX idx_logs_endpoint   ON logs (endpoint);
CREATE INDEX idx_logs_request_id ON logs (request_id);

-- Jira instances and what is created in them.
-- jira_instances and billing_clients refer to each other: one of the two has to come before its parent.

CREATE TABLE jira_instances (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL UNIQUE,
    url                 TEXT NOT NULL,
    email               TEXT NOT NULL,
    api_token           TEXT NOT NULL,
    tempo_api_token     TEXT,
    billing_client_id   INTEGER REFERENCES billing_clients(id) ON DELETE SET NULL,
    is_active           INTEGER DEFAULT 1,
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    default_project_key TEXT,
    company_id          INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_jira_instances_name    ON jira_instances (name);
CREATE INDEX idx_jira_instances_company ON jira_instances (company_id);

CREATE TABLE complementary_groups (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL UNIQUE,
    primary_instance_id INTEGER REFERENCES jira_instances(id) ON DELETE SET NULL,
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id          INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_complementary_groups_company ON complementary_groups (company_id);

CREATE TABLE complementary_group_members (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id    INTEGER NOT NULL REFERENCES complementary_groups(id) ON DELETE CASCADE,
    instance_id INTEGER NOT NULL REFERENCES jira_instances(id) ON DELETE CASCADE,
    created_at  TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (group_id, instance_id)
);

CREATE TABLE package_templates (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL UNIQUE,
    description         TEXT,
    default_project_key TEXT,
    parent_issue_type   TEXT DEFAULT 'Task',
    child_issue_type    TEXT DEFAULT 'Sub-task',
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id          INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_package_templates_company ON package_templates (company_id);

CREATE TABLE package_template_elements (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    template_id INTEGER NOT NULL REFERENCES package_templates(id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    sort_order  INTEGER DEFAULT 0,
    created_at  TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (template_id, name)
);

CREATE TABLE jira_instance_issue_types (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id INTEGER NOT NULL REFERENCES jira_instances(id) ON DELETE CASCADE,
    type_id     TEXT NOT NULL,
    name        TEXT NOT NULL,
    subtask     INTEGER DEFAULT 0,
    UNIQUE (instance_id, type_id)
);

CREATE TABLE package_template_instances (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    template_id INTEGER NOT NULL REFERENCES package_templates(id) ON DELETE CASCADE,
    instance_id INTEGER NOT NULL REFERENCES jira_instances(id) ON DELETE CASCADE,
    UNIQUE (template_id, instance_id)
);

CREATE TABLE linked_issues (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    link_group_id TEXT NOT NULL,
    issue_key     TEXT NOT NULL,
    jira_instance TEXT NOT NULL,
    element_name  TEXT,
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (issue_key, jira_instance)
);

CREATE INDEX idx_linked_issues_group ON linked_issues (link_group_id);

CREATE TABLE holidays (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL,
    holiday_date TEXT NOT NULL,
    holiday_type TEXT NOT NULL,
    month        INTEGER,
    day          INTEGER,
    country      TEXT DEFAULT 'IT',
    is_active    INTEGER DEFAULT 1,
    created_at   TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at   TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id   INTEGER REFERENCES companies(id) ON DELETE CASCADE,
    UNIQUE (holiday_date, country)
);

CREATE INDEX idx_holidays_date    ON holidays (holiday_date);
CREATE INDEX idx_holidays_company ON holidays (company_id);

-- Billing

CREATE TABLE billing_clients (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL UNIQUE,
    billing_currency    TEXT NOT NULL DEFAULT 'EUR',
    default_hourly_rate REAL,
    jira_instance_id    INTEGER REFERENCES jira_instances(id) ON DELETE SET NULL,
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id          INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_billing_clients_company ON billing_clients (company_id);

CREATE TABLE billing_projects (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id           INTEGER NOT NULL REFERENCES billing_clients(id) ON DELETE CASCADE,
    name                TEXT NOT NULL,
    default_hourly_rate REAL,
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id          INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_billing_projects_company ON billing_projects (company_id);

CREATE TABLE billing_project_mappings (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    billing_project_id INTEGER NOT NULL REFERENCES billing_projects(id) ON DELETE CASCADE,
    jira_instance      TEXT NOT NULL,
    jira_project_key   TEXT NOT NULL,
    created_at         TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (billing_project_id, jira_instance, jira_project_key)
);

CREATE INDEX idx_billing_project_mappings ON billing_project_mappings (billing_project_id, jira_project_key);

CREATE TABLE billing_rates (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    billing_project_id INTEGER NOT NULL REFERENCES billing_projects(id) ON DELETE CASCADE,
    user_email         TEXT,
    issue_type         TEXT,
    hourly_rate        REAL NOT NULL,
    valid_from         TEXT,
    valid_to           TEXT,
    created_at         TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- worklog_id names a worklog, but production declares no foreign key for it.
CREATE TABLE billing_worklog_classifications (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    worklog_id           TEXT NOT NULL UNIQUE,
    is_billable          INTEGER NOT NULL DEFAULT 1,
    override_hourly_rate REAL,
    note                 TEXT,
    classified_by        TEXT,
    classified_at        TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_billing_classifications_worklog ON billing_worklog_classifications (worklog_id);

CREATE TABLE invoices (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id          INTEGER NOT NULL REFERENCES billing_clients(id),
    billing_project_id INTEGER REFERENCES billing_projects(id),
    period_start       TEXT NOT NULL,
    period_end         TEXT NOT NULL,
    status             TEXT NOT NULL DEFAULT 'DRAFT',
    currency           TEXT NOT NULL DEFAULT 'EUR',
    subtotal_amount    REAL NOT NULL DEFAULT 0,
    taxes_amount       REAL NOT NULL DEFAULT 0,
    total_amount       REAL NOT NULL DEFAULT 0,
    group_by           TEXT NOT NULL DEFAULT 'project',
    notes              TEXT,
    created_by         TEXT,
    created_at         TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    issued_at          TIMESTAMP,
    company_id         INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_invoices_client  ON invoices (client_id, status);
CREATE INDEX idx_invoices_company ON invoices (company_id);

CREATE TABLE invoice_line_items (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    invoice_id     INTEGER NOT NULL REFERENCES invoices(id) ON DELETE CASCADE,
    line_type      TEXT NOT NULL DEFAULT 'work',
    description    TEXT NOT NULL,
    quantity_hours REAL NOT NULL DEFAULT 0,
    hourly_rate    REAL NOT NULL DEFAULT 0,
    amount         REAL NOT NULL DEFAULT 0,
    metadata_json  TEXT,
    sort_order     INTEGER DEFAULT 0
);

CREATE INDEX idx_invoice_lines ON invoice_line_items (invoice_id);

-- Leaves, synchronised from Factorial

CREATE TABLE factorial_config (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    api_key    TEXT NOT NULL,
    is_active  INTEGER DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id INTEGER REFERENCES companies(id) ON DELETE CASCADE
);

CREATE INDEX idx_factorial_config_company ON factorial_config (company_id);

CREATE TABLE user_factorial_accounts (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id               INTEGER NOT NULL UNIQUE REFERENCES users(id) ON DELETE CASCADE,
    factorial_employee_id INTEGER NOT NULL UNIQUE,
    factorial_email       TEXT,
    created_at            TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at            TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE factorial_leaves (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    factorial_leave_id    INTEGER NOT NULL UNIQUE,
    user_id               INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    factorial_employee_id INTEGER NOT NULL,
    leave_type_id         INTEGER,
    leave_type_name       TEXT NOT NULL,
    start_date            TEXT NOT NULL,
    finish_date           TEXT NOT NULL,
    half_day              TEXT DEFAULT 'no',
    status                TEXT NOT NULL,
    description           TEXT,
    data                  TEXT NOT NULL,
    created_at            TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at            TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_factorial_leaves_user   ON factorial_leaves (user_id);
CREATE INDEX idx_factorial_leaves_dates  ON factorial_leaves (start_date, finish_date);
CREATE INDEX idx_factorial_leaves_status ON factorial_leaves (status);

CREATE TABLE factorial_sync_history (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    start_date     TEXT NOT NULL,
    end_date       TEXT NOT NULL,
    leaves_synced  INTEGER DEFAULT 0,
    leaves_updated INTEGER DEFAULT 0,
    status         TEXT DEFAULT 'completed',
    error_message  TEXT,
    started_at     TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    completed_at   TIMESTAMP
);
