//! Foreign keys that SQLite cannot check, from the migration that made them to one that mends them.

use std::collections::BTreeSet;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;

use crate::diagnostic::Diagnostic;
use crate::lint;
use crate::rehearse::{Performed, Stage};
use crate::source::File;

/// A foreign key: child and parent.
type Key = (String, String);

/// Those of the schema as it is.
#[derive(Debug, Default)]
pub(crate) struct Unkeyed {
    keys: BTreeSet<Key>,
    /// What has yet to be told.
    findings: Vec<(Key, Diagnostic)>,
}

impl Unkeyed {
    /// Looks at what a migration changed.
    pub(crate) fn follow(
        &mut self,
        stage: &Stage,
        file: &Arc<File>,
        script: &[Performed],
        before: &Catalog,
        after: &Catalog,
    ) -> rusqlite::Result<()> {
        let mut keys = self.keys.clone();
        stage.foreign_key_mismatches(before, after, &mut keys)?;
        self.findings.retain(|(key, _)| keys.contains(key));
        for key in keys.difference(&self.keys) {
            self.findings.push((key.clone(), lint::foreign_key_mismatch(file, script, key)));
        }
        self.keys = keys;
        Ok(())
    }

    /// What has to be told now.
    pub(crate) fn tell(&mut self) -> impl Iterator<Item = Diagnostic> {
        self.findings.drain(..).map(|(_, finding)| finding)
    }
}
