//! What can be asked, and the help that teaches it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bootproof::{ForeignKeys, Integrity, Options, Schema};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use log::LevelFilter;

/// Migrates the SQLite database that this program was compiled for, and proves it before committing
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit codes, environment variables and examples: --help", after_long_help = LONG_HELP)]
pub(crate) struct Cli {
    /// The database file
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_DB", hide_env_values = true)]
    #[arg(global = true, help_heading = EVERY)]
    pub(crate) db: Option<PathBuf>,

    /// Answer with one JSON object on one line
    #[arg(long, global = true, help_heading = EVERY)]
    pub(crate) json: bool,

    /// How long to wait for another process that holds the database [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, global = true, help_heading = EVERY)]
    lock_timeout: Option<Duration>,

    /// Say more on standard error; twice for everything
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = EVERY)]
    verbose: u8,

    /// Say only errors on standard error
    #[arg(short, long, conflicts_with = "verbose", global = true, help_heading = EVERY)]
    quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring the database to the version of this program, or change nothing and say why
    ///
    /// What the application does when it starts: back up, apply what is pending, prove it, commit only then.
    Boot(BootArgs),
    /// Show where the database stands: version, history, pending migrations, backups
    ///
    /// Writes nothing. Where a boot would be refused it says why, with exit code 0.
    Status,
    /// Show what `boot` would do, and the disk space it would need
    ///
    /// Writes nothing. Where a boot would be refused it says why, with exit code 0.
    Plan,
    /// Make every validation of `boot` on the database as it is
    ///
    /// Writes nothing. The exit code is that of the first validation that fails.
    Verify(CheckArgs),
    /// Time every query contract with parameters taken from the data
    ///
    /// Writes nothing: median, 95th percentile, rows and the index used, each against its budget.
    Bench,
    /// Print the SQL that this program carries
    ///
    /// With a version exactly that file; without one every migration in order. Needs no database.
    Sql {
        /// The version of one migration
        version: Option<i64>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BootArgs {
    /// Time every query contract before and after migrating
    #[arg(long)]
    benchmark: bool,

    /// Migrate without a backup
    #[arg(long)]
    no_backup: bool,

    #[command(flatten)]
    checks: CheckArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// How much of the file to check [default: full]
    #[arg(long, value_name = "LEVEL", value_parser = one_of(["full", "quick", "off"], Integrity::parse))]
    integrity: Option<Integrity>,

    /// Whether rows without a parent that were there before are acceptable [default: strict]
    #[arg(long, value_name = "POLICY", value_parser = one_of(["strict", "no-new"], ForeignKeys::parse))]
    foreign_keys: Option<ForeignKeys>,
}

/// The heading of what every command takes.
const EVERY: &str = "Options of every command";

const LONG_HELP: &str = "\
The exit code is the next act:
  0  none: ready (or degraded: a hot query is slower than agreed, said on standard error)
  1  unexpected: report a bug
  2  usage: correct the command or an environment variable
  3  locked by another process: retry
  4  database and program disagree: deploy the right build
  5  a migration failed, the database is unchanged: correct the rows or the migration
  6  integrity or foreign keys failed, the database is unchanged: restore a backup or correct the rows
  8  disk space, permission or input/output: correct the machine

Environment variables; an option overrules its variable:
  BOOTPROOF_DB            the database file
  BOOTPROOF_LOCK_TIMEOUT  seconds
  BOOTPROOF_INTEGRITY     full, quick, off
  BOOTPROOF_FOREIGN_KEYS  strict, no-new
  BOOTPROOF_BACKUP        on, off
  RUST_LOG                what is logged, such as `bootproof=trace`; overrules -v and -q";

/// One example for each command, without the name of the program.
const EXAMPLES: [(&str, &str); 6] = [
    ("boot", "boot --db worklog.db --benchmark"),
    ("status", "status --db worklog.db"),
    ("plan", "plan --db worklog.db --json"),
    ("verify", "verify --db worklog.db --integrity quick"),
    ("bench", "bench --db worklog.db"),
    ("sql", "sql 1"),
];

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
    /// Overrules the options that flags were given for.
    pub(crate) fn apply_to(&self, mut options: Options) -> Options {
        options.lock_timeout = self.lock_timeout.unwrap_or(options.lock_timeout);
        match &self.command {
            Command::Boot(boot) => {
                options.benchmark |= boot.benchmark;
                options.backup &= !boot.no_backup;
                boot.checks.apply_to(options)
            }
            Command::Verify(checks) => checks.apply_to(options),
            Command::Status | Command::Plan | Command::Bench | Command::Sql { .. } => options,
        }
    }

    /// How much of what the engine logs is shown: `boot` tells what it does, the rest answer in silence.
    pub(crate) fn log_level(&self) -> LevelFilter {
        let usual = if matches!(self.command, Command::Boot(_)) { LevelFilter::Info } else { LevelFilter::Warn };
        match (self.quiet, self.verbose, usual) {
            (true, ..) => LevelFilter::Error,
            (false, 0, usual) => usual,
            (false, 1, LevelFilter::Warn) => LevelFilter::Info,
            (false, 1, _) => LevelFilter::Debug,
            (false, ..) => LevelFilter::Trace,
        }
    }
}

impl CheckArgs {
    fn apply_to(&self, mut options: Options) -> Options {
        options.integrity = self.integrity.unwrap_or(options.integrity);
        options.foreign_keys = self.foreign_keys.unwrap_or(options.foreign_keys);
        options
    }
}

/// Accepts the names that the engine's own `parse` accepts, and lists them in help and errors.
fn one_of<T, const N: usize>(names: [&'static str; N], parse: fn(&str) -> Option<T>) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(move |name| parse(&name).ok_or("not known to the engine"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, such as 30 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::schema;

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
    fn only_boot_speaks_unasked() {
        let level = |arguments: &[&str]| cli(arguments).unwrap().log_level();
        assert_eq!(level(&["boot"]), LevelFilter::Info);
        assert_eq!(level(&["boot", "-v"]), LevelFilter::Debug);
        assert_eq!(level(&["boot", "-q"]), LevelFilter::Error);
        assert_eq!(level(&["status"]), LevelFilter::Warn);
        assert_eq!(level(&["status", "-v"]), LevelFilter::Info);
        assert_eq!(level(&["status", "-vv"]), LevelFilter::Trace);
    }
}
