//! The layouts of other tools: how their files are named, ordered and divided, and what of them is not run.
//!
//! Every family finds its files by name ([`find`]); what follows, reading and ordering them, is the same for all.

mod detect;
mod drizzle;
mod folders;
mod numbered;
pub(crate) mod order;
pub(crate) mod sections;
mod versioned;
pub(crate) mod wrapper;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

pub(crate) use detect::detect;
pub(crate) use numbered::{Numbered, parse_name};

use crate::diagnostic::{Diagnostic, Diagnostics};

/// The tool for which a directory of migrations was written.
///
/// What a dialect decides is how files are named, put in order and divided into the way there and the way back, and whether
/// statements that its tool needs and a boot makes redundant (`BEGIN`, `PRAGMA foreign_keys`, …) are left out with a warning
/// or refused, as in our own layout.
///
/// ```
/// use bootproof_build::Dialect;
///
/// assert_eq!("golang-migrate".parse(), Ok(Dialect::GolangMigrate));
/// assert_eq!(Dialect::Goose.to_string(), "goose");
/// assert!("rails".parse::<Dialect>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Our own: `001_name.sql`, and `001_name.down.sql` for the way back.
    #[default]
    Bootproof,
    /// `V1__name.sql`, and `U1__name.sql` for one that may be applied out of order; also in subdirectories.
    Refinery,
    /// `1_name.sql`, or `1_name.up.sql` with `1_name.down.sql`.
    Sqlx,
    /// `2025-01-31-120000_name/up.sql`, and `down.sql`.
    Diesel,
    /// `20250131120000_name/migration.sql`.
    Prisma,
    /// `001_name.sql`, divided by `-- +goose Up` and `-- +goose Down`.
    Goose,
    /// `20250131120000_name.sql`, divided by `-- migrate:up` and `-- migrate:down`.
    Dbmate,
    /// `1_name.up.sql` with `1_name.down.sql`.
    GolangMigrate,
    /// `0000_name.sql`, divided by `--> statement-breakpoint`, in the order of `meta/_journal.json`.
    Drizzle,
    /// `V1__name.sql` or `V1.2__name.sql`, and `U1__name.sql` for the way back; also in subdirectories.
    Flyway,
}

impl Dialect {
    /// Every dialect, our own first.
    pub const ALL: [Self; 10] = [
        Self::Bootproof,
        Self::Refinery,
        Self::Sqlx,
        Self::Diesel,
        Self::Prisma,
        Self::Goose,
        Self::Dbmate,
        Self::GolangMigrate,
        Self::Drizzle,
        Self::Flyway,
    ];

    /// Its name, as it is parsed and displayed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bootproof => "bootproof",
            Self::Refinery => "refinery",
            Self::Sqlx => "sqlx",
            Self::Diesel => "diesel",
            Self::Prisma => "prisma",
            Self::Goose => "goose",
            Self::Dbmate => "dbmate",
            Self::GolangMigrate => "golang-migrate",
            Self::Drizzle => "drizzle",
            Self::Flyway => "flyway",
        }
    }

    /// Whether another tool than bootproof set the rules.
    pub(crate) fn is_foreign(self) -> bool {
        self != Self::Bootproof
    }

    /// How a file has to be named, for whoever named it otherwise.
    fn naming(self) -> &'static str {
        match self {
            Self::Bootproof => {
                "name it `NNN_name.sql` or, for the way back, `NNN_name.down.sql`; a name has letters, digits and `_`"
            }
            Self::Refinery => "name it `V1__name.sql`; a name has letters, digits and `_`",
            Self::Sqlx => "name it `1_name.sql`, or `1_name.up.sql` with `1_name.down.sql` for the way back",
            Self::Diesel => "put it into `VERSION_name/up.sql` or, for the way back, `VERSION_name/down.sql`",
            Self::Prisma => "put it into `YYYYMMDDHHMMSS_name/migration.sql`",
            Self::Goose => "name it `001_name.sql`, counting from 1",
            Self::Dbmate => "name it `YYYYMMDDHHMMSS_name.sql`",
            Self::GolangMigrate => "name it `1_name.up.sql` or, for the way back, `1_name.down.sql`",
            Self::Drizzle => "list it in `meta/_journal.json`, or remove it",
            Self::Flyway => "name it `V1__name.sql` or, for the way back, `U1__name.sql`",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|dialect| dialect.name() == name);
        found.ok_or_else(|| UnknownDialect { name: name.to_owned() })
    }
}

