//! Query contracts of every kind, compiled as an application's would be: for tests.
//!
//! What the schema does not have, does not compile:
//!
//! ```
//! fn name(row: typed_contracts::query::every_type::Row) -> String {
//!     row.name
//! }
//! ```
//!
//! ```compile_fail,E0609
//! fn name(row: typed_contracts::query::every_type::Row) -> String {
//!     row.nmae
//! }
//! ```
//!
//! Nor does another type than its own, here that of a column that may be NULL:
//!
//! ```compile_fail,E0308
//! fn email(row: typed_contracts::query::every_type::Row) -> String {
//!     row.email
//! }
//! ```
//!
//! Nor a parameter of another type, or one that is left out:
//!
//! ```compile_fail,E0308
//! let params = typed_contracts::query::every_type::Params { name: 5 };
//! ```
//!
//! ```compile_fail,E0063
//! let params = typed_contracts::query::optional::Params { name: "Ada" };
//! ```

use std::sync::LazyLock;

use bootproof::Schema;

include!(concat!(env!("OUT_DIR"), "/bootproof.rs"));

/// What the migrations compiled to.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new("typed-contracts", &COMPILED));
