//! The options of `fleet`.

use std::path::PathBuf;
use std::time::Duration;

use bootproof::{Fleet, Options, Schema};
use clap::Args;

use super::options::{CheckArgs, LimitArgs, seconds};

#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    /// The directory of the databases
    #[arg(value_name = "DIRECTORY")]
    pub(crate) directory: PathBuf,

    /// Which files are databases: `*` any number of characters, `?` one, `/` a directory down
    ///
    /// Never files that belong to another: `-wal`, `-shm`, `-journal`, backups and what boots and restores leave.
    #[arg(long, value_name = "PATTERN", default_value = "*.db")]
    pattern: String,

    /// How many to boot at once [default: two for each processor, at most 8]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,

    /// How much memory the boots under way may take together, in megabytes
    #[arg(long, value_name = "MEGABYTES")]
    memory: Option<u32>,

    /// Begin with no database any more after this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    deadline: Option<Duration>,

    /// How long what is under way may then go on, before it is rolled back [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "deadline")]
    grace: Option<Duration>,

    /// Believe the seal of a database that was proven before, and read no more of it
    #[arg(long)]
    resume: bool,

    /// Migrate without backups
    #[arg(long)]
    no_backup: bool,

    #[command(flatten)]
    limit: LimitArgs,

    #[command(flatten)]
    checks: CheckArgs,
}

impl FleetArgs {
    pub(super) fn apply_to(&self, mut options: Options) -> Options {
        options.backup &= !self.no_backup;
        self.checks.apply_to(self.limit.apply_to(options))
    }

    /// The fleet that is asked for.
    pub(crate) fn fleet<'s>(&self, schema: &'s Schema, options: Options) -> Fleet<'s> {
        let fleet = Fleet::new(schema, &self.directory).options(options).pattern(&self.pattern).resume(self.resume);
        let fleet = self.threads.into_iter().fold(fleet, |fleet, threads| fleet.threads(usize::from(threads)));
        let bytes = self.memory.map(|megabytes| u64::from(megabytes) * 1_000_000);
        let fleet = bytes.into_iter().fold(fleet, Fleet::memory);
        let fleet = self.deadline.into_iter().fold(fleet, Fleet::deadline);
        self.grace.into_iter().fold(fleet, Fleet::grace)
    }
}
