//! Compiles a directory of SQLite migrations, in `build.rs`, into Rust: if it compiles, it migrates.
//!
//! # From an empty crate to generated code
//!
//! **1.** Write the first migration, `migrations/001_create_tables.sql`:
//!
//! ```sql
//! CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL);
//! CREATE INDEX idx_orders_customer ON orders(customer, placed);
//! ```
//!
//! The number is the version; versions may have gaps and up to 64 bits (`20250131120000_…` is fine). The optional
//! `001_create_tables.down.sql` is the way back; a migration that only adds has one without being asked. Once released a
//! file is never edited: the next change is `002_….sql`.
//!
//! **2.** Write down a query that must stay fast, `migrations/queries/orders_of_customer.sql`: what it is for, the index
//! it must use, how long it may take, and, if you like, a query that picks parameters from the data to time it with:
//!
//! ```sql
//! -- The page of a customer.
//! -- bootproof: index idx_orders_customer
//! -- bootproof: budget 20 ms
//! SELECT id, placed FROM orders WHERE customer = :customer ORDER BY placed;
//! -- bootproof: sample
//! SELECT customer FROM orders GROUP BY customer ORDER BY count(*) DESC LIMIT 3;
//! ```
//!
//! **3.** Compile both in `build.rs`:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     bootproof_build::compile("migrations")
//! }
//! ```
//!
//! **4.** Include what that generates in `src/lib.rs`, and hand `COMPILED` to the crate `bootproof` for the boot:
//!
//! ```ignore
//! include!(concat!(env!("OUT_DIR"), "/bootproof.rs"));
//! // COMPILED, HEAD, table::ORDERS, index::IDX_ORDERS_CUSTOMER, query::orders_of_customer
//! ```
//!
//! ```toml
//! [dependencies]
//! bootproof = "0.1"
//! [build-dependencies]
//! bootproof-build = "0.1"
//! ```
//!
//! **5.** Call the query. Its parameters and its rows are structs whose types were derived from the schema: a column that a
//! migration renames, retypes or lets be NULL is an error of the Rust compiler where its field is used.
//!
//! ```ignore
//! for order in query::orders_of_customer(&connection, &query::orders_of_customer::Params { customer: "ada" })? {
//!     println!("{} {}", order.id, order.placed);
//! }
//! ```
//!
//! A type that nothing tells, such as that of `total / 2.0 AS half`, is said in the contract:
//! `-- bootproof: column half REAL NOT NULL`, `-- bootproof: parameter customer TEXT`. `docs/query-contracts.md` has the rules.
//!
//! # What is proven
//!
//! Every migration has run, in order, on an in-memory SQLite of the version that ships. Every way back has returned exactly
//! the schema before. Every query contract would search its index. What fails, or succeeds and is a trap (`IF NOT EXISTS`,
//! an index lost in a rebuild, rows copied by the position of their columns, a foreign key that points to no key, a PRAGMA
//! that does nothing inside a transaction, …), fails the build with file, line and column, and what to do:
//!
//! ```text
//! error[sqlite]: no such column: placd
//!  --> migrations/001_create_tables.sql:2:50
//!   |
//! 2 | CREATE INDEX idx_orders_customer ON orders(customer, placd);
//!   |                                                      ^^^^^
//!   |
//!   = help: did you mean `placed`?
//! ```
//!
//! On empty tables a cascade deletes nothing and no copy loses a row. So every migration runs once more with about three rows
//! in every table, which satisfy its types, constraints and foreign keys: with foreign keys off, as a boot runs it, and on, as
//! other tools do. What became of the rows is compared one by one, and whatever the statements did not set out to do is told
//! at the statement that did it:
//!
//! | rule | what the rows revealed |
//! |---|---|
//! | `rows-lost` | a rebuild that copies no row, or fewer: an error, unless the copy itself says which it leaves out |
//! | `rows-deleted` | a trigger that deletes rows of a table that no statement names: a warning |
//! | `rows-dangle` | rows without their parent, for which a boot would refuse |
//! | `values-nulled`, `values-changed` | a rebuild that leaves a column out, or puts one in the place of another |
//! | `column-as-text` | a rebuild that fills a column with its own name |
//! | `cascade-deletes`, `values-nulled` | what a tool that leaves foreign keys on would lose: a warning, since a boot turns them off |
//! | `fails-on-rows` | what works on an empty table only; a warning where only a row with NULL is refused |
//! | `broken-trigger`, `broken-view` | what nothing can use any more behind the last migration |
//!
//! A plain DROP TABLE, DELETE or UPDATE is no finding of this kind: it does what it says. Nor is what only a value causes that
//! was made up, such as digits in a column that is read as JSON: other rows are tried, at last none, and
//! [`Compilation::left_empty`] tells which tables were empty for which migration. Virtual tables are not filled; full-text
//! indexes over other tables know of the rows of these. Nothing of the rows gets into what a program includes. Rows that
//! every migration accepts are written to a file of their own, with which `bootproof::test_every_upgrade!` upgrades a real
//! database from every version in one line of an application's tests.
//!
//! What is a matter of judgement, such as an index that another one makes superfluous, is a warning and lets the build go on.
//! [`RULES`] has every rule; `docs/lints.md` explains each, with an example that breaks it and one that does not. Where one is
//! broken on purpose, the file says so with a reason:
//! `-- bootproof: allow lost-object "nobody searches by colour any more"`. What throws rows away has to say so:
//! `-- bootproof: allow destroys-data "the import of 2019 was never used"`.
//!
//! # What has been released
//!
//! [`lock`](lock()) lists the migrations of a directory in `migrations.lock`, which is committed beside them. From then on it is an
//! error to edit, rename or remove one of them, or to add one below them. Without that file nothing of it is checked.
//!
//! # What only an operator can decide
//!
//! A migration that must not run whenever a program happens to be restarted, because it takes long or because another
//! program has to be stopped first, says so and why, on one line, anywhere in its file:
//!
//! ```sql
//! -- bootproof: maintenance "rewrites every order: about ten minutes, stop the import first"
//! UPDATE orders SET total = round(total, 2);
//! ```
//!
//! Boot stops before this version until an operator permits it, and shows the reason; the generated
//! `Migration::maintenance` holds it. It is part of the file, so of its checksum: decide before the release.
//!
//! # Deploying beside older programs
//!
//! A program refuses a database that is ahead of it, since it cannot know what the newer migrations did. Where several
//! programs share a database and are replaced one by one, that would keep an old one from starting again in the middle of
//! the deployment. A migration that is no obstacle for programs of the version before therefore says so:
//!
//! ```sql
//! -- bootproof: compatible "older programs name the columns they insert"
//! ALTER TABLE orders ADD COLUMN note TEXT;
//! ```
//!
//! Boot writes the mark into the database along with the migration, and an older program that finds every newer migration
//! marked starts, and reports which it met. What was marked and removes or changes something is an error
//! (`not-compatible`); whether an `INSERT` without column names or a `SELECT *` minds what was added, only the author knows.
//! A migration that just builds indexes, none of them `UNIQUE`, needs no mark. Like every directive it is part of the file's
//! checksum: decide before the release. The generated `Migration::compatible` holds it.
//!
//! # What SQL cannot express
//!
//! A migration can call a function of the application, behind its statements and in the same transaction. It says which, why,
//! and which tables the function writes, or `writes nothing`:
//!
//! ```sql
//! -- bootproof: rust hash_emails "SQLite has no SHA-256"
//! -- bootproof: writes users
//! ALTER TABLE users ADD COLUMN email_hash TEXT;
//! ```
//!
//! The application registers the function by the constant that is generated for its name, so that neither can be misspelt:
//!
//! ```ignore
//! Schema::new("my-app", &COMPILED).with_step(step::HASH_EMAILS, |transaction| {
//!     // any SELECT, and INSERT, UPDATE and DELETE on `users`
//! })
//! ```
//!
//! The build cannot run it; it finds out what the triggers of those tables write as well. Boot refuses, before it touches
//! anything, where a pending migration calls what is not registered. While the function runs, SQLite refuses it every other
//! table, changes of the schema, PRAGMAs and transactions, and a panic is an error: everything is rolled back. What it wrote
//! is proven with the rest. A new database is made by running every migration with its function, in order, on what the
//! migrations before have inserted. The checksum covers the name and not the function: once released, it stays as it is.
//!
//! # Beyond a transaction
//!
//! `VACUUM`, and with it the size of pages or `auto_vacuum`, and the change to or from WAL mode do nothing inside a
//! transaction, or fail. A migration for them alone says why it needs to be outside:
//!
//! ```sql
//! -- bootproof: no-transaction "pages of 8 KiB hold a whole entry"
//! PRAGMA page_size = 8192;
//! VACUUM;
//! ```
//!
//! Boot commits what is before it, takes the database for itself, backs it up, runs the statements on a copy of the backup and
//! proves the copy from the first page to the last; then the copy takes the database's place, in the way of a restore. A
//! failure or a crash leaves the file as it was before this migration. It needs the space of three files, nobody else may have
//! the database open, and backups may not be switched off where there are rows. `VACUUM INTO` is an error, and so is a
//! journal mode that the file does not remember. There is a way back only where a `.down.sql` says it. A file that another
//! tool runs outside a transaction runs inside here if it can, and in this way if it cannot.
//!
//! # Coming from another tool
//!
//! A directory that was written for refinery, sqlx, diesel, prisma, goose, dbmate, golang-migrate, drizzle or flyway compiles
//! as it is. [`compile()`] finds out which one it is by the names of its files and the markers in them; [`Compiler::dialect`]
//! says it. What those tools need and a boot makes redundant is left out of what is run, with a warning: `BEGIN` and `COMMIT`
//! around a file, `PRAGMA foreign_keys`. A way back that does not return the schema before its migration is a warning there,
//! and not used. `queries/` and the directives `-- bootproof: …` are understood in every layout.
//!
//! A way back that stands in the same file as the way there, as goose and dbmate have it, is no part of the checksum: it can
//! be mended after the release, as a `.down.sql` can.
//!
//! # How long it takes
//!
//! Two hundred migrations take well under a second, with rows and with hundreds of tables, in a build script as cargo compiles
//! it: without optimisation, SQLite included. Whoever compiles more of them lets cargo optimise build scripts a little:
//!
//! ```toml
//! [profile.dev.build-override]
//! opt-level = 1
//! ```
//!
//! # Without cargo
//!
//! [`check`] does the same for any directory and returns the [`Compilation`] or the [`Diagnostics`]. [`scaffold`] writes
//! what an author begins with, the next migration or the contract of an index. [`squash`](squash()) makes one file of many,
//! and `-- bootproof: replaces …` in that file says of which, so that databases that have them go on.

