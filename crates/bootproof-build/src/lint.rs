//! What SQLite would accept and nobody should want, each under the name of a rule.

use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::token::{self, Token};

use crate::diagnostic::Diagnostic;
use crate::effect::{Effects, Pragma};
use crate::rehearse::Performed;
use crate::source::File;

/// The rules that a migration can allow itself to break, with a reason.
pub(crate) const ALLOWABLE: [&str; 16] = [
    "broken-trigger",
    "broken-view",
    "cascade-deletes",
    "column-as-text",
    "dangling-foreign-key",
    "fails-on-rows",
    "if-not-exists",
    "lost-object",
    "no-statements",
    "positional-copy",
    "pragma",
    "rows-dangle",
    "rows-deleted",
    "rows-lost",
    "values-changed",
    "values-nulled",
];

/// Why a statement must not run at all, if it must not.
pub(crate) fn forbidden(effects: &Effects) -> Option<Diagnostic> {
    if effects.controls_transaction {
        Some(transaction_control())
    } else if effects.attaches {
        Some(
            Diagnostic::error("attach", "a migration cannot attach or detach a database")
                .help("a migration changes one file, in one transaction; move data between files in the application"),
        )
    } else if let Some(diagnostic) = reserved_table(effects) {
        Some(diagnostic)
    } else {
        effects.pragma.as_ref().and_then(|asked| beyond_the_file(asked).or_else(|| pragma(asked)))
    }
}

/// What has its effect outside the database, with or without a value: no reason allows that.
fn beyond_the_file(pragma: &Pragma) -> Option<Diagnostic> {
    const BEYOND: [&str; 2] = ["data_store_directory", "temp_store_directory"];
    BEYOND.contains(&pragma.name.as_str()).then(|| {
        Diagnostic::error("file-system", format!("`PRAGMA {}` names a directory for every connection", pragma.name))
            .help("remove it, and set the environment variable `SQLITE_TMPDIR` where the program is started")
    })
}

pub(crate) fn transaction_control() -> Diagnostic {
    Diagnostic::error("transaction-control", "a migration cannot begin or end a transaction")
        .note("boot runs all pending migrations and every check inside one transaction of its own")
        .help("remove the statement")
}

/// A file that its own tool would run outside a transaction, and that runs inside one as well.
pub(crate) fn inside_a_transaction(file: &Arc<File>) -> Diagnostic {
    let message = format!("{} runs this file outside a transaction; here it runs inside one", file.dialect);
    Diagnostic::warning("no-transaction", message).in_file(&file.name).note("nothing in it needs to be outside")
}

pub(crate) fn bound_parameter() -> Diagnostic {
    Diagnostic::error("bound-parameter", "a migration has no parameters: nobody would bind this one")
        .help("write the value itself")
}

pub(crate) fn reserved_table(effects: &Effects) -> Option<Diagnostic> {
    let table = effects.reserved.as_ref()?;
    Some(
        Diagnostic::error("reserved-table", format!("`{table}` belongs to the migrator"))
            .note("`refinery_schema_history` and every name that begins with `bootproof_` are reserved")
            .help("use another name"),
    )
}

/// A PRAGMA is harmless if it only asks, or if what it sets is stored in the database as part of the transaction.
fn pragma(pragma: &Pragma) -> Option<Diagnostic> {
    const HARMLESS: [&str; 12] = [
        "application_id",
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "quick_check",
        "table_info",
        "table_xinfo",
        "user_version",
    ];
    let name = pragma.name.as_str();
    if !pragma.has_value || HARMLESS.contains(&name) {
        return None;
    }
    let (effect, help) = match name {
        "foreign_keys" => (
            "does nothing inside a transaction, and a migration runs inside one",
            "remove it: boot turns foreign keys off before it begins and checks every one before it commits",
        ),
        "journal_mode" => (
            "cannot be changed inside a transaction",
            "remove it, and set it on the connection that the application opens; or say in a file of its own why it is \
             needed: `-- bootproof: no-transaction \"why\"`",
        ),
        "locking_mode" | "synchronous" | "secure_delete" => (
            "cannot be changed inside a transaction, or changes the connection for whatever runs next",
            "remove it, and set it on the connection that the application opens",
        ),
        "page_size" | "auto_vacuum" | "encoding" => (
            "takes effect in an empty database or a VACUUM only, never inside a transaction",
            "remove it: the format of the file is not part of its schema; or say in a file of its own why it is needed: \
             `-- bootproof: no-transaction \"why\"`",
        ),
        "writable_schema" => (
            "lets a migration damage the database behind SQLite's back",
            "make a table with the new definition, copy the rows, drop the old table and rename the new one: \
             <https://sqlite.org/lang_altertable.html#otheralter>",
        ),
        "legacy_alter_table" => (
            "changes the connection for whatever runs next",
            "remove it: make the new table under another name and rename it in, not the old one away",
        ),
        _ => (
            "changes the connection for whatever runs next, not the database",
            "remove it, and set it on the connection that the application opens",
        ),
    };
    Some(Diagnostic::error("pragma", format!("`PRAGMA {name}` {effect}")).help(help))
}

