//! What SQLite does only outside a transaction, and a migration may ask for that says so: `-- bootproof: no-transaction`.

use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::token;

use crate::diagnostic::Diagnostic;
use crate::dialect::wrapper::Role;
use crate::effect::Effects;
use crate::explain::Known;
use crate::lint::Terms;
use crate::rehearse::{Performed, Stage};
use crate::rows::Runner;
use crate::source::{File, Source};

/// What stays in the file and is not set inside a transaction.
const OF_THE_FORMAT: [&str; 3] = ["auto_vacuum", "journal_mode", "page_size"];

/// The journal modes that the file remembers; the others are a connection's.
const KEPT_MODES: [&str; 2] = ["delete", "wal"];

/// What to do with a statement of such a file, where that differs from any other file.
pub(crate) fn judge(file: &File, effects: &Effects, span: &Range<usize>) -> Option<Role> {
    if is_vacuum(file, span) {
        // It would write where it says, now.
        return is_vacuum_into(file, span).then(|| {
            Role::Refused(Box::new(
                Diagnostic::error("file-system", "`VACUUM INTO` writes another file, which is no part of the database")
                    .help(
                        "remove it; `Boot::back_up` makes a verified copy, and so does the operator's command `backup`",
                    ),
            ))
        });
    }
    let pragma = effects.pragma.as_ref().filter(|pragma| OF_THE_FORMAT.contains(&pragma.name.as_str()))?;
    let value = pragma.value.as_deref()?.to_ascii_lowercase();
    if pragma.name == "journal_mode" && !KEPT_MODES.contains(&value.as_str()) {
        let message = format!("the journal mode `{value}` is not kept in the file");
        return Some(Role::Refused(Box::new(Diagnostic::error("pragma", message).help(
            "the file remembers `wal` or `delete`; any other is set on the connection that the application opens",
        ))));
    }
    Some(Role::Honoured)
}

/// Why a file that its own tool runs outside a transaction has to; nothing where it runs inside one as well, which is safer.
pub(crate) fn said_by_its_tool(
    stage: &Stage,
    source: &Source,
    runner: Runner,
    known: Known<'_>,
    terms: Terms<'_>,
) -> rusqlite::Result<Option<String>> {
    if !source.no_transaction || stage.runs_inside(&source.up, runner, known, terms)? {
        return Ok(None);
    }
    Ok(Some(format!("{} runs this file outside a transaction", source.up.dialect)))
}

/// That nothing in a file needs what it asks for.
pub(crate) fn needless(file: &Arc<File>, script: &[Performed], span: Range<usize>) -> Option<Diagnostic> {
    let needs = |performed: &Performed| {
        let pragma = performed.effects.pragma.as_ref().filter(|pragma| pragma.has_value);
        let sets_format = pragma.is_some_and(|pragma| OF_THE_FORMAT.contains(&pragma.name.as_str()));
        sets_format || is_vacuum(file, &performed.statement.span)
    };
    (!script.iter().any(needs)).then(|| {
        Diagnostic::warning("no-transaction", "nothing here needs to run outside the transaction")
            .at(file, span)
            .note("outside, boot works on a copy, and needs the file to itself and the space of two copies")
            .help("remove the line")
    })
}

fn is_vacuum(file: &File, span: &Range<usize>) -> bool {
    file.text.get(file.first_word(span.clone())).is_some_and(|word| word.eq_ignore_ascii_case("vacuum"))
}

fn is_vacuum_into(file: &File, span: &Range<usize>) -> bool {
    let tokens = token::tokens(file.text.get(span.clone()).unwrap_or_default());
    tokens.iter().any(|token| token.is_keyword("into"))
}
