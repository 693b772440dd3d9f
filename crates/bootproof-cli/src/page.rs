//! Brings together what a page about a run is made from.

use std::path::{Path, PathBuf};

use bootproof::inspect::Measure;
use bootproof::{Boot, BootReport, Error, Failure, Schema};

use crate::html::{self, ObjectKind, ObjectSize};
use crate::logging;

/// A page that is to be written when the run is over.
pub(crate) struct Page<'a> {
    schema: &'a Schema,
    boot: &'a Boot<'a>,
    path: &'a Path,
    database: PathBuf,
}

impl<'a> Page<'a> {
    /// Asks before an hour's work whether the page can be written after it.
    pub(crate) fn begin(
        schema: &'a Schema,
        boot: &'a Boot<'a>,
        path: &'a Path,
        database: &Path,
    ) -> Result<Self, Error> {
        let database = database.to_owned();
        html::can_be_written(path, Some(&database)).map_err(|error| unwritten(path, &error))?;
        Ok(Self { schema, boot, path, database })
    }

    /// Writes it, of a good end or a bad one.
    pub(crate) fn finish(&self, result: &Result<BootReport, Failure>) -> Result<(), Error> {
        let (report, sizes) = match result {
            Ok(report) => (report, self.sizes()),
            // Whoever was kept out would only be kept waiting again.
            Err(failure @ Failure { error: Error::Locked { .. }, .. }) => (&*failure.report, Vec::new()),
            Err(failure) => (&*failure.report, self.sizes()),
        };
        let page = html::render(&html::Page {
            report,
            schema_name: self.schema.name(),
            build: self.schema.build(),
            generated_at: &jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            sizes: &sizes,
            log: &logging::kept(),
        });
        html::write(self.path, &page, Some(&self.database)).map_err(|error| unwritten(self.path, &error))
    }

    /// How large everything is now. Nobody is to miss a page because this could not be told.
    fn sizes(&self) -> Vec<ObjectSize> {
        let Ok(health) = self.boot.measure(Measure { pages: true, contracts: false }) else { return Vec::new() };
        let tables = health.tables.into_iter().filter_map(|table| {
            let bytes = table.space?.bytes;
            Some(ObjectSize {
                table: table.name.clone(),
                name: table.name,
                kind: ObjectKind::Table,
                rows: table.rows,
                bytes,
            })
        });
        let indexes = health.indexes.into_iter().filter_map(|index| {
            let bytes = index.space?.bytes;
            Some(ObjectSize { name: index.name, kind: ObjectKind::Index, table: index.table, rows: None, bytes })
        });
        tables.chain(indexes).collect()
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::ReportUnwritable { path: path.to_owned(), message: error.to_string() }
}
