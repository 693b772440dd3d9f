#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
//!
//! ## Where to look
//!
//! Start at [`Boot`]; [`migrate()`] does the same on an open connection. The result is a [`BootReport`], or a [`Failure`] that says
//! what happened, where, the state of the database and what to do. [`Options`] has every choice, [`compiled`] what the compiler
//! emits. What SQL
//! cannot express is a function of the application, [`Schema::with_step`]. [`connections`] opens what an application works with
//! afterwards, [`query`] executes what the compiler makes of query contracts. For tests there are [`fresh()`] and [`testing`].

// What a program carries and chooses.
pub mod compiled;
mod options;
mod schema;

// What a boot says, and is told, while it works and at its end.
mod error;
mod event;
pub mod figure;
mod report;
mod watch;

// What the database says of itself.
mod connection;
mod early;
mod errands;
mod expected;
mod ffi;
mod files;
mod history;
mod holders;
#[doc(hidden)] // For `bootproof-cli`.
pub mod listing;
mod lock;
mod own_table;

// The steps.
mod adopt;
mod apply;
mod audit;
mod backup;
mod estimate;
mod foreign_keys;
mod format;
mod fresh;
mod integrity;
mod look;
mod plan;
mod probe;
mod repair;
mod restore;
mod revert;
mod seal;
mod statistics;
mod steps;
#[doc(hidden)] // For `bootproof-cli`.
pub mod takeover;
mod undated;
mod verify;
mod workload;

// Their order.
mod boot;
mod fleet;
pub mod inspect;

// What the application opens and executes afterwards.
pub mod connections;
pub mod query;

// For tests.
pub mod testing;

pub use backup::{Backups, Condition, KnownBackup, Origin};
pub use boot::{Boot, fresh, migrate};
pub use error::{Error, Failure};
pub use event::{Cancellation, Event, Observer, Step};
pub use fleet::{
    Fleet, FleetDatabase, FleetEvent, FleetObserver, FleetOutcome, FleetReport, SkippedFile, Stop, boot_fleet,
};
pub use options::{ForeignKeys, Integrity, Options};
pub use report::{
    AppliedMigration, BackupReport, BootReport, Check, CheckName, ErrorReport, HeldMigration, Milliseconds,
    NewerMigration, Outcome, PlanStep, QueryReport, StepReport, Timing, Verdict, timeline_bars,
};
pub use restore::{DigestCheck, Replaced, RestoreReport};
pub use schema::{Schema, Source, StepResult};
pub use watch::PROGRESS;

pub use bootproof_catalog::Difference;
/// The one that a program's schema is compiled with: generated code names its types.
pub use rusqlite;
#[doc(hidden)] // For generated code: rows that can be serialized.
pub use serde;
