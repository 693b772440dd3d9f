//! Every rule by name: what `allow` takes, what `docs/lints.md` explains, what a program that reads diagnostics can list.

use crate::diagnostic::Severity;

/// A rule that a diagnostic can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, as `allow` takes it and diagnostics show it.
    pub name: &'static str,
    /// How grave it is to break it, at its gravest.
    pub severity: Severity,
    /// Where a file can say that it breaks it on purpose.
    pub allowed: Allowed,
    /// What it is about, in a few words.
    pub summary: &'static str,
}

/// Where `-- bootproof: allow RULE "why"` is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Allowed {
    /// No reason makes it right.
    Nowhere,
    /// In the migration.
    InMigration,
    /// In the query contract.
    InContract,
}

/// Every rule, in alphabetical order.
pub const RULES: &[Rule] = &[
    never("ambiguous-dialect", "files that were written for more than one tool"),
    never("attach", "a migration changes one file"),
    never("baseline-migration", "a file that flyway runs in the place of others"),
    never("bound-parameter", "nobody binds the parameters of a migration"),
    error("broken-trigger", InMigration, "a trigger that no statement can fire any more"),
    error("broken-view", InMigration, "a view names a table or a column that is not there"),
    never("callback", "a file that flyway runs before or after others"),
    warning("cascade-deletes", InMigration, "rows of another table go where foreign keys are on"),
    never("code-migration", "a migration that is not written in SQL"),
    error("column-as-text", InMigration, "a rebuild fills a column with its own name"),
    warning("contract-automatic-index", InContract, "a hot query for which SQLite would build an index each time"),
    never("contract-columns", "a query contract whose rows have no fields of their own names"),
    never("contract-index", "a query contract names an index that does not exist"),
    never("contract-plan", "a hot query that would not search its index"),
    never("contract-query", "a query contract holds one SELECT with named parameters"),
    never("contract-sample", "a sampling query returns the parameters of its query"),
    warning("contract-scans", InContract, "a hot query that reads a whole table besides"),
    warning("contract-sorts", InContract, "a hot query whose rows are sorted each time"),
    never("contract-types", "a parameter or a column whose type nothing tells"),
    error("dangling-foreign-key", InMigration, "a foreign key points to a table that is not there"),
    error("destroys-data", InMigration, "rows or values are thrown away, and the file does not say that it means it"),
    never("directive", "a directive that is not written as it has to be"),
    error("double-quoted-string", InMigration, "a text in double quotes is a name"),
    never("down-without-up", "a way back from a migration that does not exist"),
    never("duplicate-version", "two migrations of one number"),
    never("empty-file", "a file with nothing in it"),
    error("fails-on-rows", InMigration, "what works on an empty table only"),
    never("file-name", "a .sql file that is not named as a migration is skipped"),
    never("file-system", "a PRAGMA that decides about directories"),
    never("foreign-key-check", "a check in the file finds a row without its parent"),
    never("foreign-key-mismatch", "a foreign key points to columns that are no key"),
    warning("foreign-key-without-index", InMigration, "no index finds the children of a parent"),
    error("if-not-exists", InMigration, "`IF NOT EXISTS` keeps what is there, whatever it is"),
    never("invalid-utf-8", "a file that is not UTF-8"),
    never("journal", "the journal of drizzle is not what its files are"),
    warning("journal-order", Nowhere, "an entry of drizzle's journal is dated before the one above it"),
    never("lock-file", "a line of migrations.lock that says nothing"),
    warning("lost-constraint", InMigration, "a rebuilt table comes back without something it had"),
    error("lost-object", InMigration, "an index, a trigger or a view does not come back after a rebuild"),
    never("misplaced-file", "a .sql file where nobody looks"),
    never("missing-directive", "a query contract without its index or its budget"),
    never("missing-reason", "an exception without a reason"),
    warning("mixed-widths", InMigration, "numbers of different width are listed in another order"),
    never("no-migration-file", "a directory of a migration without the file that makes it"),
    never("no-migrations", "a directory without migrations"),
    error("no-statements", InMigration, "a migration with nothing but comments"),
    warning("no-transaction", InMigration, "a file that is taken out of the transaction and runs inside as well"),
    error("non-deterministic", InMigration, "a constraint or an index that depends on the clock"),
    never("not-compatible", "a migration says that older programs can go on, and they cannot"),
    error("not-null-without-default", InMigration, "a column that SQLite adds to empty tables only"),
    never("nul-byte", "SQLite ignores what follows a NUL byte"),
    never("other-database", "migrations of another database than SQLite"),
    never("out-of-order", "a new migration with a number below a released one"),
    warning("placeholder", InMigration, "a text with a place that flyway fills in"),
    error("positional-copy", InMigration, "rows copied by the position of their columns"),
    error("pragma", InMigration, "a PRAGMA that does nothing in a transaction, or outlives it"),
    warning("redundant-index", InMigration, "an index that another one or a key makes superfluous"),
    warning("redundant-wrapper", InMigration, "what a boot does anyway is left out of what is run"),
    never("rehearsal", "SQLite failed where no statement is to blame"),
    never("released-changed", "a released migration was edited"),
    never("released-missing", "a released migration was removed or renamed"),
    never("repeatable-migration", "a file that flyway runs whenever it changed"),
    never("reserved-table", "a table that belongs to the migrator"),
    error("rows-dangle", InMigration, "rows lose the parent they point to"),
    warning("rows-deleted", InMigration, "a trigger deletes rows of a table that no statement names"),
    error("rows-lost", InMigration, "a rebuild copies no row, or fewer"),
    never("section", "a file that is not divided as its tool wants it"),
    never("sqlite", "SQLite itself refuses the statement"),
    never("stub-function", "a stand-in for a function that SQLite cannot have"),
    never("too-large", "a statement that needs more memory than a build has"),
    never("transaction-control", "a migration cannot begin or end a transaction"),
    never("unending", "a statement that does not end"),
    never("unknown-directive", "a directive that does not exist"),
    never("unknown-rule", "a rule that does not exist, or cannot be allowed"),
    never("unknown-table", "a step in Rust writes a table that is not there"),
    never("unreadable", "a file or directory that cannot be read"),
    never("unused-allow", "an exception that nothing makes use of"),
    error("values-changed", InMigration, "a rebuild leaves other values in a column"),
    error("values-nulled", InMigration, "a rebuild leaves NULL in the place of values"),
    never("version-too-large", "a number beyond 64 bits"),
    never("wrong-revert", "a way back that does not return the schema before"),
];

