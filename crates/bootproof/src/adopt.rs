//! Recognising a database that has tables but no history.

use bootproof_catalog::{Catalog, Difference, Severity, difference};

use crate::error::Error;
use crate::expected;
use crate::plan::Start;
use crate::schema::Schema;

/// Proves that an unmanaged database contains the baseline: its tables, their columns with their affinity, their primary
/// keys. What differs otherwise (a DEFAULT, a NOT NULL, a foreign key) is returned, to be recorded and tolerated from
/// then on: installations of an application that managed its own schema are never quite alike.
///
/// Missing or different indexes are no obstacle: the boot that adopts also repairs.
pub(crate) fn prove(schema: &Schema, start: Start, live: &Catalog) -> Result<Vec<Difference>, Error> {
    let Start::Unmanaged(baseline, version) = start else { return Ok(Vec::new()) };
    let expected = expected::catalog_at(schema, version)?;
    let (missing, rest): (Vec<_>, Vec<_>) = difference::between(&expected, live)
        .into_iter()
        .partition(|difference| difference.severity == Severity::Missing);
    if !missing.is_empty() {
        return Err(Error::NotAdoptable { baseline, differences: missing });
    }
    Ok(rest.into_iter().filter(|difference| difference.severity == Severity::Differs).collect())
}
