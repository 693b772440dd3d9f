//! What files need where nobody else begins a transaction, and a boot makes redundant.
//!
//! In another tool's files it is left out of what is run, with a warning, where that changes nothing; and refused where it
//! would. In our own layout the lints refuse all of it. What a statement is, SQLite's authorizer has told.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effect::{Control, Effects, Pragma};
use crate::lint::Terms;
use crate::outside;
use crate::rows::Runner;
use crate::source::File;

/// What to do with a statement.
pub(crate) enum Role {
    /// Run it, if no lint forbids it.
    Statement,
    /// Run it, whatever the lints say of a PRAGMA.
    Honoured,
    /// Do not run it: it is done already.
    LeftOut,
    /// Run it now and not at boot, where its like is done anyway: the rows it returns are what is wrong.
    Check,
    Refused(Box<Diagnostic>),
}

/// Follows the statements of a file.
#[derive(Debug)]
pub(crate) struct Wrapping<'a> {
    file: &'a Arc<File>,
    /// The BEGIN of the file's own transaction.
    open: Option<Range<usize>>,
    /// The first statement that was left out, and why.
    first: Option<(Range<usize>, String)>,
    left_out: usize,
    /// Whether the file set how ALTER TABLE works.
    alters_as_before: bool,
    /// Whether the file turned foreign keys on, and not off again, as far as its tool lets it.
    has_keys_on: bool,
    /// Who runs the file where it is in use.
    runner: Runner,
    /// How many savepoints are open, each of which is in a transaction.
    savepoints: usize,
    /// Whether the file runs outside a transaction.
    is_outside: bool,
}

const INSTEAD: &str = "if it is needed and SQLite refuses it inside a transaction, say so in a file of its own: \
                       `-- bootproof: no-transaction \"why\"`";

impl<'a> Wrapping<'a> {
    pub(crate) fn new(file: &'a Arc<File>) -> Self {
        Self {
            file,
            open: None,
            first: None,
            left_out: 0,
            alters_as_before: false,
            has_keys_on: false,
            runner: Runner::Wrapping,
            savepoints: 0,
            is_outside: false,
        }
    }

    /// Of a file that runs outside a transaction, and may do what SQLite does only there.
    pub(crate) fn outside(file: &'a Arc<File>) -> Self {
        Self { is_outside: true, ..Self::new(file) }
    }

    /// The same, where it is known who runs the file.
    pub(crate) fn run_by(self, runner: Runner) -> Self {
        Self { runner, ..self }
    }

