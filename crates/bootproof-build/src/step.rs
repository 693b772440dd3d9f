//! Migrations in Rust: a function of the application that runs behind a migration's statements, by its name.
//!
//! The build cannot run it. What it may write it says, and a boot holds it to that.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::token;
use bootproof_catalog::{HISTORY_TABLE, quoted};

use crate::compilation::Step;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::parse::quoted_reason;
use crate::rehearse::Stage;
use crate::source::File;

/// In the place of tables, that there are none.
const NOTHING: &str = "nothing";

/// What a migration says of its step.
#[derive(Debug)]
pub(crate) struct StepSource {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    writes: Vec<String>,
    writes_span: Range<usize>,
}

/// The two directives of a step, until both have been read.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    name: Option<(Option<String>, Range<usize>)>,
    writes: Option<(Vec<String>, Range<usize>)>,
}

impl Parts {
    /// `hash_emails "why"`
    pub(crate) fn name(&mut self, argument: &str, span: Range<usize>) -> Result<(), Box<Diagnostic>> {
        const FORM: &str = "write `-- bootproof: rust hash_emails \"what SQL cannot express\"`";
        self.name = Some((None, span.clone()));
        let (name, reason) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_name {
            let message = "the step is not named as a function in Rust: in lower case, with digits and `_`";
            return Err(Box::new(Diagnostic::error("directive", message).help(FORM)));
        }
        if quoted_reason(reason).is_none() {
            let diagnostic = Diagnostic::error("missing-reason", format!("`{name}` is called without a reason"));
            return Err(Box::new(diagnostic.help(FORM)));
        }
        self.name = Some((Some(name.to_owned()), span));
        Ok(())
    }

    /// `users, "order lines"`
    pub(crate) fn writes(&mut self, argument: &str, span: Range<usize>) -> Result<(), Box<Diagnostic>> {
        self.writes = Some((Vec::new(), span.clone()));
        let tokens = token::tokens(argument);
        let tables: Option<Vec<String>> = tokens
            .split(|token| token.is_symbol(','))
            .map(|part| match part {
                [token::Token { kind: token::Kind::Word | token::Kind::Quoted, .. }] => {
                    part.first().map(token::Token::as_name)
                }
                _ => None,
            })
            .collect();
        let Some(tables) = tables else {
            let message = "these are not the names of tables, with commas between them";
            let help = "write `-- bootproof: writes users, accounts`, or `-- bootproof: writes nothing` of a step that only reads";
            return Err(Box::new(Diagnostic::error("directive", message).help(help)));
        };
        let is_nothing = argument.eq_ignore_ascii_case(NOTHING);
        self.writes = Some((if is_nothing { Vec::new() } else { tables }, span));
        Ok(())
    }

    /// The step, if both directives are there and sound.
    pub(crate) fn join(self, file: &Arc<File>, diagnostics: &mut Diagnostics) -> Option<StepSource> {
        match (self.name, self.writes) {
            (Some((name, span)), Some((writes, writes_span))) => {
                Some(StepSource { name: name?, span, writes, writes_span })
            }
            (Some((_, span)), None) => {
                diagnostics.push(
                    Diagnostic::error("missing-directive", "nothing says which tables this step writes")
                        .at(file, span)
                        .note("boot compares the rows of all others before and after, and keeps the step from writing them")
                        .help("say so on a line of its own, for instance, `-- bootproof: writes users, accounts`")
                        .help("or `-- bootproof: writes nothing`, if it only reads"),
                );
                None
            }
            (None, Some((_, span))) => {
                diagnostics.push(
                    Diagnostic::error("directive", "`writes` is for a step in Rust, and this migration has none")
                        .at(file, span)
                        .help("remove it: of its statements SQLite itself tells what they write"),
                );
                None
            }
            (None, None) => None,
        }
    }
}

/// That a migration cannot both leave the transaction and call a step.
pub(crate) fn inside_only() -> Diagnostic {
    Diagnostic::error("directive", "a step in Rust runs inside the transaction, and this migration is taken out of it")
        .help("make two migrations of it, one for each")
}

impl StepSource {
    /// The step as the schema behind the migration's statements lets it be; what is wrong is reported.
    pub(crate) fn resolve(
        &self,
        stage: &Stage,
        file: &Arc<File>,
        after: &Catalog,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Step> {
        let mut writes = BTreeSet::new();
        for name in &self.writes {
            let key = name.to_ascii_lowercase();
            let span = file.find_word(name, self.writes_span.clone()).unwrap_or_else(|| self.writes_span.clone());
            if key == HISTORY_TABLE || key.starts_with("bootproof_") {
                let message = format!("`{name}` belongs to the migrator");
                let help = "a step writes the tables of the application";
                diagnostics.push(Diagnostic::error("reserved-table", message).at(file, span).help(help));
            } else if let Some(table) = after.tables.get(&key) {
                writes.extend(written_with(stage, &table.name, after)?);
            } else {
                let message = format!("there is no table `{name}` when this step runs");
                let help = "name the tables as they are called behind the statements of this file";
                diagnostics.push(Diagnostic::error("unknown-table", message).at(file, span).help(help));
            }
        }
        Ok(Step { name: self.name.clone(), line: file.line(self.span.start), writes })
    }
}

/// A table and those that its triggers write, as SQLite tells when it prepares to change its rows.
fn written_with(stage: &Stage, table: &str, after: &Catalog) -> rusqlite::Result<BTreeSet<String>> {
    let name = quoted(table);
    let assignments = {
        let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0";
        let mut statement = stage.connection().prepare(sql)?;
        let columns = statement.query_map([table], |row| row.get::<_, String>(0))?;
        let assignments: rusqlite::Result<Vec<_>> =
            columns.map(|column| column.map(|column| format!("{0} = {0}", quoted(&column)))).collect();
        assignments?.join(", ")
    };
    let mut writes = BTreeSet::from([table.to_ascii_lowercase()]);
    for sql in [
        format!("INSERT INTO {name} DEFAULT VALUES"),
        format!("UPDATE {name} SET {assignments}"),
        format!("DELETE FROM {name}"),
    ] {
        // What SQLite would not prepare, no step can run either.
        writes.extend(stage.effects_of(&sql).writes);
    }
    writes.retain(|written| after.tables.contains_key(written));
    Ok(writes)
}
