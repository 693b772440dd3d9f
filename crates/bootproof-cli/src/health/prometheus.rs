//! Health for Prometheus: its text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>), in base units.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bootproof::inspect::{Health, QueryHealth, Space};
use jiff::Timestamp;

use super::alerts::{Alert, float};

/// Every metric, each with its help and type.
pub(super) fn metrics(health: &Health, alerts: &[Alert]) -> String {
    let mut metrics = Metrics(String::new());
    metrics.state(health, alerts);
    metrics.file(health);
    metrics.tables(health);
    metrics.indexes(health);
    metrics.queries(health);
    metrics.past(health);
    metrics.0
}

/// The labels of a sample, and its value.
type Sample<'a> = (Vec<(&'static str, &'a str)>, f64);

struct Metrics(String);

impl Metrics {
    /// A metric with all its samples; nothing where there are none.
    fn gauge<'a>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        let mut is_first = true;
        for (labels, value) in samples {
            if is_first {
                self.line(format_args!("# HELP bootproof_{name} {help}\n# TYPE bootproof_{name} gauge"));
                is_first = false;
            }
            let labels: Vec<_> = labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            self.line(format_args!("bootproof_{name}{labels} {value}"));
        }
    }

    fn number(&mut self, name: &str, help: &str, value: impl Into<Option<f64>>) {
        self.gauge(name, help, value.into().map(|value| (Vec::new(), value)));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn state(&mut self, health: &Health, alerts: &[Alert]) {
        self.number("up", "Whether the database could be opened and read.", f64::from(u8::from(health.is_readable)));
        let refusal = match &health.error {
            Some(error) => (vec![("kind", error.kind)], f64::from(error.code)),
            None => (vec![("kind", "none")], 0.0),
        };
        self.gauge("refusal_code", "The exit code with which a boot would refuse; 0 where it would not.", [refusal]);
        // Two alerts about one object are one series: Prometheus refuses a page that has one twice.
        let series = |alert: &Alert| (alert.name, alert.object.clone(), alert.severity.name());
        let raised: BTreeSet<_> = alerts.iter().map(series).collect();
        let raised = raised.iter().map(|(name, object, severity)| {
            (vec![("name", *name), ("object", object.as_str()), ("severity", *severity)], 1.0)
        });
        self.gauge("alert", "An alert that is raised.", raised);
        let mode = health.journal_mode.as_deref().unwrap_or("unknown");
        let info = vec![("binary", health.binary.as_str()), ("sqlite", &health.sqlite_version), ("journal_mode", mode)];
        self.gauge("info", "What measured, and the journal mode.", [(info, 1.0)]);
        #[expect(clippy::cast_precision_loss, reason = "a version is below 2^53, also one that is a time")]
        let version = |version: i64| version as f64;
        self.number("schema_version", "The version of the database.", health.version.map(version));
        self.number("schema_head", "The newest version of the binary.", version(health.head));
        let pending = health.is_readable.then_some(float(health.pending as u64));
        self.number("pending_migrations", "Migrations that a boot would apply.", pending);
        let differing = health.is_readable.then_some(float(health.differences.len() as u64));
        self.number("schema_differences", "Differences from the compiled schema, additions included.", differing);
        self.number("measure_duration_seconds", "How long measuring took.", health.duration_ms.0 / 1e3);
    }

    fn file(&mut self, health: &Health) {
        if health.exists {
            self.number("database_size_bytes", "The size of the database file.", float(health.bytes));
            self.number("wal_size_bytes", "The size of the write-ahead log.", float(health.wal_bytes));
            self.number("journal_size_bytes", "The size of the rollback journal.", float(health.journal_bytes));
        }
        self.number("page_size_bytes", "The size of a page.", health.page_size.map(float));
        self.number("pages", "The pages of the database.", health.page_count.map(float));
        self.number("free_pages", "The pages that hold nothing.", health.free_pages.map(float));
    }

    fn tables(&mut self, health: &Health) {
        let each = |value: &dyn Fn(&bootproof::inspect::TableHealth) -> Option<u64>| -> Vec<Sample<'_>> {
            let sample = |table| value(table).map(|value| (vec![("table", table.name.as_str())], float(value)));
            health.tables.iter().filter_map(sample).collect()
        };
        self.gauge("table_rows", "The rows of a table.", each(&|table| table.rows));
        let limit = "The rows that the application expects a table to have at most.";
        self.gauge("table_limit_rows", limit, each(&|table| table.row_limit));
        let size = |table: &bootproof::inspect::TableHealth| table.space.map(|space| space.bytes);
        self.gauge("table_size_bytes", "The pages of a table.", each(&size));
        let undated = health.undated.iter().map(|undated| {
            let labels =
                vec![("table", undated.table.as_str()), ("column", &undated.column), ("function", undated.function)];
            (labels, float(undated.rows))
        });
        self.gauge("undated_rows", "Rows that no query by date finds.", undated);
    }

    fn indexes(&mut self, health: &Health) {
        let mut each = |name: &str, help: &str, value: &dyn Fn(Space) -> f64| {
            let samples = health.indexes.iter().filter_map(|index| {
                Some((vec![("index", index.name.as_str()), ("table", &index.table)], value(index.space?)))
            });
            self.gauge(name, help, samples);
        };
        each("index_size_bytes", "The pages of an index.", &|space| float(space.bytes));
        each("index_unused_bytes", "What of them holds nothing.", &|space| float(space.unused_bytes));
        let help = "The share of leaf pages that do not directly follow their predecessor.";
        each("index_fragmentation_ratio", help, &|space| space.fragmentation());
    }

    fn queries(&mut self, health: &Health) {
        let mut each = |name: &str, help: &str, value: &dyn Fn(&QueryHealth) -> Option<f64>| {
            let sample = |query| value(query).map(|value| (vec![("query", query.name)], value));
            self.gauge(name, help, health.queries.iter().filter_map(sample));
        };
        each("query_median_seconds", "The median of a query contract.", &|query| Some(query.timing?.median_ms.0 / 1e3));
        each("query_p95_seconds", "Its 95th percentile.", &|query| Some(query.timing?.p95_ms.0 / 1e3));
        each("query_max_seconds", "Its longest run.", &|query| Some(query.timing?.max_ms.0 / 1e3));
        each("query_budget_seconds", "Its budget for the median.", &|query| Some(query.budget_ms.0 / 1e3));
        each("query_result_rows", "The rows of its largest result.", &|query| Some(float(query.timing?.rows_returned)));
        let missed = |query: &QueryHealth| Some(f64::from(u8::from(query.missed.is_some())));
        each("query_misses_index", "Whether it misses the index it must use.", &missed);
    }

    fn past(&mut self, health: &Health) {
        let applied =
            health.last_migration.as_ref().and_then(|migration| migration.applied_on.parse::<Timestamp>().ok());
        let applied = applied.map(|time| time.as_duration().as_secs_f64());
        self.number("last_migration_timestamp_seconds", "When a migration was last applied.", applied);
        let age = health.last_backup.as_ref().and_then(|backup| backup.age_seconds).map(float);
        self.number("backup_age_seconds", "The age of the newest backup.", age);
        let size = health.last_backup.as_ref().map(|backup| float(backup.bytes));
        self.number("backup_size_bytes", "The size of the newest backup.", size);
    }
}

/// The text of a label: a backslash, a quote and the end of a line are escaped, nothing else.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