    pub(crate) fn file(&self) -> &'a Arc<File> {
        self.file
    }

    pub(crate) fn is_outside(&self) -> bool {
        self.is_outside
    }

    /// What to do with the next statement; and whether what is behind it does the same however tables are altered, but for
    /// foreign keys.
    pub(crate) fn judge(
        &mut self,
        effects: &Effects,
        span: &Range<usize>,
        alters_alike: impl FnOnce() -> bool,
    ) -> Role {
        if self.is_outside
            && let Some(role) = outside::judge(self.file, effects, span)
        {
            return role;
        }
        match (&effects.control, &effects.pragma) {
            (_, Some(pragma)) if pragma.name == "foreign_key_check" => Role::Check,
            _ if !self.file.dialect.is_foreign() => Role::Statement,
            (Some(control), _) => self.control(*control, span),
            (None, Some(pragma)) => self.pragma(pragma, span, alters_alike),
            _ => Role::Statement,
        }
    }

    /// Where a statement at the beginning of a part ends that SQLite did not prepare, if it is to be left out anyway: some
    /// PRAGMAs fail inside a transaction before anybody can look at them.
    pub(crate) fn leaves_out_unprepared(&mut self, effects: &Effects, part: Range<usize>) -> Option<usize> {
        effects.pragma.as_ref()?;
        let span = self.file.first_word(part.clone()).start..self.file.end_of_statement(part);
        matches!(self.judge(effects, &span, || false), Role::LeftOut).then_some(span.end)
    }

    fn control(&mut self, control: Control, span: &Range<usize>) -> Role {
        let refused = match control {
            Control::Begin if self.open.is_none() => {
                self.open = Some(span.clone());
                return self.leave_out("every migration runs inside a transaction already", span);
            }
            Control::Commit if self.open.take().is_some() => {
                self.savepoints = 0;
                return self.leave_out("every migration runs inside a transaction already", span);
            }
            Control::Savepoint | Control::Release => {
                self.savepoints = if control == Control::Savepoint {
                    self.savepoints.saturating_add(1)
                } else {
                    self.savepoints.saturating_sub(1)
                };
                return self.leave_out("a migration is applied as a whole or not at all", span);
            }
            Control::Begin => Diagnostic::error("transaction-control", "the transaction before this has not ended")
                .help("remove `BEGIN` and `COMMIT`: every migration runs inside a transaction already"),
            Control::Commit => Diagnostic::error(
                "transaction-control",
                "this ends the transaction in which the migration runs, to do something outside it",
            )
            .note("boot runs all pending migrations and every check inside one transaction of its own")
            .help(
                "if it is to turn foreign keys off, remove it and the `BEGIN` behind it: boot has them off while it migrates, \
                 and checks every one before it commits",
            )
            .help(INSTEAD),
            Control::Rollback => {
                Diagnostic::error("transaction-control", "this takes back what the migration did before")
                    .help("remove it, and what it takes back")
            }
        };
        Role::Refused(Box::new(refused))
    }

    fn pragma(&mut self, pragma: &Pragma, span: &Range<usize>, alters_alike: impl FnOnce() -> bool) -> Role {
        /// They hold for the connection, and change nothing of what is written through it.
        const OF_THE_CONNECTION: [&str; 14] = [
            "analysis_limit",
            "automatic_index",
            "busy_timeout",
            "cache_size",
            "cache_spill",
            "journal_size_limit",
            "locking_mode",
            "mmap_size",
            "read_uncommitted",
            "secure_delete",
            "synchronous",
            "temp_store",
            "threads",
            "wal_autocheckpoint",
        ];
        /// They tidy up, with or without a value, and not inside a transaction.
        const OF_THE_FILE: [&str; 4] = ["incremental_vacuum", "optimize", "shrink_memory", "wal_checkpoint"];
        if OF_THE_FILE.contains(&pragma.name.as_str()) {
            return self.leave_out("it tidies up, which a boot does by itself when it has migrated", span);
        }
        let Some(value) = &pragma.value else { return Role::Statement };
        match pragma.name.as_str() {
            "foreign_keys" | "defer_foreign_keys" => {
                if pragma.name == "foreign_keys" {
                    self.switch_keys(is_on(value));
                }
                self.leave_out(
                    "boot turns foreign keys off before it begins and checks every one before it commits",
                    span,
                )
            }
            // With foreign keys off, as boot has them, they would not: <https://sqlite.org/lang_altertable.html#altertabrename>.
            "legacy_alter_table" if self.has_keys_on && is_on(value) && alters_alike() => self.leave_out(
                "with foreign keys on, as this file has them, they follow a table that is renamed anyway",
                span,
            ),
            "legacy_alter_table" => {
                self.alters_as_before = true;
                Role::Honoured
            }
            "encoding" if value.to_ascii_lowercase().replace('-', "") == "utf8" => {
                self.leave_out("UTF-8 is what a database has without it", span)
            }
            "auto_vacuum" | "encoding" | "journal_mode" | "page_size" => {
                let message = format!("`PRAGMA {}` has no effect inside a transaction", pragma.name);
                Role::Refused(Box::new(
                    Diagnostic::error("pragma", message)
                        .help(
                            "remove it: the format of the file is the application's choice when it opens the database",
                        )
                        .help(INSTEAD),
                ))
            }
            name if OF_THE_CONNECTION.contains(&name) => self.leave_out(
                "it changes the connection, not the database: it belongs where the application opens it",
                span,
            ),
            _ => Role::Statement,
        }
    }

    /// Inside a transaction the switch does nothing: <https://sqlite.org/pragma.html#pragma_foreign_keys>.
    fn switch_keys(&mut self, is_on: bool) {
        if self.runner == Runner::Plain && self.open.is_none() {
            // Which savepoints a RELEASE ends depends on their names: that keys are on is believed where none can be open.
            self.has_keys_on = is_on && (self.has_keys_on || self.savepoints == 0);
        }
    }

    fn leave_out(&mut self, reason: &str, span: &Range<usize>) -> Role {
        self.left_out += 1;
        self.first.get_or_insert_with(|| (self.file.first_word(span.clone()), reason.to_owned()));
        Role::LeftOut
    }

    /// Whether SQLite has to be told to alter tables as it does by itself again.
    pub(crate) fn alters_as_before(&self) -> bool {
        self.alters_as_before
    }

    /// Reports what was left out, once for a file, and what should not have been; whether there is nothing of the latter.
    pub(crate) fn finish(self, terms: Terms<'_>, diagnostics: &mut Diagnostics) -> bool {
        if let Some((word, reason)) = self.first {
            let name = self.file.text.get(word.clone()).unwrap_or_default().to_ascii_uppercase();
            let mut diagnostic = Diagnostic::warning("redundant-wrapper", format!("this {name} is left out: {reason}"))
                .at(self.file, word);
            diagnostic = match self.left_out {
                0 | 1 => diagnostic,
                2 => diagnostic.note("so is one more statement of this file"),
                count => diagnostic.note(format!("so are {} more statements of this file", count - 1)),
            };
            let help = "leave it in a file that has been released; a new one does without";
            diagnostics.extend(terms.settle(diagnostic.help(help)));
        }
        let is_closed = self.open.is_none();
        if let Some(begin) = self.open {
            diagnostics.push(
                Diagnostic::error("transaction-control", "this transaction is never committed")
                    .at(self.file, self.file.first_word(begin))
                    .help("remove the `BEGIN`: every migration runs inside a transaction already"),
            );
        }
        is_closed
    }
}

fn is_on(value: &str) -> bool {
    ["on", "1", "true", "yes"].iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// A PRAGMA that found a row without its parent.
pub(crate) fn violation(table: &str, row: Option<i64>, parent: &str) -> Diagnostic {
    let row = row.map_or_else(String::new, |row| format!(" {row}"));
    let message = format!("this check finds row{row} of `{table}` without its parent in `{parent}`");
    Diagnostic::error("foreign-key-check", message)
        .note("boot checks every foreign key before it commits, and would refuse")
        .help("insert the parent first, or give the row another one")
}
