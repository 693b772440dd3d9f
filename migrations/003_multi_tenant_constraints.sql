-- Phase 2: what belongs to a company is unique within its company.
--
-- Until now a team, a Jira instance or a person's address existed once in the whole installation: the second company with a
-- team "Backend" was refused. The UNIQUE of a column cannot be dropped, so the tables are made anew
-- (https://sqlite.org/lang_altertable.html#otheralter).
--
-- bootproof: maintenance "names and addresses become unique per company, see docs/runbook.md"
-- bootproof: allow values-nulled "boots alone run this file, with foreign keys off, and check every key before they commit"
-- bootproof: allow cascade-deletes "boots alone run this file, with foreign keys off, and check every key before they commit"
-- bootproof: allow pragma "some installations have views of their own, which a renaming would stumble over; it is off again below"

-- A member belongs to the company of its group. Where that has none, only the operator can know which is right, and a join would
-- lose the row without a word: so this refuses, and names the rows.
CREATE TABLE members_without_company (sentence TEXT);
CREATE TRIGGER refuse_members_without_company BEFORE INSERT ON members_without_company
BEGIN
    SELECT RAISE(ABORT, NEW.sentence);
END;
INSERT INTO members_without_company (sentence)
SELECT '`complementary_group_members` has rows without a company, because their group is gone or has none: id '
       || group_concat(id, ', ') FILTER (WHERE place <= 20)
       || iif(count(*) > 20, ', …', '') || '; ' || count(*) || ' in all; docs/runbook.md has how to repair them'
FROM (
    SELECT member.id, row_number() OVER (ORDER BY member.id) AS place
    FROM complementary_group_members AS member
    LEFT JOIN complementary_groups AS mates ON mates.id = member.group_id
    LEFT JOIN companies AS owner ON owner.id = mates.company_id
    WHERE owner.id IS NULL
)
HAVING count(*) > 0;
DROP TABLE members_without_company;

-- owner_id, role and role_level are what the application adds when it starts; from here on they belong to the schema. A table
-- that lacks one yet gets the application's default: where `same` has no column of that name, the name means the one beside
-- `old`, as any name in a subquery does (https://sqlite.org/lang_expr.html#subq).
CREATE TABLE new_teams (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id INTEGER REFERENCES companies(id) ON DELETE CASCADE,
    owner_id   INTEGER REFERENCES users(id) ON DELETE SET NULL,
    UNIQUE (company_id, name)
);
INSERT INTO new_teams (id, name, created_at, updated_at, company_id, owner_id)
SELECT id, name, created_at, updated_at, company_id, (SELECT owner_id FROM teams AS same WHERE same.id = old.id)
FROM (SELECT NULL AS owner_id) CROSS JOIN teams AS old;

CREATE TABLE new_users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    email      TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name  TEXT NOT NULL,
    team_id    INTEGER REFERENCES teams(id) ON DELETE SET NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id INTEGER REFERENCES companies(id) ON DELETE CASCADE,
    role       TEXT DEFAULT 'USER',
    role_level INTEGER DEFAULT 4,
    UNIQUE (company_id, email)
);
INSERT INTO new_users
    (id, email, first_name, last_name, team_id, created_at, updated_at, company_id, role, role_level)
SELECT id, email, first_name, last_name, team_id, created_at, updated_at, company_id,
       (SELECT role FROM users AS same WHERE same.id = old.id),
       (SELECT role_level FROM users AS same WHERE same.id = old.id)
FROM (SELECT 'USER' AS role, 4 AS role_level) CROSS JOIN users AS old;

CREATE TABLE new_jira_instances (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL,
    url                 TEXT NOT NULL,
    email               TEXT NOT NULL,
    api_token           TEXT NOT NULL,
    tempo_api_token     TEXT,
    billing_client_id   INTEGER REFERENCES billing_clients(id) ON DELETE SET NULL,
    is_active           INTEGER DEFAULT 1,
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    default_project_key TEXT,
    company_id          INTEGER REFERENCES companies(id) ON DELETE CASCADE,
    UNIQUE (company_id, name)
);
INSERT INTO new_jira_instances
    (id, name, url, email, api_token, tempo_api_token, billing_client_id, is_active, created_at, updated_at,
     default_project_key, company_id)
SELECT id, name, url, email, api_token, tempo_api_token, billing_client_id, is_active, created_at, updated_at,
       default_project_key, company_id
FROM jira_instances;

CREATE TABLE new_complementary_group_members (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id    INTEGER NOT NULL REFERENCES complementary_groups(id) ON DELETE CASCADE,
    instance_id INTEGER NOT NULL REFERENCES jira_instances(id) ON DELETE CASCADE,
    created_at  TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    company_id  INTEGER NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    UNIQUE (group_id, instance_id)
);
INSERT INTO new_complementary_group_members (id, group_id, instance_id, created_at, company_id)
SELECT id, group_id, instance_id, created_at,
       (SELECT company_id FROM complementary_groups AS mates WHERE mates.id = member.group_id)
FROM complementary_group_members AS member;

-- No number that a row had once is given out again (https://sqlite.org/autoinc.html): the highest so far goes along, also where
-- that row is gone.
DELETE FROM sqlite_sequence
WHERE name IN ('new_teams', 'new_users', 'new_jira_instances', 'new_complementary_group_members');
INSERT INTO sqlite_sequence (name, seq)
SELECT 'new_' || name, seq
FROM sqlite_sequence
WHERE name IN ('teams', 'users', 'jira_instances', 'complementary_group_members');

-- A view or a trigger that somebody has made on one of the tables finds them under their names again. Meanwhile it names what is
-- not there, and SQLite would refuse to rename anything (https://sqlite.org/pragma.html#pragma_legacy_alter_table).
PRAGMA legacy_alter_table = ON;
DROP TABLE teams;
DROP TABLE users;
DROP TABLE jira_instances;
DROP TABLE complementary_group_members;
ALTER TABLE new_teams RENAME TO teams;
ALTER TABLE new_users RENAME TO users;
ALTER TABLE new_jira_instances RENAME TO jira_instances;
ALTER TABLE new_complementary_group_members RENAME TO complementary_group_members;
PRAGMA legacy_alter_table = OFF;

-- The indexes there were. The UNIQUE of teams and of users begin with the company as well; the names stay because the
-- application makes them again where they are missing.
CREATE INDEX idx_teams_company ON teams (company_id);
CREATE INDEX idx_users_team ON users (team_id);
CREATE INDEX idx_users_email ON users (email);
CREATE INDEX idx_users_company ON users (company_id);
CREATE INDEX idx_jira_instances_name ON jira_instances (name);
CREATE INDEX idx_jira_instances_company ON jira_instances (company_id);

-- New: a company that goes takes its members along, and a person that goes is looked for in every team.
CREATE INDEX idx_complementary_group_members_company ON complementary_group_members (company_id);
CREATE INDEX idx_teams_owner ON teams (owner_id);

-- A UNIQUE takes every NULL for another company (https://sqlite.org/nulls.html): rows without a company stay as unique among
-- themselves as they were.
CREATE UNIQUE INDEX idx_teams_name_without_company ON teams (name) WHERE company_id IS NULL;
CREATE UNIQUE INDEX idx_users_email_without_company ON users (email) WHERE company_id IS NULL;
CREATE UNIQUE INDEX idx_jira_instances_name_without_company ON jira_instances (name) WHERE company_id IS NULL;
