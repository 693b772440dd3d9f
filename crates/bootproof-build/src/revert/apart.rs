//! Tries a way back on the parts of a schema that it is about, apart from all others.
//!
//! SQLite reads its whole schema again when a change of it is undone, which with hundreds of tables takes longer than all
//! the rest. To drop a table, an index, a trigger or a view asks nothing of any other part of the schema; to drop a column
//! does, and is never tried here.

use std::collections::BTreeSet;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;

use crate::compilation::Object;
use crate::compiler::Stub;
use crate::rehearse::{Performed, Stage};
use crate::source::File;

/// A database that is empty between two trials.
pub(crate) struct Apart(Stage);

impl Apart {
    pub(crate) fn open(stubs: &[Stub]) -> rusqlite::Result<Self> {
        Stage::open(stubs).map(Self)
    }

    /// What a script did that drops what was added, if that left the rest as it was. `None` says nothing: something may need
    /// more of the schema than it names.
    pub(super) fn try_out(
        &self,
        stage: &Stage,
        after: &Catalog,
        added: &[Object],
        script: &Arc<File>,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        let (mut made, mut there) = (BTreeSet::new(), BTreeSet::new());
        for object in added {
            let owner = match object {
                Object::Table(_) | Object::View(_) => None,
                Object::Index(name) => after.indexes.get(&name.to_ascii_lowercase()).map(|index| &index.table),
                Object::Trigger(name) => after.triggers.get(&name.to_ascii_lowercase()).map(|trigger| &trigger.table),
                Object::Column { .. } => return Ok(None),
            };
            made.insert(object.name().to_ascii_lowercase());
            there.extend(owner.map(|owner| owner.to_ascii_lowercase()));
        }
        there.retain(|name| !made.contains(name));
        let (there, made) = (stage.statements_of(&there)?, stage.statements_of(&made)?);
        self.0.try_on(&there, &made, script)
    }
}
