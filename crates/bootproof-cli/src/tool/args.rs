//! What can be asked of `bootproof`, and the help that teaches it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bootproof::Options;
use bootproof_build::{Compiler, Dialect};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::args::{self, AnswerArgs, BootArgs, CheckArgs, FleetArgs, LimitArgs, Loudness, ReportArgs, seconds};

const AFTER_HELP: &str = "\
Exit codes of `check`, `schema`, `lock` and `squash`: 0 where nothing is wrong (warnings are not), 1 where something is, 2 for
a mistake in the command, 8 where a file cannot be written. Of the others:
  0  ready; `diff`: no drift
  1  unexpected: report a bug
  2  usage
  3  locked by another process: retry
  4  database and migrations disagree; `diff`: drift
  5  a migration failed or does not compile: database unchanged
  6  integrity or foreign keys failed: database unchanged
  7  a restore was interrupted: a person must look
  8  environment: disk space, permission, I/O
  10 `fleet`: databases failed for different reasons: read them
  130 called off; everything was rolled back

Examples:
  bootproof check migrations
  bootproof check db/migrations --dialect sqlx --format github
  bootproof check migrations --stub-function uuid/0 --format sarif > bootproof.sarif
  bootproof schema migrations --at 12
  bootproof new add_order_index
  bootproof lock db/migrations --dialect sqlx
  bootproof squash migrations --to 40 --out baseline.sql
  bootproof plan --migrations db/migrations --db app.db
  bootproof boot --migrations db/migrations --db app.db --dialect goose
  bootproof fleet tenants --migrations db/migrations --pattern '*.db'
  bootproof diff db/migrations --db app.db";

/// Rehearses and proves a directory of SQLite migrations, written for whatever tool, and migrates databases with it
#[derive(Debug, Parser)]
#[command(name = "bootproof", version, after_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run every migration on an empty database in memory, and say what is wrong or will be
    ///
    /// Writes nothing. Exit code 1 where there is an error; warnings do not fail.
    Check {
        #[command(flatten)]
        source: SourceArgs,
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// The same as `--format json`
        #[arg(long, conflicts_with = "format")]
        json: bool,
    },
    /// Print the schema that the migrations make, as SQL
    ///
    /// Tables, views, indexes, triggers, each kind in alphabetical order: the same migrations print the same.
    Schema {
        #[command(flatten)]
        source: SourceArgs,
        /// The schema as this version leaves it, instead of the newest
        #[arg(long, value_name = "VERSION")]
        at: Option<i64>,
    },
    /// List the migrations as released, in `migrations.lock` beside them; commit that before the release
    ///
    /// From then on `check` fails where one of them is edited, renamed or removed, or where a new one comes before them.
    /// Entries are only added. Exit code 1 where there is an error, 8 where the file cannot be written.
    Lock {
        #[command(flatten)]
        source: SourceArgs,
        #[command(flatten)]
        answer: AnswerArgs,
    },
    /// Write the file of the next migration, or with `--contract` that of a query contract
    ///
    /// A migration is written in our own layout alone: the files of another tool are begun by that tool.
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
    /// Print one file that leaves the same schema and rows as all migrations up to a version, proven
    ///
    /// It is for beginning a new directory: a database that has a history goes on needing the files it was made by.
    Squash {
        #[command(flatten)]
        source: SourceArgs,
        /// The last version that goes into it
        #[arg(long, value_name = "VERSION")]
        to: i64,
        /// Write it to this file, which must not exist yet
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Bring a database to the newest version, or change nothing and say why
    ///
    /// Compiles the directory, takes over what another tool has migrated, backs up, applies what is pending, proves it, and
    /// commits only then. A database that does not exist is made.
    Boot {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(flatten)]
        boot: BootArgs,
    },
    /// Show where a database stands: version, history, the tool that manages it, pending migrations, backups
    ///
    /// Writes nothing. Where a boot would be refused it says why, with exit code 0.
    Status {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show what `boot` would do, how long it would take, the disk space it would need, who would wait
    ///
    /// Writes nothing. Where a boot would be refused it says why, with exit code 0.
    Plan {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Make every validation of `boot` on a database as it is
    ///
    /// Writes nothing, and may run while an application uses the database.
    Verify {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(flatten)]
        checks: CheckArgs,
        #[command(flatten)]
        report: ReportArgs,
    },
    /// Boot every database of a directory, several at once, each as `boot` does
    ///
    /// A file that fails never stops the others. Exit code 0 where every database is ready; the one that the failing ones share, or
    /// 10 where they failed for different reasons; 3 where the time was up before all had their turn.
    Fleet {
        /// The directory of migrations
        #[arg(long, value_name = "DIRECTORY", default_value = "migrations")]
        migrations: PathBuf,
        #[command(flatten)]
        reading: ReadingArgs,
        #[command(flatten)]
        fleet: FleetArgs,
        #[command(flatten)]
        every: EveryArgs,
    },
    /// Show how the schema of a database differs from what the migrations make
    ///
    /// Writes nothing. Compares with the version that the history of the database names, ours or another tool's, or, where
    /// nothing tells, with the newest. Exit code 4 where there is a difference, additions included.
    Diff {
        #[command(flatten)]
        source: SourceArgs,
        /// The database file
        #[arg(long, value_name = "FILE", env = "BOOTPROOF_DB", hide_env_values = true)]
        db: PathBuf,
        /// The version to compare with
        #[arg(long, value_name = "VERSION")]
        at: Option<i64>,
        #[command(flatten)]
        history: HistoryArgs,
        #[command(flatten)]
        every: EveryArgs,
    },
}