mod annotation;
mod budget;
mod compatible;
mod compilation;
mod compile;
mod compiler;
mod contract;
mod diagnostic;
mod dialect;
mod effect;
mod elsewhere;
mod emit;
mod explain;
mod heap;
mod lint;
mod lock;
mod outside;
mod parse;
mod rehearse;
mod revert;
mod rows;
pub mod scaffold;
mod source;
mod squash;
mod step;
mod unkeyed;
mod value;
mod writes;

use std::path::Path;
use std::process::ExitCode;

pub use compilation::{Compilation, LeftEmpty};
#[doc(hidden)] // For `bootproof-cli`, which boots what it has compiled.
pub use compilation::{Contract, Migration, Object, Replaced, Revert, Statement};
pub use compiler::Compiler;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use dialect::{Dialect, UnknownDialect};
pub use lint::rule::{Allowed, RULES, Rule};
pub use lock::{LockError, Locked};
pub use squash::SquashError;

/// Compiles a directory, given relative to the crate, into `$OUT_DIR/bootproof.rs`; for `build.rs`.
///
/// Rows for tests go to `bootproof_samples.rs` beside it, which only tests include.
///
/// Prints warnings for cargo and errors for people, and tells cargo to compile again whenever a file in the directory is
/// added, changed, renamed or removed. The exit code fails the build if there was an error. [`Compiler`] takes options.
#[must_use]
pub fn compile(directory: impl AsRef<Path>) -> ExitCode {
    Compiler::new(directory.as_ref()).compile()
}

