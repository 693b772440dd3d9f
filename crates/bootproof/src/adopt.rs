//! Recognising a database that has tables but no history.

use bootproof_catalog::{Difference, Severity};

use crate::error::Error;

/// Proves, from its differences, that an unmanaged database contains the baseline: its tables, their columns with their
/// affinity, their primary keys. What differs otherwise (a DEFAULT, a NOT NULL, a foreign key) is returned by key, to be
/// recorded and tolerated from then on: installations of an application that managed its own schema are never quite alike.
///
/// Missing or different indexes are no obstacle: the boot that adopts also repairs.
pub(crate) fn prove(baseline: &'static str, differences: &[Difference]) -> Result<Vec<String>, Error> {
    let of = |severity| differences.iter().filter(move |difference| difference.severity == severity);
    let missing: Vec<Difference> = of(Severity::Missing).cloned().collect();
    if !missing.is_empty() {
        return Err(Error::NotAdoptable { baseline, differences: missing });
    }
    Ok(of(Severity::Differs).map(|difference| difference.key.clone()).collect())
}
