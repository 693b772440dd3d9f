//! What each error means for the operator: an exit code, a word for programs, what to do next.

use super::Error;

impl Error {
    /// The exit code of a program that stops for this reason: one per next act of the operator.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unexpected { .. } => 1,
            Self::InTransaction | Self::Environment { .. } | Self::NoSuchVersion { .. } | Self::NotAlone { .. } => 2,
            Self::Locked { .. } | Self::InUse { .. } | Self::Moved => 3,
            Self::Divergent { .. }
            | Self::Missing { .. }
            | Self::BelowBaseline { .. }
            | Self::Newer { .. }
            | Self::Malformed { .. }
            | Self::NotAdoptable { .. }
            | Self::HalfMigrated { .. }
            | Self::NotTakenOver { .. }
            | Self::Drifted { .. }
            | Self::Behind { .. }
            | Self::Unrepaired { .. }
            | Self::Incompatible { .. }
            | Self::StepsMissing { .. }
            | Self::SourcesDisagree { .. } => 4,
            Self::MigrationFailed { .. }
            | Self::StepFailed { .. }
            | Self::RepairFailed { .. }
            | Self::RowCountsChanged { .. }
            | Self::AdditionsLost { .. }
            | Self::ContractBroken { .. } => 5,
            Self::Integrity { .. } | Self::ForeignKeys { .. } => 6,
            Self::BackupUnfit { reason, .. } => reason.exit_code(),
            Self::NotRevertable { .. }
            | Self::RevertFailed { .. }
            | Self::DigestDiffers { .. }
            | Self::BackupDamaged { .. }
            | Self::RestoreInterrupted { .. } => 7,
            Self::CommitUncertain { .. }
            | Self::BackupFailed { .. }
            | Self::ReportUnwritable { .. }
            | Self::DiskFull { .. }
            | Self::OutOfMemory { .. }
            | Self::Storage { .. }
            | Self::RestoreRefused { .. }
            | Self::BackupNotRemoved { .. } => 8,
            // What a shell reports of a program that SIGINT ended.
            Self::Cancelled => 130,
        }
    }

    /// The reason as one stable word for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "locked",
            Self::InUse { .. } => "in_use",
            Self::Moved => "moved",
            Self::Divergent { .. } => "divergent",
            Self::Missing { .. } => "missing",
            Self::BelowBaseline { .. } => "below_baseline",
            Self::Newer { .. } => "newer",
            Self::Malformed { .. } => "malformed_history",
            Self::NotAdoptable { .. } => "not_adoptable",
            Self::HalfMigrated { .. } => "half_migrated",
            Self::NotTakenOver { .. } => "not_taken_over",
            Self::Drifted { .. } => "drifted",
            Self::Behind { .. } => "behind",
            Self::Unrepaired { .. } => "unrepaired",
            Self::Incompatible { .. } => "incompatible",
            Self::SourcesDisagree { .. } => "sources_disagree",
            Self::MigrationFailed { .. } => "migration_failed",
            Self::StepsMissing { .. } => "steps_missing",
            Self::StepFailed { .. } => "step_failed",
            Self::NotAlone { .. } => "not_alone",
            Self::RepairFailed { .. } => "repair_failed",
            Self::RowCountsChanged { .. } => "row_counts_changed",
            Self::AdditionsLost { .. } => "additions_lost",
            Self::ContractBroken { .. } => "contract_broken",
            Self::Integrity { .. } => "integrity",
            Self::ForeignKeys { .. } => "foreign_keys",
            Self::CommitUncertain { .. } => "commit_uncertain",
            Self::BackupFailed { .. } => "backup_failed",
            Self::ReportUnwritable { .. } => "report_unwritable",
            Self::DiskFull { .. } => "disk_full",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::Storage { .. } => "storage",
            Self::InTransaction => "in_transaction",
            Self::Environment { .. } => "environment",
            Self::Cancelled => "cancelled",
            Self::NotRevertable { .. } => "not_revertable",
            Self::RevertFailed { .. } => "revert_failed",
            Self::NoSuchVersion { .. } => "no_such_version",
            Self::RestoreRefused { .. } => "restore_refused",
            Self::DigestDiffers { .. } => "digest_differs",
            Self::BackupDamaged { .. } => "backup_damaged",
            Self::BackupUnfit { reason, .. } => reason.kind(),
            Self::RestoreInterrupted { .. } => "restore_interrupted",
            Self::BackupNotRemoved { .. } => "backup_not_removed",
            Self::Unexpected { .. } => "unexpected",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Locked { .. } => {
                "end the transaction that holds the database, then restart; or wait longer: `BOOTPROOF_LOCK_TIMEOUT` (seconds), `--lock-timeout`"
            }
            Self::InUse { .. } => "stop the program named above, then run `restore` again: nothing is waited for",
            Self::Moved => "restart: the file that is there now will be opened; stop whatever renames databases in use",
            Self::Divergent { .. } => {
                "deploy a build from the files that were applied; an applied migration is never edited, a change is a new migration"
            }
            Self::Missing { .. } => "deploy a build that contains every migration named above",
            Self::BelowBaseline { .. } => {
                "boot it once with a build that still has that migration in a file of its own, then with this one"
            }
            Self::Newer { .. } => {
                "deploy a build of at least that version, or restore the backup that was made before it"
            }
            Self::Malformed { .. } => "correct the rows named above, or restore a backup",
            Self::NotAdoptable { .. } => {
                "is this the right file, and the right build for its age? bring it to the baseline with the tool that made it, then restart"
            }
            Self::HalfMigrated { .. } => {
                "finish or take back that migration with the tool that began it, or restore a backup, then restart"
            }
            Self::NotTakenOver { .. } => {
                "undo what was changed by hand; or was the file changed after it had been applied? then build from the file that was"
            }
            Self::Drifted { .. } => "undo what was changed by hand, or restore a backup",
            Self::Behind { .. } => "boot: start the application, or run the command `boot`",
            Self::Unrepaired { .. } => "boot: start the application, or run the command `boot`, and it is repaired",
            Self::Incompatible { .. } => {
                "remove what was added to the database that SQLite names there, an index, CHECK or trigger as a rule; or migrate \
                 through a connection that has what it needs"
            }
            Self::SourcesDisagree { .. } => "build again from a clean checkout",
            Self::MigrationFailed { message, .. } if message.contains("no such function") => {
                "the application registers that function: let it migrate through a connection that has it (`bootproof::migrate`)"
            }
            Self::MigrationFailed { .. } => "correct the rows or the migration, then restart",
            Self::StepsMissing { .. } => {
                "boot with the application's own program, which has them; its author registers each: \
                 `Schema::with_step(step::NAME, function)`"
            }
            Self::StepFailed { .. } => "correct the rows or the step, then restart",
            Self::NotAlone { .. } => {
                "switch backups on (`BOOTPROOF_BACKUP=on`), and boot with the path of the database before anything opens it; \
                 `BOOTPROOF_TARGET`, the version before it, starts without it"
            }
            Self::RepairFailed { .. } => {
                "remove what stands in its way, rows that it does not admit or another object of that name, then restart"
            }
            Self::RowCountsChanged { .. } => "a trigger or a cascade changed rows: correct the migration",
            Self::AdditionsLost { .. } => "save them elsewhere, or make them part of the schema, then restart",
            Self::ContractBroken { .. } => "adapt the query or its index to this data; `verify` shows the plans",
            Self::Integrity { .. } => {
                "restore a backup; where only index entries are wrong, `REINDEX` in the sqlite3 shell makes them anew"
            }
            Self::ForeignKeys { are_new: true, .. } => {
                "correct or delete those rows, then restart: `no-new` tolerates only what violated the same key before the migration"
            }
            Self::ForeignKeys { .. } => {
                "correct or delete those rows; to start now and leave them: option `foreign_keys(ForeignKeys::NoNew)`, flag `--foreign-keys no-new` or `BOOTPROOF_FOREIGN_KEYS=no-new`"
            }
            Self::CommitUncertain { .. } => {
                "check the disk, then restart: the next boot finds the old state or the new one, both whole"
            }
            Self::BackupFailed { .. } => {
                "free space or give write permission in the database's directory, then restart"
            }
            Self::ReportUnwritable { .. } => "name another file for the report, or do without it",
            Self::DiskFull { .. } => {
                "free space, then try again; a migrating boot needs less with `BOOTPROOF_BACKUP=off`"
            }
            Self::OutOfMemory { .. } => {
                "give the process more memory, by its own limit or that of its container, or end others; then restart"
            }
            Self::Storage { .. } => "check the path, its owner, its permissions and the disk, then restart",
            Self::InTransaction => "commit or roll back before migrating",
            Self::Environment { .. } => "correct or unset the variable",
            Self::Cancelled => "start it again when it suits",
            Self::NotRevertable { .. } => {
                "restore the backup that was made before: `backups` lists them; or write a `.down.sql` and deploy that build"
            }
            Self::RevertFailed { .. } => "correct the rows that stand in its way, or restore the backup made before",
            Self::NoSuchVersion { .. } => "`status` tells the version of the database and those of this binary",
            Self::RestoreRefused { .. } => "`backups` lists those that lie beside the database",
            Self::DigestDiffers { .. } => {
                "take another backup; to restore this one all the same, look at what changed it and then remove its `.b3`"
            }
            Self::BackupDamaged { .. } => "take another backup: `backups --examine` shows which are sound",
            Self::BackupUnfit { .. } => {
                "deploy the build that this backup belongs to and restore with that, or take another backup"
            }
            Self::RestoreInterrupted { .. } => {
                "run `restore` again, of that backup or of another: until it has finished, nothing opens the database"
            }
            Self::BackupNotRemoved { .. } => "give write permission in its directory",
            Self::Unexpected { .. } => "report this as a bug, with the whole message",
        }
    }
}