/// A name that is no dialect's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no dialect `{name}`; there are {}", Dialect::ALL.map(Dialect::name).join(", "))]
pub struct UnknownDialect {
    /// What was given.
    pub name: String,
}

/// A file that its name makes part of a migration.
#[derive(Debug)]
pub(crate) struct Named {
    /// Its path relative to the migrations directory.
    pub(crate) path: String,
    pub(crate) version: i64,
    /// How many digits the version has in the name.
    pub(crate) width: usize,
    pub(crate) name: String,
    pub(crate) is_down: bool,
    /// Its tool is told, beside the file, to run it outside a transaction.
    pub(crate) no_transaction: bool,
}

/// The files of migrations among those of a directory. What its tool would skip is reported.
pub(crate) fn find(dialect: Dialect, directory: &Path, files: &[String], diagnostics: &mut Diagnostics) -> Vec<Named> {
    match dialect {
        Dialect::Bootproof | Dialect::Sqlx | Dialect::Goose | Dialect::Dbmate | Dialect::GolangMigrate => {
            numbered::find(dialect, directory, files, diagnostics)
        }
        Dialect::Refinery | Dialect::Flyway => versioned::find(dialect, directory, files, diagnostics),
        Dialect::Diesel | Dialect::Prisma => folders::find(dialect, directory, files, diagnostics),
        Dialect::Drizzle => drizzle::find(directory, files, diagnostics),
    }
}

/// A file that stands where its name makes it nobody's.
fn misnamed(dialect: Dialect, path: &str) -> Diagnostic {
    let message = if dialect.is_foreign() {
        format!("this file would be skipped: {dialect} does not take its name for a migration's")
    } else {
        "this .sql file is not named as a migration".to_owned()
    };
    Diagnostic::error("file-name", message).in_name(path).help(dialect.naming())
}

/// SQL in a directory that nobody looks into was meant to be compiled.
pub(crate) fn misplaced(dialect: Dialect, path: &str) -> Diagnostic {
    let help = if dialect.is_foreign() {
        dialect.naming()
    } else {
        "migrations belong directly into the directory, query contracts into `queries/`"
    };
    Diagnostic::error("misplaced-file", "this .sql file stands where it would never be compiled")
        .in_file(path)
        .help(help)
}

/// A step that is not SQL: what comes after it may rest on what it does.
fn written_in_code(path: &str, language: &str) -> Diagnostic {
    Diagnostic::error("code-migration", format!("this migration would be skipped: it is written in {language}"))
        .in_file(path)
        .help("say what it does in SQL, in a file of the same version")
}

/// The number that some digits are.
fn version(digits: &str, path: &str, diagnostics: &mut Diagnostics) -> Option<i64> {
    let version = digits.parse().ok();
    if version.is_none() {
        diagnostics.push(
            Diagnostic::error("version-too-large", format!("version {digits} exceeds 64 bits"))
                .in_name(path)
                .help(format!("the largest version is {}", i64::MAX)),
        );
    }
    version
}

/// A name as the history table and generated code can hold it: letters, digits and `_`.
///
/// refinery, which records it, reads no further than that.
fn sanitised(name: &str) -> String {
    let is_fit = |c: char| c.is_alphabetic() || c.is_ascii_digit() || c == '_';
    let name: String = name.trim().chars().map(|c| if is_fit(c) { c } else { '_' }).collect();
    if name.is_empty() { "migration".to_owned() } else { name }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
