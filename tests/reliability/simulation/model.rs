//! What there should be, and what should become of it.

use std::collections::{BTreeMap, BTreeSet};

use worklog_schema::HEAD;

use super::operation::Work;
use crate::support::PHASE_1;

/// How many of its backups a boot keeps.
const KEPT_BY_BOOTS: usize = 3;

pub(super) type Rows = BTreeMap<String, Vec<u8>>;

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// `None` where it is unmanaged.
    pub(super) version: Option<i64>,
    pub(super) rows: Rows,
    /// Whether somebody has dropped an index of its version.
    pub(super) lacks_index: bool,
    /// The backups that boots have recorded in it, the newest first.
    pub(super) recorded: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// `None` while there is no file.
    pub(super) database: Option<Content>,
    pub(super) backups: BTreeMap<String, Content>,
}

/// What should become of some work that nothing disturbs.
#[derive(Clone, Debug)]
pub(super) enum Expectation {
    /// Nothing changes, with one of these exit codes.
    Refused(&'static [u8]),
    Done(Done),
}

#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) database: Option<Content>,
    /// Whether a backup of what was there is made.
    pub(super) backup: bool,
    /// Whether it is recorded in the database.
    pub(super) is_recorded: bool,
}

impl Model {
    pub(super) fn expect(&self, work: Work, empty: &Rows) -> Expectation {
        use Expectation::Refused;
        match (work, &self.database) {
            (Work::Boot { release, .. }, None) => {
                let database =
                    Content { version: Some(release), rows: empty.clone(), lacks_index: false, recorded: Vec::new() };
                Expectation::Done(Done { database: Some(database), backup: false, is_recorded: false })
            }
            (Work::Boot { release, backup }, Some(old)) => match old.version {
                Some(HEAD) if HEAD > release => Refused(&[4]),
                // What else is beyond an older release only adds indexes: it starts, and leaves them and their absence alone.
                Some(version) if version > release => {
                    Expectation::Done(Done { database: Some(old.clone()), backup: false, is_recorded: false })
                }
                // To adopt the baseline changes no row and no table of the application's.
                Some(HEAD) => old.at(HEAD, false),
                version => {
                    let to = release.min(PHASE_1);
                    old.at(to, backup && version.unwrap_or(0) < to)
                }
            },
            (Work::Revert { .. } | Work::BackUp, None) => Refused(&[8]),
            (Work::Revert { to }, Some(old)) => match old.version {
                // What has made tables anew has no way back.
                Some(HEAD) if to < HEAD => Refused(&[7]),
                Some(version) if to <= version => old.at(to, to < version),
                _ => Refused(&[2, 4, 7]),
            },
            (Work::BackUp, Some(old)) => {
                Expectation::Done(Done { database: Some(old.clone()), backup: true, is_recorded: false })
            }
            // They do not touch the database, which may be missing.
            (Work::Prune { .. } | Work::Restore { .. }, database) => {
                let restored = self.nth_backup(work).map(|name| self.backups[name].clone());
                let database = restored.or_else(|| database.clone());
                Expectation::Done(Done { database, backup: false, is_recorded: false })
            }
        }
    }

    /// The backup that is to be restored.
    pub(super) fn nth_backup(&self, work: Work) -> Option<&String> {
        match work {
            Work::Restore { backup } => self.backups.keys().nth(backup.checked_rem(self.backups.len())?),
            _ => None,
        }
    }

    /// The backups that may go when the work is done, and has made this one.
    pub(super) fn may_go(&self, work: Work, made: Option<&String>) -> BTreeSet<String> {
        match (work, &self.database, made) {
            (Work::Prune { keep }, ..) => self.backups.keys().rev().skip(keep).cloned().collect(),
            (Work::Boot { .. } | Work::Revert { .. }, Some(old), Some(_)) => {
                let old = old.recorded.iter().skip(KEPT_BY_BOOTS - 1);
                old.filter(|name| self.backups.contains_key(*name)).cloned().collect()
            }
            _ => BTreeSet::new(),
        }
    }
}

impl Content {
    /// Brought to a version.
    fn at(&self, version: i64, backup: bool) -> Expectation {
        let database = Self { version: Some(version), lacks_index: false, ..self.clone() };
        Expectation::Done(Done { database: Some(database), backup, is_recorded: backup })
    }
}