/// A database, and the directory that it is migrated by.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// The directory of migrations
    #[arg(long, value_name = "DIRECTORY", default_value = "migrations")]
    migrations: PathBuf,
    /// The database file
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_DB", hide_env_values = true)]
    pub(super) db: PathBuf,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    pub(super) history: HistoryArgs,
    #[command(flatten)]
    pub(super) every: EveryArgs,
}

/// Where another tool has its history.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The table in which another tool has recorded what it applied, where it was told to use another than its own
    #[arg(long, value_name = "NAME")]
    pub(super) history_table: Option<String>,
}

/// What every command on a database takes.
#[derive(Debug, Args)]
pub(super) struct EveryArgs {
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
    /// How long to wait for another process that holds the database [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<Duration>,
    /// Say more on standard error; twice for everything
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Say only errors on standard error
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
}

/// The directory, and what its files do not say.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// The directory of migrations
    #[arg(value_name = "DIRECTORY")]
    pub(super) directory: PathBuf,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// How a directory is to be read.
#[derive(Debug, Args)]
pub(super) struct ReadingArgs {
    /// The tool they were written for; found out by the names of the files and the markers in them if not given
    #[arg(long, value_name = "DIALECT", value_parser = dialect())]
    dialect: Option<Dialect>,
    /// A function that the application registers, which returns NULL in the rehearsal; `*` for any number of arguments
    #[arg(long, value_name = "NAME/ARGUMENTS", value_parser = stub)]
    stub_function: Vec<(String, i32)>,
}

/// The formats of `check`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// As the compiler prints it
    Text,
    /// A list of objects, on one line
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl SourceArgs {
    /// Whether somebody said for which tool the files were written.
    pub(super) fn names_dialect(&self) -> bool {
        self.reading.dialect.is_some()
    }

    /// The compiler that is told all this.
    pub(super) fn compiler(&self) -> Compiler {
        self.reading.compiler(&self.directory)
    }
}

impl DatabaseArgs {
    /// Whether somebody said for which tool the files were written.
    pub(super) fn names_dialect(&self) -> bool {
        self.reading.dialect.is_some()
    }

    /// The directory, and how it is to be read.
    pub(super) fn source(&self) -> (&Path, Compiler) {
        (&self.migrations, self.reading.compiler(&self.migrations))
    }
}

impl EveryArgs {
    /// The defaults, but for what was said.
    pub(super) fn options(&self) -> Options {
        let options = Options::default();
        Options { lock_timeout: self.lock_timeout.unwrap_or(options.lock_timeout), ..options }
    }

    /// The command line of a program that carries these migrations.
    pub(super) fn cli(&self, db: &Path, command: args::Command) -> args::Cli {
        let said = Loudness { verbose: self.verbose, quiet: self.quiet };
        args::Cli::of(db.to_owned(), self.answer, self.lock_timeout, said, command)
    }
}

impl ReadingArgs {
    pub(super) fn compiler(&self, directory: &Path) -> Compiler {
        let compiler = Compiler::new(directory).on_command_line();
        let compiler = self.dialect.into_iter().fold(compiler, Compiler::dialect);
        let stubs = self.stub_function.iter();
        stubs.fold(compiler, |compiler, (name, arguments)| compiler.stub_function(name, *arguments))
    }
}

fn dialect() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name)).try_map(|name| name.parse::<Dialect>())
}

/// `uuid/0`
fn stub(text: &str) -> Result<(String, i32), String> {
    // More arguments no function of SQLite takes.
    const MOST: i32 = 100;
    let form =
        || "write the name, a slash and the number of arguments, such as `uuid/0`, or `*` for any number".to_owned();
    let (name, arguments) = text.rsplit_once('/').filter(|(name, _)| !name.is_empty()).ok_or_else(form)?;
    let arguments = match arguments {
        "*" => -1,
        digits => digits.parse().ok().filter(|count| (0..=MOST).contains(count)).ok_or_else(form)?,
    };
    Ok((name.to_owned(), arguments))
}
