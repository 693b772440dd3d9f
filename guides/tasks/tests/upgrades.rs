//! How an application tests its database: the code of docs/testing.md.

use bootproof::{Boot, Options, testing};
use tasks::{HEAD, SCHEMA, SOME_DAY};

// Upgrades a file from every version, with rows in every table.
bootproof::test_every_upgrade!(tasks::SCHEMA);

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

#[test]
fn what_is_done_is_off_the_list() -> Result {
    let connection = bootproof::fresh(&SCHEMA)?;
    let id = tasks::add(&connection, "Sweep", SOME_DAY)?;
    assert!(tasks::finish(&connection, id)?);
    assert_eq!(tasks::open(&connection, SOME_DAY)?, []);
    Ok(())
}

#[test]
fn tasks_from_before_there_were_days_are_due_last() -> Result {
    let mut connection = testing::at(&SCHEMA, 1)?;
    connection.execute("INSERT INTO task(title) VALUES ('Sweep')", [])?;
    bootproof::migrate(&SCHEMA, &mut connection, &Options::default())?;
    assert_eq!(tasks::open(&connection, "9999-12-30")?, []);
    assert_eq!(tasks::open(&connection, SOME_DAY)?.len(), 1);
    Ok(())
}

#[test]
fn the_file_of_the_first_release_boots() -> Result {
    let database = testing::file_at(&SCHEMA, 1)?;
    let report = Boot::new(&SCHEMA, database.path()).run()?;
    assert_eq!((report.from_version, report.to_version), (Some(1), Some(HEAD)));
    assert!(report.backup.is_some());
    Ok(())
}

#[test]
fn the_list_can_be_shown_whatever_rows_there_are() -> Result {
    let connection = testing::filled(&SCHEMA, bootproof::samples!(), HEAD)?;
    tasks::open(&connection, SOME_DAY)?;
    Ok(())
}
