//! Where there are many versions, the upgrade from every one of them is still proven, most of them in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use bootproof::testing::{Sample, UpgradeError, every_upgrade};
use layouts::many;

/// The samples, with one more statement at a version.
fn and_at(samples: &[Sample], version: i64, sql: &str) -> Vec<Sample> {
    let more = |sample: &Sample| {
        let sql = if sample.version == version { format!("{};\n{sql}", sample.sql).leak() } else { sample.sql };
        Sample { version: sample.version, sql }
    };
    samples.iter().map(more).collect()
}

#[test]
fn every_one_of_many_versions_is_upgraded() {
    let (schema, samples) = many();
    assert!(samples.iter().any(|sample| sample.sql.contains("INSERT")), "{samples:?}");
    every_upgrade(&schema, &samples).unwrap();
}

#[test]
fn the_oldest_version_that_cannot_be_upgraded_is_told() {
    let (schema, samples) = many();
    // What version 18 adds, somebody has added at 7, which is upgraded in memory, and at 2, which is upgraded on a file.
    for (version, from) in [(7, 7), (2, 2)] {
        let add = "ALTER TABLE t1 ADD COLUMN other TEXT; CREATE TABLE t17(x)";
        let error = every_upgrade(&schema, &and_at(&samples, version, add)).unwrap_err();
        assert!(matches!(&error, UpgradeError::Refused { from: told, .. } if *told == from), "{version}: {error}");
        assert!(error.to_string().contains("017_step") || error.to_string().contains("t17"), "{error}");
    }
    // Rows that SQLite refuses.
    let error = every_upgrade(&schema, &and_at(&samples, 20, "INSERT INTO nowhere VALUES (1)")).unwrap_err();
    assert!(matches!(error, UpgradeError::Sample { version: 20, .. }), "{error}");
}
