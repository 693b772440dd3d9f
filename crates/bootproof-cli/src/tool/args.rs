//! What can be asked of `bootproof`, and the help that teaches it.

use std::path::PathBuf;

use bootproof_build::{Compiler, Dialect};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Exit codes: 0 where nothing is wrong (warnings are not), 1 where something is, 2 for a mistake in the command.

Examples:
  bootproof check migrations
  bootproof check db/migrations --dialect sqlx --format github
  bootproof check migrations --stub-function uuid/0 --format sarif > bootproof.sarif
  bootproof schema migrations --at 12
  bootproof lock db/migrations --dialect sqlx
  bootproof squash migrations --to 40 --out baseline.sql";

/// Rehearses and proves a directory of SQLite migrations, written for whatever tool
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
}

/// The directory, and what its files do not say.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// The directory of migrations
    #[arg(value_name = "DIRECTORY")]
    pub(super) directory: PathBuf,
    /// The tool they were written for; found out by the names of the files and the markers in them if not given
    #[arg(long, value_name = "DIALECT", value_parser = dialect())]
    dialect: Option<Dialect>,
    /// A function that the application registers, which returns NULL here; `*` for any number of arguments
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
        self.dialect.is_some()
    }

    /// The compiler that is told all this.
    pub(super) fn compiler(&self) -> Compiler {
        let compiler = Compiler::new(&self.directory);
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