/// Reads, rehearses and proves a directory of migrations. Writes nothing. [`Compiler`] takes options.
///
/// # Errors
///
/// Everything that is wrong, not only the first thing; warnings are among it.
pub fn check(directory: impl AsRef<Path>) -> Result<Compilation, Diagnostics> {
    Compiler::new(directory.as_ref()).check()
}

/// Lists every migration of a directory as released, in `migrations.lock` beside them.
///
/// From then on it is an error to edit, rename or remove one of those files, or to add one below them. Only new lines are
/// added, and the file is written whole or not at all; where there is nothing new it is not touched.
///
/// # Errors
///
/// A directory that does not compile, among it a released file that is not as it was; a file that cannot be written.
pub fn lock(directory: impl AsRef<Path>) -> Result<Locked, LockError> {
    Compiler::new(directory.as_ref()).lock()
}

/// The text of one file that leaves the same as all migrations up to a version: the same schema, proven by its
/// fingerprint, and the same rows. Writes nothing.
///
/// It is for beginning a new directory. A database that has a history goes on needing the files it was made by: it would be
/// refused by a program that has this one instead. Rows that the migrations inserted are written down as they are in an
/// empty database, with the time of now where they took the time from the clock.
///
/// # Errors
///
/// A directory that does not compile, a version that does not exist, or what one file cannot bring back, such as rows that
/// only a virtual table holds.
pub fn squash(directory: impl AsRef<Path>, to: i64) -> Result<String, SquashError> {
    Compiler::new(directory.as_ref()).squash(to)
}
