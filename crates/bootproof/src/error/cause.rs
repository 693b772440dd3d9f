//! How each error usually comes about, for the page of errors and for whoever meets one for the first time.

use super::Error;

impl Error {
    /// What usually leads here, in a sentence or two.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one arm for each error")]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Locked { .. } => {
                "another process is writing, or reads while a commit wants the file to itself; a program that was stopped in \
                 the middle of a transaction holds its lock until it ends"
            }
            Self::InUse { .. } => "the application was not stopped before a restore, or another restore is under way",
            Self::Moved => {
                "a restore, a deployment or a person put another file in its place in the moment in which it was opened"
            }
            Self::Divergent { .. } => {
                "a migration file was edited after it had been applied here, or two branches used one number for different \
                 files"
            }
            Self::Missing { .. } => {
                "the database was migrated by a build from another branch, or a file was removed from the directory"
            }
            Self::BelowBaseline { .. } => {
                "the migrations between were squashed into one file, which makes new databases and goes on from finished ones"
            }
            Self::Newer { .. } => "an older build was deployed after a newer one had migrated the database",
            Self::Malformed { .. } => {
                "somebody wrote into the table by hand, or another program keeps a table of the same name"
            }
            Self::NotAdoptable { .. } => {
                "the path names another program's database, or one from before the baseline was written"
            }
            Self::HalfMigrated { .. } => {
                "a migration failed under the tool that managed the database before, or that tool was killed, and nobody has cleaned \
                 up since"
            }
            Self::NotTakenOver { .. } => {
                "somebody changed the schema by hand, edited a migration after it had been applied, or told the other tool that it \
                 had been"
            }
            Self::Drifted { .. } => "somebody changed tables, columns, triggers or views by hand",
            Self::Behind { .. } => {
                "the newer build has not booted this database yet; only checks that change nothing say so"
            }
            Self::Unrepaired { .. } => {
                "somebody dropped an index, or made it otherwise, since the last boot; until it is back, queries may be slower"
            }
            Self::Incompatible { .. } => {
                "an object that somebody added needs a function, a collation or a module that only their program has, or \
                 computes what no memory holds"
            }
            Self::SourcesDisagree { .. } => "a build directory was carried over from another state of the sources",
            Self::MigrationFailed { .. } => {
                "the rows of this database violate what the migration demands; the build could only rehearse it on others"
            }
            Self::StepsMissing { .. } => {
                "a migration has a step in Rust, and the program that boots is not the application, or has not registered it"
            }
            Self::StepFailed { .. } => {
                "the function that a migration calls met rows it could not handle, or wrote a table that its migration does not \
                 name"
            }
            Self::NotAlone { .. } => {
                "what a migration outside the transaction does is done to a copy, for which backups were switched off, or the \
                 file is open already: `migrate` was given a connection"
            }
            Self::RepairFailed { .. } => {
                "the index was dropped by hand, and rows that it does not admit came in since; or something else took its name"
            }
            Self::RowCountsChanged { .. } => {
                "a trigger or a cascade fired while a migration ran, and touched tables that the migration does not name"
            }
            Self::AdditionsLost { .. } => {
                "the application or an operator added tables or columns at run time, and a table rebuild does not know them"
            }
            Self::ContractBroken { .. } => {
                "with this data and its statistics SQLite prefers another index, or none, and the query does too much work for \
                 what it returns"
            }
            Self::Integrity { .. } => {
                "the file was damaged: by a disk, by a copy made while it was written to, by a missing `-wal`, by a program \
                 that wrote into it"
            }
            Self::ForeignKeys { are_new: true, .. } => {
                "a migration brings a key that rows violate which were no violation before, or loses parents of rows"
            }
            Self::ForeignKeys { .. } => {
                "a program without `PRAGMA foreign_keys = ON` deleted parents and left their children"
            }
            Self::CommitUncertain { .. } => "the disk reported an error while the commit was being written",
            Self::BackupFailed { .. } => {
                "no space, no permission to write beside the database, or a disk that returned other bytes than were written"
            }
            Self::ReportUnwritable { .. } => {
                "its directory does not exist or may not be written, or something that is no page has its name"
            }
            Self::DiskFull { .. } => "less space than the backup, the new indexes and sorting need",
            Self::OutOfMemory { .. } => {
                "a limit on the memory of the process or its container, or a machine without any left; a boot needs 70 to 150 MB, \
                 whatever the size of the database"
            }
            Self::Storage { .. } => {
                "the path does not exist, belongs to another user, is not a regular file, or the disk fails"
            }
            Self::InTransaction => "`migrate` was given a connection on which the application had begun a transaction",
            Self::Environment { .. } => "a variable was misspelt",
            Self::Cancelled => "Ctrl-C, SIGTERM, or the application's own switch",
            Self::NotRevertable { .. } => {
                "a migration on the way changes rows or drops something, so that no script can be derived, and none was written"
            }
            Self::RevertFailed { .. } => "rows that were written since stand in the way of the script",
            Self::NoSuchVersion { .. } => {
                "a version above the database, below the baseline, or of no migration here was named"
            }
            Self::RestoreRefused { .. } => {
                "the name is misspelt, or is not of a backup; or a program has opened the backup itself and written into it"
            }
            Self::DigestDiffers { .. } => {
                "the backup was written into, copied incompletely, or the disk has lost some of it since"
            }
            Self::BackupDamaged { .. } => {
                "it was copied while the database was written to, or without its log, or the disk has lost some of it since"
            }
            Self::BackupUnfit { .. } => "it was made by a newer build, or is of another program's database",
            Self::RestoreInterrupted { .. } => {
                "power failed, or the process was killed, in the moment in which one file takes the other's place"
            }
            Self::BackupNotRemoved { .. } => "its directory may not be written",
            Self::Unexpected { .. } => "SQLite reported something that no rule of this program expects",
        }
    }
}
