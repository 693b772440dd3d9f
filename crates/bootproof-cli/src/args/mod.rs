//! What can be asked, and the help that teaches it.

mod answer;
mod fleet;
mod help;
mod options;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bootproof::{Options, Schema};
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use log::LevelFilter;

pub(crate) use self::answer::AnswerArgs;
pub(crate) use self::fleet::FleetArgs;
use self::help::{EXAMPLES, LONG_HELP};
use self::options::RevertArgs;
pub(crate) use self::options::{BootArgs, CheckArgs, LimitArgs, ReportArgs, seconds};

/// Migrates the SQLite database that this program was compiled for, and proves it before committing
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit codes, environment variables and examples: --help", after_long_help = LONG_HELP)]
pub(crate) struct Cli {
    /// The database file
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_DB", hide_env_values = true)]
    #[arg(global = true, help_heading = EVERY)]
    pub(crate) db: Option<PathBuf>,

    #[command(flatten, next_help_heading = EVERY)]
    answer: AnswerArgs,

    /// How long to wait for another process that holds the database [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, global = true, help_heading = EVERY)]
    lock_timeout: Option<Duration>,

    /// Say more on standard error; twice for everything
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = EVERY)]
    verbose: u8,

    /// Say only errors on standard error
    #[arg(short, long, conflicts_with = "verbose", global = true, help_heading = EVERY)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring the database to the version of this program, or change nothing and say why
    ///
    /// What the application does when it starts: back up, apply what is pending, prove it, commit only then.
    Boot(BootArgs),
    /// Boot every database of a directory, several at once, each as `boot` does
    ///
    /// A file that fails never stops the others: it is as it was, and told with its error. The exit code is 0 where every database is
    /// ready; the one that the failing ones share, or 10; 3 where the time was up before all had their turn. Started
    /// again, it goes on. Not `--db` but DIRECTORY says where.
    Fleet(FleetArgs),
    /// Show where the database stands: version, history, pending migrations, backups
    ///
    /// Writes nothing. Where a boot would be refused it says why, with exit code 0.
    Status(LimitArgs),
    /// Show what `boot` would do, how long it would take, the disk space it would need, who would wait
    ///
    /// Writes nothing. Where a boot would be refused it says why, with exit code 0.
    Plan(LimitArgs),
    /// Make every validation of `boot` on the database as it is
    ///
    /// Writes nothing, and may run while an application uses the database. The exit code is that of the first validation
    /// that fails.
    Verify {
        #[command(flatten)]
        checks: CheckArgs,
        #[command(flatten)]
        report: ReportArgs,
    },
    /// Time every query contract with parameters taken from the data
    ///
    /// Writes nothing: median, 95th percentile, rows and the index used, each against its budget.
    Bench(ReportArgs),
    /// Make a verified copy of the database beside it, with its digest
    ///
    /// May run while an application uses the database. `b3sum --check FILE.b3` checks the copy anywhere.
    Backup {
        /// Afterwards remove all but the newest so many backups; never one without our name and digest
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
        keep: Option<u32>,
    },
    /// List the backups beside the database: age, size, version, origin
    ///
    /// Writes nothing, and works also where the database is damaged or gone.
    Backups {
        /// Read every backup: compare it with its digest, check its pages
        #[arg(long)]
        examine: bool,
    },
    /// Put a backup in the place of the database; stop the application first
    ///
    /// The backup is checked against its digest, its integrity is checked, and this program must be able to boot it. The
    /// file that is replaced is kept beside it. Refused while anybody has the database open.
    Restore {
        /// The backup: a path, or the name of a file beside the database
        #[arg(value_name = "BACKUP")]
        backup: PathBuf,
    },
    /// Take the database back to an earlier version, in one proven transaction, after a backup
    ///
    /// Rows and columns that came with the reverted migrations are gone afterwards, but for the backup. An application of
    /// the newer version goes up again when it next starts, unless BOOTPROOF_TARGET says how far it may go.
    Revert(RevertArgs),
    /// Tell how the database is: sizes, rows, indexes, backups, hot queries; for cron and monitoring
    ///
    /// Writes nothing. Exit code 9 where an alert is raised; where a boot would be refused, the exit code of that. Reads the
    /// whole file, in one transaction: about 7 seconds for a gigabyte, in which without WAL nobody else can commit. With
    /// `--quick` a fraction of a second.
    Health {
        /// The thresholds, where they differ from the defaults
        #[arg(long, value_name = "FILE", env = "BOOTPROOF_HEALTH", hide_env_values = true)]
        config: Option<PathBuf>,
        /// Answer in the text format of Prometheus
        #[arg(long, conflicts_with_all = ["json", "format"])]
        prometheus: bool,
        /// Leave out what reads the whole file: sizes and fragmentation of tables and indexes, timed queries
        #[arg(long)]
        quick: bool,
    },
    /// Print the SQL that this program carries
    ///
    /// With a version exactly that file; without one every migration in order. Needs no database.
    Sql {
        /// The version of one migration
        version: Option<i64>,
    },
    /// Compile a directory of migrations as the build would: rehearse, lint, prove. Needs no database
    ///
    /// The exit code is 1 where something is wrong.
    Check {
        /// The directory
        #[arg(value_name = "DIRECTORY", default_value = "migrations")]
        directory: PathBuf,
    },
    /// List the migrations of a directory as released, in its `migrations.lock`; commit that before the release
    ///
    /// From then on a build fails where one of them is edited, renamed or removed, or where a new one comes before them.
    /// Entries are only added. The exit code is 1 where the directory does not compile.
    Lock {
        /// The directory
        #[arg(value_name = "DIRECTORY", default_value = "migrations")]
        directory: PathBuf,
    },
    /// Print one file that leaves the same schema and rows as all migrations up to a version, proven
    ///
    /// It is for beginning a new directory: a database that has a history goes on needing the files it was made by.
    Squash {
        /// The directory
        #[arg(value_name = "DIRECTORY", default_value = "migrations")]
        directory: PathBuf,
        /// The last version that goes into it
        #[arg(long, value_name = "VERSION")]
        to: i64,
        /// Write it to this file, which must not exist yet
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write the file of the next migration, or with `--contract` that of a query contract
    New {
        /// What it does, in a few words
        name: String,
        /// Write a query contract that this index has to serve
        #[arg(long, value_name = "INDEX")]
        contract: Option<String>,
        /// The directory of migrations
        #[arg(long, value_name = "DIRECTORY", default_value = "migrations")]
        migrations: PathBuf,
    },
    /// Print what makes a shell complete this command
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loudness {
    pub(crate) verbose: u8,
    pub(crate) quiet: bool,
}

/// The heading of what every command takes.
const EVERY: &str = "Options of every command";

/// Reads the arguments; the first is the program itself.
///
/// # Errors
///
/// What to print instead of running: the help, the version, or what is wrong with the arguments.
pub(crate) fn parse(schema: &Schema, program: &str, arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = command(schema, program);
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The command line of this schema: its default database, and examples with the name the operator typed.
pub(crate) fn command(schema: &Schema, program: &str) -> clap::Command {
    let mut command = Cli::command().name(schema.name()).bin_name(program).version(schema.build());
    if let Some(path) = schema.default_database() {
        command = command.mut_arg("db", |db| db.default_value(path));
    }
    EXAMPLES.iter().fold(command, |command, (name, example)| {
        command.mut_subcommand(name, |subcommand| subcommand.after_help(format!("Example: {program} {example}")))
    })
}

impl Cli {
    /// What another parser has read: the database, whether to answer in JSON, how long to wait, how much to say.
    pub(crate) fn of(
        db: PathBuf,
        answer: AnswerArgs,
        lock_timeout: Option<Duration>,
        said: Loudness,
        command: Command,
    ) -> Self {
        let Loudness { verbose, quiet } = said;
        Self { db: Some(db), answer, lock_timeout, verbose, quiet, command }
    }

    /// Whether a program reads the answer.
    pub(crate) fn is_json(&self) -> bool {
        self.answer.is_json()
    }

    /// Whether a flag says how long to wait.
    pub(crate) fn names_patience(&self) -> bool {
        self.lock_timeout.is_some()
    }

    /// Overrules the options that flags were given for.
    pub(crate) fn apply_to(&self, mut options: Options) -> Options {
        options.lock_timeout = self.lock_timeout.unwrap_or(options.lock_timeout);
        match &self.command {
            Command::Boot(boot) => boot.apply_to(options),
            Command::Fleet(fleet) => fleet.apply_to(options),
            Command::Revert(revert) => revert.apply_to(options),
            Command::Verify { checks, .. } => checks.apply_to(options),
            Command::Status(limit) | Command::Plan(limit) => limit.apply_to(options),
            _ => options,
        }
    }

    /// Where a page about the run is to be written.
    pub(crate) fn report(&self) -> Option<&PathBuf> {
        self.report_args()?.report.as_ref()
    }

    /// Whether a person wants to see where the time went.
    pub(crate) fn shows_timeline(&self) -> bool {
        !self.is_json() && self.report_args().is_some_and(|report| report.timeline)
    }

    fn report_args(&self) -> Option<&ReportArgs> {
        match &self.command {
            Command::Boot(BootArgs { report, .. })
            | Command::Revert(RevertArgs { report, .. })
            | Command::Verify { report, .. }
            | Command::Bench(report) => Some(report),
            _ => None,
        }
    }

    /// Whether the command works for long enough that somebody at a terminal wants to see how far it is.
    pub(crate) fn shows_progress(&self) -> bool {
        let is_quick = matches!(
            self.command,
            Command::Sql { .. }
                | Command::Check { .. }
                | Command::Lock { .. }
                | Command::Squash { .. }
                | Command::New { .. }
        );
        !self.quiet && !is_quick
    }

    /// How much of what the engine logs is shown: what changes a database tells what it does, unless a bar shows it; the
    /// rest answer in silence.
    pub(crate) fn log_level(&self, has_bar: bool) -> LevelFilter {
        let changes = matches!(
            self.command,
            Command::Boot(_) | Command::Revert(_) | Command::Restore { .. } | Command::Backup { .. }
        );
        let usual = if changes && !has_bar { LevelFilter::Info } else { LevelFilter::Warn };
        match (self.quiet, self.verbose, usual) {
            (true, ..) => LevelFilter::Error,
            (false, 0, usual) => usual,
            (false, 1, LevelFilter::Warn) => LevelFilter::Info,
            (false, 1, _) => LevelFilter::Debug,
            (false, ..) => LevelFilter::Trace,
        }
    }
}

#[cfg(test)]
mod tests {
    use bootproof::{ForeignKeys, Integrity};

    use super::*;
    use crate::sql::tests::schema;

    fn cli(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let arguments = std::iter::once(&"app-migrate").chain(arguments).map(OsString::from).collect();
        parse(&schema(), "app-migrate", arguments)
    }

    #[test]
    fn the_command_line_is_consistent() {
        command(&schema(), "app-migrate").debug_assert();
    }

    #[test]
    fn the_help_teaches() {
        let mut command = command(&schema(), "app-migrate");
        command.build();
        insta::assert_snapshot!("help", command.render_long_help());
        for (name, _) in EXAMPLES {
            let subcommand = command.find_subcommand_mut(name).unwrap();
            insta::assert_snapshot!(format!("help-{name}"), subcommand.render_long_help());
        }
    }

    #[test]
    fn every_command_has_an_example_that_parses() {
        for subcommand in Cli::command().get_subcommands() {
            let (_, example) = EXAMPLES.iter().find(|(name, _)| *name == subcommand.get_name()).unwrap();
            cli(&example.split(' ').collect::<Vec<_>>()).unwrap();
        }
    }

    #[test]
    fn a_flag_overrules_the_environment() {
        let environment = |name: &str| match name {
            "BOOTPROOF_INTEGRITY" => Some("off".to_owned()),
            "BOOTPROOF_FOREIGN_KEYS" => Some("no-new".to_owned()),
            "BOOTPROOF_LOCK_TIMEOUT" => Some("7".to_owned()),
            _ => None,
        };
        let arguments = ["boot", "--integrity", "quick", "--lock-timeout", "0.5", "--no-backup"];
        let options = cli(&arguments).unwrap().apply_to(Options::default().with_environment(environment).unwrap());
        assert_eq!(options.integrity, Integrity::Quick);
        assert_eq!(options.foreign_keys, ForeignKeys::NoNew);
        assert_eq!(options.lock_timeout, Duration::from_millis(500));
        assert!(!options.backup && !options.benchmark);
    }

    #[test]
    fn a_misspelt_value_is_a_usage_error() {
        for arguments in [
            ["boot", "--integrity", "ful"],
            ["verify", "--foreign-keys", "STRICT"],
            ["boot", "--lock-timeout", "-1"],
            ["boot", "--lock-timeout", "soon"],
            ["sql", "one", "--json"],
            ["boot", "-q", "-v"],
            ["status", "--json", "--format=json"],
            ["health", "--prometheus", "--format=json"],
            ["status", "--format", "xml"],
            ["backup", "--keep", "0"],
            ["completions", "--json", "dos"],
        ] {
            let error = cli(&arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_need_not_be_utf8() {
        use std::os::unix::ffi::OsStringExt as _;

        let path = OsString::from_vec(b"caf\xe9.db".to_vec());
        let arguments = vec![OsString::from("app-migrate"), "status".into(), "--db".into(), path.clone()];
        assert_eq!(parse(&schema(), "app-migrate", arguments).unwrap().db, Some(PathBuf::from(path)));
    }

    #[test]
    fn json_is_asked_for_in_two_ways_before_the_command_and_behind() {
        for arguments in [
            ["--json", "status"].as_slice(),
            &["status", "--json"],
            &["--format", "json", "plan"],
            &["sql", "--format=json"],
        ] {
            assert!(cli(arguments).unwrap().is_json(), "{arguments:?}");
        }
        assert!(!cli(&["status", "--format", "text"]).unwrap().is_json());
    }

    #[test]
    fn only_boot_speaks_unasked() {
        let level = |arguments: &[&str]| cli(arguments).unwrap().log_level(false);
        assert_eq!(level(&["boot"]), LevelFilter::Info);
        assert_eq!(level(&["boot", "-v"]), LevelFilter::Debug);
        assert_eq!(level(&["boot", "-q"]), LevelFilter::Error);
        assert_eq!(level(&["status"]), LevelFilter::Warn);
        assert_eq!(level(&["status", "-v"]), LevelFilter::Info);
        assert_eq!(level(&["status", "-vv"]), LevelFilter::Trace);
        assert_eq!(cli(&["boot"]).unwrap().log_level(true), LevelFilter::Warn);
    }
}