/// What is questionable about a migration that ran.
pub(crate) fn check(file: &Arc<File>, script: &[Performed], before: &Catalog, after: &Catalog) -> Vec<Diagnostic> {
    let mut findings: Vec<_> = no_statements(file, script).into_iter().collect();
    findings.extend(script.iter().filter_map(|performed| if_not_exists(file, performed)));
    findings.extend(script.iter().flat_map(|performed| positional_copies(file, performed)));
    findings.extend(lost_objects(file, script, before, after));
    findings.extend(dangling_foreign_keys(file, script, before, after));
    findings
}

/// A file with nothing but comments. Applied like that it would be a migration that never may be written.
fn no_statements(file: &Arc<File>, script: &[Performed]) -> Option<Diagnostic> {
    if !script.is_empty() || file.dialect.is_foreign() {
        return None;
    }
    let start = file.text.len() - file.text.trim_start().len();
    let first_line = file.text.trim_start().lines().next().unwrap_or_default().trim_end();
    Some(
        Diagnostic::error("no-statements", "there is nothing in this migration yet")
            .at(file, start..start + first_line.len())
            .note("once it has been applied anywhere, nothing can be added to it")
            .help(
                "write its statements; if nothing is meant to happen, say `-- bootproof: allow no-statements \"why\"`",
            ),
    )
}

fn if_not_exists(file: &Arc<File>, performed: &Performed) -> Option<Diagnostic> {
    let span = &performed.statement.span;
    let tokens = token::tokens(file.text.get(span.clone())?);
    if !tokens.first()?.is_keyword("create") {
        return None;
    }
    let kind_at = tokens.iter().position(|token| is_one_of(token, &["table", "index", "trigger", "view"]))?;
    let [kind, first, second, third, name, ..] = tokens.get(kind_at..)? else { return None };
    if !(first.is_keyword("if") && second.is_keyword("not") && third.is_keyword("exists")) {
        return None;
    }
    let words = file.find_word("if", span.clone())?.start..file.find_word("exists", span.clone())?.end;
    let kind = kind.text.to_ascii_uppercase();
    let help = if kind == "TABLE" {
        "remove `IF NOT EXISTS`: a migration runs exactly once, on a schema that is known".to_owned()
    } else {
        format!("write `DROP {kind} IF EXISTS {0};` first, then `CREATE {kind} {0} …`", name.text)
    };
    let message = format!("`IF NOT EXISTS` silently keeps another {} of the same name", kind.to_ascii_lowercase());
    Some(Diagnostic::error("if-not-exists", message).at(file, words).help(help))
}

fn is_one_of(token: &Token, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| token.is_keyword(keyword))
}

/// Rows copied by the position of their columns, which is not the same in every database: a column added by ALTER TABLE
/// stands last, whatever the order here.
fn positional_copies(file: &Arc<File>, performed: &Performed) -> Vec<Diagnostic> {
    let tokens = token::tokens(file.text.get(performed.statement.span.clone()).unwrap_or_default());
    // INTO is reserved: it stands only before the target of an INSERT or a REPLACE, be it in a trigger, and in a VACUUM,
    // which fails.
    let inserts = tokens.split(|token| token.is_symbol(';')).filter_map(|statement| {
        let into = statement.iter().position(|token| token.is_keyword("into"))?;
        statement.get(into + 1..)
    });
    inserts.filter_map(|insert| positional_copy(file, performed, insert)).collect()
}

/// `insert` is what follows INTO.
fn positional_copy(file: &Arc<File>, performed: &Performed, insert: &[Token]) -> Option<Diagnostic> {
    let starts_source = |token: &Token| token.is_symbol('(') || is_one_of(token, &["select", "values", "with"]);
    let rest = insert.get(insert.iter().position(starts_source)?..)?;
    let has_columns = rest.first()?.is_symbol('(');
    let source = token::outside_parentheses(rest);
    if !source.iter().any(|token| token.is_keyword("select")) {
        return None;
    }
    // A multiplication would go on with an operand.
    let is_wildcard = |pair: &[&Token]| matches!(pair, [star, next] if star.is_symbol('*') && (next.is_symbol(',') || next.is_keyword("from")));
    let target = insert.split(starts_source).next()?.split(|token| token.is_keyword("as")).next()?.last()?.as_name();
    let message = if !has_columns {
        format!("the copy into `{target}` goes by position: it does not name the columns it fills")
    } else if source.windows(2).any(is_wildcard) {
        format!("the copy into `{target}` goes by position: `*` does not name the columns it takes")
    } else {
        return None;
    };
    let span = &performed.statement.span;
    let into = file.find_word("into", span.clone()).map_or(span.start, |into| into.end);
    let word = file.find_word(&target, into..span.end).unwrap_or_else(|| file.first_word(span.clone()));
    Some(
        Diagnostic::error("positional-copy", message)
            .at(file, word)
            .note(
                "where the same columns were added in another order, values would end up in the wrong columns, silently",
            )
            .help(format!("name the columns on both sides: `INSERT INTO {target}(a, b) SELECT a, b FROM …`")),
    )
}

