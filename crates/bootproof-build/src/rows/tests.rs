//! Directories of other tools, which have no way in yet: what a runner does that leaves foreign keys on.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use std::sync::Arc;

use bootproof_catalog::Catalog;

use super::{Rows, Runner, Step};
use crate::diagnostic::Diagnostics;
use crate::explain::Known;
use crate::parse::Allows;
use crate::rehearse::Stage;
use crate::source::File;
use crate::writes;

/// The findings of all files, one a line: severity, rule and line.
fn findings(runner: Runner, files: &[&str]) -> Vec<String> {
    let stage = Stage::open().unwrap();
    let mut rows = Rows::open(&stage, runner).unwrap();
    let mut diagnostics = Diagnostics::new("migrations".to_owned());
    let mut before = Catalog::default();
    for text in files {
        let file = Arc::new(File { name: "a.sql".to_owned(), text: (*text).to_owned() });
        let known = Known { earlier: &[], later: &[] };
        rows.keep(&stage).unwrap();
        let script = stage.run(&file, known, &Allows::default(), &mut diagnostics).unwrap().unwrap();
        let after = stage.catalog().unwrap();
        let writes = writes::of(&file, &script, &before, &after);
        let step =
            Step { file: &file, script: &script, before: &before, after: &after, writes: &writes, stage: &stage };
        for finding in rows.rehearse(&step, &Allows::default()).unwrap() {
            diagnostics.push(finding);
        }
        before = after;
    }
    let line = |finding: &crate::Diagnostic| {
        format!("{} {} {}", finding.severity().name(), finding.rule(), finding.line().unwrap_or_default())
    };
    diagnostics.iter().map(line).collect()
}

const PARENT: &str = "CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT);";

const REBUILD: &str = "CREATE TABLE new_parent(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
INSERT INTO new_parent(id, name) SELECT id, coalesce(name, '') FROM parent;
DROP TABLE parent;
ALTER TABLE new_parent RENAME TO parent;";

fn with_child(reference: &str) -> String {
    format!("{PARENT} CREATE TABLE child(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent {reference});")
}

#[test]
fn a_rebuild_that_cascades_is_an_error_of_other_tools() {
    let files = [with_child("ON DELETE CASCADE"), REBUILD.to_owned()];
    let files = files.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &files), ["error cascade-deletes 3"]);
    assert_eq!(findings(Runner::Plain, &files), ["error cascade-deletes 3"]);
    assert_eq!(findings(Runner::Ours, &files), ["warning cascade-deletes 3"]);
    let nulled = [with_child("ON DELETE SET NULL"), REBUILD.to_owned()];
    let nulled = nulled.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &nulled), ["error values-nulled 3"]);
}

#[test]
fn a_rebuild_that_other_tools_refuse_is_a_warning_there() {
    let files = [with_child(""), REBUILD.to_owned()];
    let files = files.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &files), ["warning fails-on-rows 3"]);
    assert_eq!(findings(Runner::Ours, &files), Vec::<String>::new());
}

#[test]
fn rows_that_go_with_a_deleted_parent_are_what_the_schema_says() {
    let files = [with_child("ON DELETE CASCADE"), "DELETE FROM parent;".to_owned()];
    let files = files.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &files), ["warning cascade-deletes 1", "warning rows-dangle 1"]);
    assert_eq!(findings(Runner::Ours, &files), ["error rows-dangle 1"]);
}
