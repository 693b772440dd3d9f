//! New files: made from the compiled image, proven in memory, written whole, and read back.
//!
//! Nobody has touched what is proven here, so it is proven where that costs least; what may go wrong is writing it, and that is
//! seen by reading every byte again.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use super::order::Run;
use crate::connection::{self, Session};
use crate::error::Error;
use crate::event::Step;
use crate::ffi;
use crate::fresh::{self, Created};
use crate::integrity;
use crate::report::{BootReport, CheckName, Milliseconds, Outcome, Verdict};

/// So much is read back at once.
const PIECE: usize = 64 << 10;

impl Run<'_> {
    /// Makes the file. Returns whether it is there and proven; otherwise it is for the general way to look at.
    pub(super) fn create(&mut self) -> Result<bool, Error> {
        let mut made = fresh::stamped(self.schema)?;
        let is_proven = self.prove_made(&mut made)?;
        let bytes = fresh::packed(&mut made)?;
        if fresh::create(self.path, &bytes)? == Created::No {
            // What was made and proven is not what is there.
            self.report = BootReport::new(std::mem::take(&mut self.report.database));
            return Ok(false);
        }
        self.report.created = true;
        if !is_proven || self.options.benchmark {
            return Ok(false);
        }
        let is_as_made = self.watch.clone().step(Step::Look, 0, || {
            let connection = connection::open(self.path, false)?;
            Ok(holds(&connection, self.path, &bytes) && !ffi::has_moved(&connection))
        });
        fresh::refuse_log_of_another(self.path)?;
        // Whatever else is there, somebody may have put in since.
        if !is_as_made? {
            return Ok(false);
        }
        self.report.to_version = Some(self.schema.head());
        self.report.verdict = Verdict::Ready;
        Ok(true)
    }

    /// The checks of a database that has no rows but those of its migrations. Returns whether all of them passed.
    fn prove_made(&mut self, made: &mut Connection) -> Result<bool, Error> {
        self.report_stamped();
        let session = Session::new(made, self.path, self.options.lock_timeout, &self.watch)?;
        let mut passed = |name, detail: &str, took| {
            self.report.record(name, Outcome::Passed, detail.to_owned(), took);
        };
        passed(CheckName::Schema, "made from what was compiled", Milliseconds::default());
        passed(CheckName::Indexes, "made from what was compiled", Milliseconds::default());
        let start = Instant::now();
        let violates = session.connection.prepare("PRAGMA main.foreign_key_check").and_then(|mut rows| rows.exists([]));
        if violates.map_err(|error| Error::from_sqlite("checking the new database", error))? {
            return Ok(false);
        }
        passed(CheckName::ForeignKeys, "every row has its parent", start.elapsed().into());
        self.report.skip(CheckName::RowCounts, "there were none");
        self.check_integrity_by(0, |level, _| integrity::by_sqlite(session.connection, level))?;
        Ok(self.check_contracts(&session, self.schema.head(), false)?.is_empty())
    }
}

/// Whether a file has these bytes and no others.
fn holds(connection: &Connection, path: &Path, bytes: &[u8]) -> bool {
    // A header pragma takes the lock without reading the schema.
    let begun = connection.execute_batch("BEGIN; PRAGMA main.user_version").is_ok();
    let has_length = path.metadata().is_ok_and(|file| usize::try_from(file.len()) == Ok(bytes.len()));
    let mut buffer = vec![0; PIECE];
    let is_there = |(number, piece): (usize, &[u8])| {
        let found = buffer.get_mut(..piece.len()).unwrap_or_default();
        let offset = i64::try_from(number * PIECE).unwrap_or(i64::MAX);
        ffi::read_file(connection, found, offset).is_ok() && found == piece
    };
    begun && has_length && bytes.chunks(PIECE).enumerate().all(is_there)
}
