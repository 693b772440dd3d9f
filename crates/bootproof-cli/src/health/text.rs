//! Health for people: the verdict, the alerts, then the numbers; at most 80 columns.

use bootproof::figure::{bytes, duration, float, grouped, one_line, percent, share, to_the_second};
use bootproof::inspect::Health;
use bootproof_monitor::Alert;

use super::Verdict;

/// What a terminal shows without wrapping, and a mail without a bar to scroll.
const WIDTH: usize = 80;
/// So many tables and indexes are listed, the largest first.
const LISTED: usize = 8;

/// The whole page.
pub(super) fn page(health: &Health, alerts: &[Alert], verdict: Verdict) -> String {
    let mut page = Page(String::new());
    page.paragraph("", &format!("{}: {}", verdict.name(), state(health, alerts)), "  ");
    for alert in alerts {
        page.paragraph(&format!("{:<8} ", alert.severity.name()), &alert.message, "         ");
        page.paragraph("         ", &alert.remedy, "         ");
    }
    page.sizes(health);
    page.tables(health);
    page.indexes(health);
    page.queries(health);
    page.past(health);
    page.0
}

fn state(health: &Health, alerts: &[Alert]) -> String {
    let count = match alerts.len() {
        0 => String::new(),
        1 => "1 alert, ".to_owned(),
        count => format!("{count} alerts, "),
    };
    let version = match health.version {
        _ if !health.exists => "does not exist".to_owned(),
        _ if !health.is_readable => format!("unreadable, {}", bytes(health.bytes)),
        None => format!("unmanaged, {}", bytes(health.bytes)),
        Some(version) => {
            let adopted = if health.adopted { ", adopted" } else { "" };
            format!("at version {version} of {}{adopted}, {}", health.head, bytes(health.bytes))
        }
    };
    format!("{count}{} {version}", health.database)
}

struct Page(String);

impl Page {
    /// Breaks a text between words; what has no blank for 80 columns stays whole.
    fn paragraph(&mut self, first: &str, text: &str, rest: &str) {
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in text.split_whitespace() {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                rest.clone_into(&mut line);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        self.line(&line);
    }

    /// A name or a value out of the database must not steer the terminal.
    fn line(&mut self, line: &str) {
        self.0.push_str(&one_line(line.trim_end()));
        self.0.push('\n');
    }

    /// A row of three columns: what, how much, and more about it.
    fn row(&mut self, what: &str, figure: &str, more: &str) {
        let row = format!("  {what:<38} {figure:>12}");
        self.paragraph(&format!("{row}  "), more, "                                                       ");
    }

    fn sizes(&mut self, health: &Health) {
        if let (Some(pages), Some(free), Some(size)) = (health.page_count, health.free_pages, health.page_size) {
            let mode = health.journal_mode.as_deref().unwrap_or("unknown");
            self.line("sizes");
            let counted = format!("{} pages of {size} B", grouped(pages));
            self.row("database", &bytes(health.bytes), &counted);
            self.row("free pages", &grouped(free), &percent(share(free, pages)));
            self.row(&format!("write-ahead log (journal mode {mode})"), &bytes(health.wal_bytes), "");
            if health.journal_bytes > 0 {
                self.row("rollback journal", &bytes(health.journal_bytes), "");
            }
        }
    }

    fn tables(&mut self, health: &Health) {
        let mut tables: Vec<_> = health.tables.iter().collect();
        tables.sort_by_key(|table| std::cmp::Reverse((table.space.map(|space| space.bytes), table.rows)));
        if !tables.is_empty() {
            self.line("tables                                           rows");
        }
        for table in tables.iter().take(LISTED) {
            let rows = table.rows.map_or_else(|| "unknown".to_owned(), grouped);
            let limit = table.row_limit.map(|limit| format!("of {}", grouped(limit)));
            let size = table.space.map(|space| bytes(space.bytes));
            self.row(&table.name, &rows, &limit.into_iter().chain(size).collect::<Vec<_>>().join(", "));
        }
        self.rest(tables.len(), "tables");
    }

    fn indexes(&mut self, health: &Health) {
        let mut indexes: Vec<_> = health.indexes.iter().filter_map(|index| Some((index, index.space?))).collect();
        indexes.sort_by_key(|(_, space)| std::cmp::Reverse(space.bytes));
        if !indexes.is_empty() {
            self.line("indexes                                          size");
        }
        for (index, space) in indexes.iter().take(LISTED) {
            let unused = percent(share(space.unused_bytes, space.bytes));
            let more = format!("{unused} unused, {} frag.", percent(space.fragmentation()));
            self.row(&index.name, &bytes(space.bytes), &more);
        }
        self.rest(indexes.len(), "indexes");
    }

    fn rest(&mut self, all: usize, what: &str) {
        if all > LISTED {
            self.line(&format!("  and {} more {what}: --json lists all", all - LISTED));
        }
    }

    fn queries(&mut self, health: &Health) {
        if !health.queries.is_empty() {
            self.line("queries                                        median");
        }
        for query in &health.queries {
            let Some(timing) = query.timing else {
                self.row(query.name, "failed", "");
                continue;
            };
            let (median, budget) = (duration(timing.median_ms.0 / 1e3), duration(query.budget_ms.0 / 1e3));
            self.row(query.name, &median, &format!("of {budget}, 95%: {}", duration(timing.p95_ms.0 / 1e3)));
        }
    }

    fn past(&mut self, health: &Health) {
        if let Some(migration) = &health.last_migration {
            let text =
                format!("{:03} {} on {}", migration.version, migration.name, to_the_second(&migration.applied_on));
            self.paragraph("last migration: ", &text, "  ");
        }
        if let Some(boot) = health.boots.first() {
            self.paragraph("last change:    ", &format!("{} on {}", boot.event, to_the_second(&boot.at)), "  ");
        }
        match &health.last_backup {
            Some(backup) => {
                let age = backup.age_seconds.map(|age| format!(", {} old", duration(float(age))));
                let text = format!("{} ({}{})", backup.path, bytes(backup.bytes), age.unwrap_or_default());
                self.paragraph("last backup:    ", &text, "  ");
            }
            None => self.line("last backup:    none beside the database"),
        }
        self.line(&format!("measured in {}", duration(health.duration_ms.0 / 1e3)));
    }
}
