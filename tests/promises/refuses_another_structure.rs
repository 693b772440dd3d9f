use rusqlite::Connection;
use worklog_fixture::{Fixture, Generation};

use crate::support::{ROWS, Sandbox};

#[test]
fn an_older_generation_lists_everything_it_lacks() {
    let sandbox = Sandbox::with(&Fixture::new(ROWS).generation(Generation::BeforeCompanies));
    let before = sandbox.bytes();
    let message = sandbox.boot().refused(4, "not_adoptable");
    for missing in [
        "table `companies` is missing",
        "table `oauth_users` is missing",
        "column `worklogs.company_id` is missing",
        "column `teams.company_id` is missing",
        "column `users.company_id` is missing",
    ] {
        assert!(message.contains(missing), "{missing}: {message}");
    }
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"], "no backup left");
}

#[test]
fn another_applications_database() {
    let sandbox = Sandbox::empty();
    Connection::open(&sandbox.database).unwrap().execute_batch("CREATE TABLE notes(a)").unwrap();
    let message = sandbox.boot().refused(4, "not_adoptable");
    assert_eq!(message.matches("is missing").count(), 32, "{message}");
}

#[test]
fn a_column_of_another_type_or_another_key() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute(
        "DROP TABLE epics; CREATE TABLE epics(key TEXT, name TEXT, summary TEXT, jira_instance INTEGER NOT NULL,
         data TEXT NOT NULL, created_at TIMESTAMP, updated_at TIMESTAMP, company_id INTEGER)",
    );
    let message = sandbox.boot().refused(4, "not_adoptable");
    assert!(message.contains("`epics.jira_instance` is INTEGER instead of TEXT"), "{message}");
    assert!(message.contains("primary key of `epics` is () instead of (key)"), "{message}");
}

#[test]
fn a_managed_database_that_lost_something() {
    for (sql, lost) in [
        ("ALTER TABLE logs DROP COLUMN duration_ms", "column `logs.duration_ms` is missing"),
        ("DROP TABLE invoice_line_items", "table `invoice_line_items` is missing"),
        ("ALTER TABLE epics RENAME COLUMN summary TO title", "column `epics.summary` is missing"),
    ] {
        let sandbox = Sandbox::current();
        sandbox.execute(sql);
        let before = sandbox.bytes();
        let message = sandbox.boot().refused(4, "drifted");
        assert!(message.contains(lost), "{message}");
        assert_eq!(sandbox.bytes(), before);
        assert_eq!(sandbox.run(["verify"]).refused(4, "drifted"), message);
    }
}
