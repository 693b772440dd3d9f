//! The options of single commands, and what they overrule.

use std::path::PathBuf;
use std::time::Duration;

use bootproof::{ForeignKeys, Integrity, Options};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

#[derive(Debug, Args)]
pub(crate) struct BootArgs {
    /// Time every query contract before and after migrating
    #[arg(long)]
    benchmark: bool,

    /// Migrate without a backup
    #[arg(long)]
    no_backup: bool,

    #[command(flatten)]
    limit: LimitArgs,

    #[command(flatten)]
    checks: CheckArgs,

    #[command(flatten)]
    pub(super) report: ReportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RevertArgs {
    /// The version to go back to
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: i64,

    /// Revert without a backup
    #[arg(long)]
    no_backup: bool,

    #[command(flatten)]
    checks: CheckArgs,

    #[command(flatten)]
    pub(super) report: ReportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Migrate no further than this version; a boot never goes back
    #[arg(long, value_name = "VERSION")]
    to: Option<i64>,

    /// Let migrations run that wait for the operator's permission
    #[arg(long)]
    maintenance: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// How much of the file to check [default: full]
    ///
    /// `sqlite` is SQLite's own check of the same, which takes several times as long; `quick` compares no index with its table;
    /// `off` checks nothing, and lets a boot believe the seal of a database that was proven before.
    #[arg(long, value_name = "LEVEL", value_parser = one_of(["full", "sqlite", "quick", "off"], Integrity::parse))]
    integrity: Option<Integrity>,

    /// Whether rows without a parent that were there before are acceptable [default: strict]
    #[arg(long, value_name = "POLICY", value_parser = one_of(["strict", "no-new"], ForeignKeys::parse))]
    foreign_keys: Option<ForeignKeys>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Write a page about the run for people who were not there; one file of HTML, without anything from a network
    ///
    /// Replaces an earlier page. The name must end with `.html`.
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,

    /// Show where the time went, a bar for each step; `--json` has it in `timeline`
    #[arg(long)]
    pub(super) timeline: bool,
}

impl BootArgs {
    pub(super) fn apply_to(&self, mut options: Options) -> Options {
        options.benchmark |= self.benchmark;
        options.backup &= !self.no_backup;
        self.checks.apply_to(self.limit.apply_to(options))
    }
}

impl RevertArgs {
    pub(super) fn apply_to(&self, mut options: Options) -> Options {
        options.backup &= !self.no_backup;
        self.checks.apply_to(options)
    }
}

impl LimitArgs {
    pub(super) fn apply_to(&self, mut options: Options) -> Options {
        options.target = self.to.or(options.target);
        options.maintenance |= self.maintenance;
        options
    }
}

impl CheckArgs {
    pub(super) fn apply_to(&self, mut options: Options) -> Options {
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

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, such as 30 or 0.5".to_owned())
}