/// Indexes and triggers that went down with the table they were on, while the table came back.
fn lost_objects(file: &Arc<File>, script: &[Performed], before: &Catalog, after: &Catalog) -> Vec<Diagnostic> {
    let indexes = before.indexes.iter().filter(|(key, _)| !after.indexes.contains_key(*key));
    let triggers = before.triggers.iter().filter(|(key, _)| !after.triggers.contains_key(*key));
    let lost = indexes
        .map(|(key, index)| ("index", key, &index.name, &index.table, &index.sql))
        .chain(triggers.map(|(key, trigger)| ("trigger", key, &trigger.name, &trigger.table, &trigger.sql)));
    let mut findings = Vec::new();
    for (kind, key, name, table, sql) in lost {
        // DROP TABLE and DROP VIEW report the triggers they take along as dropped: that is not what the author said.
        let is_dropped_by_name = script
            .iter()
            .any(|performed| performed.effects.drops.contains(key) && performed.effects.drops_tables.is_empty());
        let is_table_back = after.tables.contains_key(&table.to_ascii_lowercase())
            || after.views.contains_key(&table.to_ascii_lowercase());
        if is_dropped_by_name || !is_table_back {
            continue;
        }
        let drops = |performed: &&Performed| performed.effects.drops_tables.contains(&table.to_ascii_lowercase());
        let culprit = script.iter().find(drops).or_else(|| {
            // The table was renamed away before it was dropped.
            script.iter().rev().find(|performed| !performed.effects.drops_tables.is_empty())
        });
        let span = culprit.map_or(0..0, |performed| file.first_word(performed.statement.span.clone()));
        findings.push(
            Diagnostic::error("lost-object", format!("{kind} `{name}` of `{table}` is lost in this rebuild"))
                .at(file, span)
                .label(format!("drops `{name}` with it"))
                .help(format!("make it again behind the rebuild:\n{sql};"))
                .help(format!("or, if it is to go, say so before the rebuild:\nDROP {} {name};", kind.to_uppercase())),
        );
    }
    findings
}

/// Foreign keys that this migration left pointing at nothing.
fn dangling_foreign_keys(file: &Arc<File>, script: &[Performed], before: &Catalog, after: &Catalog) -> Vec<Diagnostic> {
    let dangling = |catalog: &Catalog| -> Vec<(String, String)> {
        let keys = catalog
            .tables
            .values()
            .flat_map(|table| table.foreign_keys.iter().map(|key| (table.name.clone(), key.parent.clone())));
        keys.filter(|(_, parent)| !catalog.tables.contains_key(parent)).collect()
    };
    let known = dangling(before);
    let mut findings = Vec::new();
    for (table, parent) in dangling(after).into_iter().filter(|key| !known.contains(key)) {
        let span = script
            .iter()
            .find_map(|performed| file.find_word(&parent, performed.statement.span.clone()))
            .unwrap_or(0..0);
        findings.push(
            Diagnostic::error(
                "dangling-foreign-key",
                format!("a foreign key of `{table}` points to `{parent}`, a table that does not exist"),
            )
            .at(file, span)
            .help("create the table it points to first; in a rebuild, rename the new table in instead of the old one away"),
        );
    }
    findings
}

/// A foreign key, from child to parent, that SQLite cannot check.
pub(crate) fn foreign_key_mismatch(
    file: &Arc<File>,
    script: &[Performed],
    (child, parent): &(String, String),
) -> Diagnostic {
    // Where the child refers to the parent, or else where either is changed.
    let reference = |within: Range<usize>| {
        let start = file.find_word(child, within.clone())?.end;
        let start = file.find_word("references", start..within.end)?.end;
        file.find_word(parent, start..within.end)
    };
    let mention =
        |within: Range<usize>| file.find_word(parent, within.clone()).or_else(|| file.find_word(child, within));
    let spans = || script.iter().map(|performed| performed.statement.span.clone());
    let span = spans().find_map(reference).or_else(|| spans().find_map(mention));
    let message = format!("a foreign key of `{child}` points to columns of `{parent}` that are not a key of it");
    Diagnostic::error("foreign-key-mismatch", message)
        .at(file, span.unwrap_or_else(|| file.first_word(file.part.clone())))
        .note("SQLite can check no row of it, so every boot would refuse")
        .help(format!(
            "point to the primary key of `{parent}`, or make a UNIQUE index, not a partial one, on these columns"
        ))
}
