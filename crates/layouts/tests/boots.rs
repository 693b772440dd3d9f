//! Whatever tool the migrations were written for, a boot is the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::path::Path;

use bootproof::{Boot, Schema};
use bootproof_catalog::{Catalog, difference};
use rusqlite::Connection;

fn boot(schema: &Schema, path: &Path, target: Option<i64>) -> Option<i64> {
    let boot = Boot::new(schema, path).backup(false);
    let report = target.into_iter().fold(boot, Boot::target).run();
    report.unwrap_or_else(|failure| panic!("{}: {failure}", schema.name())).to_version
}

fn catalog(path: &Path) -> Catalog {
    Catalog::read(&Connection::open(path).unwrap()).unwrap()
}

#[test]
fn the_embedded_files_are_those_that_were_compiled() {
    for schema in layouts::schemas() {
        assert!(schema.disagreements().is_empty(), "{}: {:?}", schema.name(), schema.disagreements());
        assert!(!schema.sources().is_empty());
    }
}

#[test]
fn a_new_database_is_what_one_step_after_the_other_makes() {
    for schema in layouts::schemas() {
        let directory = tempfile::tempdir().unwrap();
        let (fresh, grown) = (directory.path().join("fresh.db"), directory.path().join("grown.db"));
        assert_eq!(boot(&schema, &fresh, None), Some(schema.head()));
        // An empty file that is a database is migrated, not replaced by the image.
        Connection::open(&grown).unwrap().execute_batch("VACUUM").unwrap();
        for migration in schema.compiled().migrations {
            assert_eq!(boot(&schema, &grown, Some(migration.version)), Some(migration.version));
        }
        let differences = difference::between(&catalog(&fresh), &catalog(&grown));
        assert!(differences.is_empty(), "{}: {differences:?}", schema.name());
        // All of the rest at once, from every version.
        for migration in schema.compiled().migrations {
            let path = directory.path().join(format!("{}.db", migration.version));
            Connection::open(&path).unwrap().execute_batch("VACUUM").unwrap();
            boot(&schema, &path, Some(migration.version));
            assert_eq!(boot(&schema, &path, None), Some(schema.head()), "{} from {}", schema.name(), migration.title());
            assert!(difference::between(&catalog(&fresh), &catalog(&path)).is_empty());
        }
    }
}

#[test]
fn what_was_proven_as_a_way_back_is_one() {
    for schema in layouts::schemas() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        boot(&schema, &path, None);
        for pair in schema.compiled().migrations.windows(2).rev() {
            let [before, last] = pair else { continue };
            if last.revert.is_none() {
                break;
            }
            let report = Boot::new(&schema, &path).backup(false).revert(before.version);
            let report = report.unwrap_or_else(|failure| panic!("{}: {failure}", last.title()));
            assert_eq!(report.to_version, Some(before.version), "{}", last.title());
        }
        assert_eq!(boot(&schema, &path, None), Some(schema.head()), "{}", schema.name());
    }
}

#[test]
fn a_migration_is_called_as_its_file_or_directory_is() {
    let titles: Vec<_> =
        layouts::schemas().iter().filter_map(|schema| Some(schema.compiled().migrations.get(1)?.title())).collect();
    assert_eq!(
        titles,
        [
            "V2__search",
            "20210102090000_notes & tags",
            "2022-03-14-093000_create_posts",
            "20230212080000_deal_stage",
            "00002_touch",
            "20190502130000_add-places",
            "000002_user_email",
            "0001_quick_otter",
            "V1.1__add reorder-level",
        ]
    );
}
