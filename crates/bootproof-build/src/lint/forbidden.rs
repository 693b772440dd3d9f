//! What must not run at all: it would reach beyond the transaction, or beyond the file.

use crate::diagnostic::Diagnostic;
use crate::effect::{Effects, Pragma};
use crate::source::File;

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
pub(crate) fn inside_a_transaction(file: &File) -> Diagnostic {
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
