//! Whether a file is sound: every page, every row, and every index against its table.
//!
//! SQLite's own check, `PRAGMA integrity_check`, looks every row up in every index, one by one. The full check here finds the
//! same faults in a tenth of the time:
//!
//! - `tree`: every page is as it should be, used for one thing, and its rows hold what their columns may; what `PRAGMA quick_check`
//!   asks, which is asked itself where the file alone is not what there is to read. `roots` is which trees there are.
//! - `sets`: an index is what its table says exactly if both hold the same set of entries and the index has them in order.
//!   One pass over the table and one over each index tell that.
//! - `length`: whether the file ends where its last page does, which SQLite does not ask.
//! - `pragma`: SQLite's own check. It has the last word: what is not sound beyond doubt is left to it, and so are the shapes
//!   that the comparison does not know. A doubt costs time and refuses nobody.
//!
//! `work` shares the passes out among those whom `crew` has brought together, each with its `hands`; `shape` is what is compared with what. SQLite hands the
//! rows of a table over to a `reader`, which `entries` adds up; where it also has to read an index, `imposter` is how it does so.

mod crew;
mod entries;
mod hands;
mod imposter;
mod length;
mod order;
mod pragma;
mod questions;
mod reader;
mod roots;
mod sets;
mod shape;
#[cfg(test)]
mod tests;
mod tree;
mod work;

use std::sync::Arc;

use rusqlite::Connection;

use crate::error::Error;
use crate::options::Integrity;
use crate::statistics;
use crate::watch::Watch;

pub(crate) use crew::Companions;
use crew::Doubt;
pub(crate) use pragma::check as by_sqlite;
pub(crate) use sets::{Foreseen, Written};
pub(crate) use shape::Coming;

/// Checks a whole file.
///
/// # Errors
///
/// [`Error::Integrity`] with what SQLite found (<https://sqlite.org/pragma.html#pragma_integrity_check>).
pub(crate) fn check(
    connection: &Connection,
    level: Integrity,
    companions: Companions<'_>,
    watch: &Watch,
) -> Result<String, Error> {
    check_and_foresee(connection, level, companions, &Coming::default(), watch).map(|(detail, _)| detail)
}

/// As [`check`]; and finds on the way what the rows demand of indexes that are to be built.
pub(crate) fn check_and_foresee(
    connection: &Connection,
    level: Integrity,
    companions: Companions<'_>,
    coming: &Coming,
    watch: &Watch,
) -> Result<(String, Foreseen), Error> {
    if level != Integrity::Off {
        length::check(connection)?;
    }
    let (is_sound, foreseen) = match level {
        Integrity::Full => sets::is_sound(connection, companions, coming, watch),
        Integrity::Quick => (sets::is_structure_sound(connection, watch, &Doubt::default()), Foreseen::default()),
        Integrity::Sqlite | Integrity::Off => (false, Foreseen::default()),
    };
    watch.proceed()?;
    let detail = if is_sound { pragma::passed(level).to_owned() } else { by_sqlite(connection, level)? };
    Ok((detail, foreseen))
}

/// What [`Integrity::Quick`] asks of a file, on a connection in a transaction and from any thread; stopped with an error as soon as
/// it is in vain.
///
/// # Errors
///
/// As [`check`].
pub(crate) fn check_aside(
    connection: &mut Connection,
    watch: &Watch,
    is_in_vain: Arc<dyn Fn() -> bool + Send + Sync>,
) -> Result<(), Error> {
    let doubt = Doubt::or(is_in_vain);
    if sets::is_structure_sound(connection, watch, &doubt) {
        return Ok(());
    }
    watch
        .attach_helper(connection, move || doubt.is_raised())
        .map_err(|error| Error::from_sqlite("preparing the connection", error))?;
    by_sqlite(connection, Integrity::Quick).map(|_| ())
}

/// Checks what a transaction has written, on the connection that wrote it: nobody else can see it yet.
///
/// The file as it was before has been checked; with [`Integrity::Full`] only new and changed tables and indexes are looked at.
/// The other levels check the whole file again. Others may begin with it while `meanwhile` goes on with what else the boot has to
/// do; `conclude` runs the rest.
///
/// # Errors
///
/// Those of `meanwhile` and `conclude`; what the latter is given fails as [`check`] does.
pub(crate) fn check_written<R>(
    connection: &Connection,
    level: Integrity,
    written: &Written<'_>,
    watch: &Watch,
    boot: &mut R,
    meanwhile: impl FnOnce(&mut R) -> Result<(), Error>,
    conclude: impl FnOnce(&mut R, &mut dyn FnMut() -> Result<String, Error>) -> Result<(), Error>,
) -> Result<(), Error> {
    if level != Integrity::Full {
        meanwhile(boot)?;
        return conclude(boot, &mut || by_sqlite(connection, level));
    }
    sets::is_sound_where_written(connection, written, watch, boot, meanwhile, |boot, is_sound| {
        conclude(boot, &mut || {
            let is_sound = is_sound();
            watch.proceed()?;
            // The schema was read again after the imposters.
            statistics::reload(connection).map_err(|error| error.unless_unreadable(connection))?;
            if is_sound { Ok(pragma::passed(level).to_owned()) } else { by_sqlite(connection, level) }
        })
    })
}