use Allowed::{InContract, InMigration, Nowhere};

const fn error(name: &'static str, allowed: Allowed, summary: &'static str) -> Rule {
    Rule { name, severity: Severity::Error, allowed, summary }
}

const fn warning(name: &'static str, allowed: Allowed, summary: &'static str) -> Rule {
    Rule { name, severity: Severity::Warning, allowed, summary }
}

const fn never(name: &'static str, summary: &'static str) -> Rule {
    error(name, Nowhere, summary)
}

/// The rule of that name.
pub(crate) fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// The names of the rules that can be allowed there.
pub(crate) fn allowable(place: Allowed) -> Vec<&'static str> {
    RULES.iter().filter(|rule| rule.allowed == place).map(|rule| rule.name).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{RULES, find};

    #[test]
    fn the_table_is_in_order() {
        assert!(RULES.is_sorted_by(|one, other| one.name < other.name));
    }

    /// The names that diagnostics are made with, in all files below a directory.
    fn named(directory: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, names);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for make in ["Diagnostic::error(", "Diagnostic::warning("] {
                let calls = text.split(make).skip(1);
                let literals = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
                let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '-' | '8'));
                names.extend(literals.map(|(name, _)| name.to_owned()).filter(|name| is_name(name)));
            }
        }
    }

    #[test]
    fn every_rule_that_is_reported_is_in_the_table() {
        let mut names = BTreeSet::new();
        named(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
        assert!(names.len() > 30, "{names:?}");
        let unknown: Vec<_> = names.iter().filter(|name| find(name).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
