//! Brings together what a page about a run is made from.

use std::path::{Path, PathBuf};

use bootproof::{Boot, BootReport, Error, Failure, Schema};

use crate::html::{self, ObjectSize};
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
        let report = match result {
            Ok(report) => report,
            Err(failure) => &failure.report,
        };
        let page = html::render(&html::Page {
            report,
            schema_name: self.schema.name(),
            build: self.schema.build(),
            generated_at: &jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            sizes: &self.sizes(),
            log: &logging::kept(),
        });
        html::write(self.path, &page, Some(&self.database)).map_err(|error| unwritten(self.path, &error))
    }

    fn sizes(&self) -> Vec<ObjectSize> {
        let _ = self.boot;
        Vec::new()
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::ReportUnwritable { path: path.to_owned(), message: error.to_string() }
}
