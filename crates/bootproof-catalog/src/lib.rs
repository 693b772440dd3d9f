//! What a SQLite schema *is*, for both sides of bootproof.
//!
//! The compiler (`bootproof-build`) records the schema that every migration leaves behind; the engine (`bootproof`)
//! compares a live database with that record. Both use this crate, so that build and boot cannot disagree about what
//! "the same schema" means.
//!
//! - [`source`]: the text of a migration, normalised, and its checksum.
//! - [`token`]: SQL text reduced to what SQLite would see, for comparing definitions.
//! - [`catalog`]: the tables, columns, keys, indexes, triggers and views of a database, as SQLite's pragmas tell them.
//! - [`difference`]: what one catalog has that another lacks or has differently.
//! - [`fingerprint`]: a catalog in 128 bits.
//! - [`query_plan`]: which index a query would use.

pub mod catalog;
mod definition;
pub mod difference;
pub mod fingerprint;
pub mod query_plan;
mod read;
mod shared;
pub mod source;
pub mod token;
mod versions;

pub use catalog::Catalog;
pub use definition::index_terms;
pub use difference::{Difference, Severity, Subject};
pub use fingerprint::{Fingerprint, Fingerprinter};
pub use query_plan::QueryPlan;
pub use read::Reader;
pub use shared::Shared;
pub use token::quoted;
pub use versions::there_are;

/// The table in which refinery records applied migrations.
pub const HISTORY_TABLE: &str = "refinery_schema_history";

/// The statement with which refinery (with 64-bit versions) makes its table: whoever makes it first, it is the same.
pub const HISTORY_DDL: &str = "CREATE TABLE IF NOT EXISTS refinery_schema_history(version int8 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255));";

/// The table in which every change that a boot committed is recorded.
pub const AUDIT_TABLE: &str = "bootproof_audit";

/// The statement that makes the audit table.
pub const AUDIT_DDL: &str = "CREATE TABLE IF NOT EXISTS bootproof_audit(id INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, from_version INTEGER, to_version INTEGER, binary TEXT NOT NULL, detail TEXT NOT NULL);";

/// Whether a name belongs to SQLite or to the migrator itself, and so is no part of an application's schema.
///
/// SQLite reserves the prefix `sqlite_` (<https://sqlite.org/fileformat2.html#intschema>).
#[must_use]
pub fn is_bookkeeping(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("sqlite_") || name == HISTORY_TABLE || name == AUDIT_TABLE
}
