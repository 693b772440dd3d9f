//! `IF NOT EXISTS`, which keeps what is there without a word, whatever it is.

use std::ops::Range;

use bootproof_catalog::token::{self, Token};

use super::Ran;
use super::ran::{Statement, is_name, is_one_of, unqualified};
use crate::diagnostic::Diagnostic;

/// What a CREATE makes, and whether only where there is none.
pub(crate) struct Creation {
    /// In upper case: `TABLE`, `INDEX`, `TRIGGER`, `VIEW`.
    pub(crate) kind: String,
    /// In lower case.
    pub(crate) name: String,
    /// Where `IF NOT EXISTS` stands, from the start of the text.
    pub(crate) condition: Option<Range<usize>>,
}

/// What a statement creates, if it is a CREATE.
pub(crate) fn creation(tokens: &[Token]) -> Option<Creation> {
    if !tokens.first()?.is_keyword("create") {
        return None;
    }
    let kind_at = tokens.iter().take(3).position(|token| is_one_of(token, &["table", "index", "trigger", "view"]))?;
    let (kind, rest) = (tokens.get(kind_at)?, tokens.get(kind_at + 1..)?);
    let (condition, rest) = match rest {
        [first, second, third, rest @ ..]
            if first.is_keyword("if") && second.is_keyword("not") && third.is_keyword("exists") =>
        {
            (Some(first.span.start..third.span.end), rest)
        }
        _ => (None, rest),
    };
    let name = unqualified(rest).first().filter(|token| is_name(token))?;
    Some(Creation { kind: kind.text.to_ascii_uppercase(), name: name.as_name(), condition })
}

/// The CREATE of a text that only makes what is not there.
pub(crate) fn conditional(text: &str) -> Option<Creation> {
    // Looking at the tokens of every statement would take longer than running most of them.
    let start = text.get(..6)?;
    start
        .eq_ignore_ascii_case("create")
        .then(|| creation(&token::tokens(text)))?
        .filter(|made| made.condition.is_some())
}

pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    ran.statements.iter().filter_map(|statement| conditioned(ran, statement)).collect()
}

/// In our own layout a condition is wrong by itself: nobody knows what it met in which database. Elsewhere it is a custom,
/// and wrong where it keeps something else than it says.
fn conditioned(ran: &Ran<'_>, statement: &Statement<'_>) -> Option<Diagnostic> {
    let Creation { kind, name, condition } = creation(&statement.tokens)?;
    let condition = condition?;
    let start = statement.performed.statement.span.start;
    let kept = &statement.performed.kept;
    if ran.file.dialect.is_foreign() && kept.is_empty() {
        return None;
    }
    let help = if kind == "TABLE" {
        "remove `IF NOT EXISTS`: a migration runs exactly once, on a schema that is known".to_owned()
    } else {
        let name = token::name(&name);
        format!("write `DROP {kind} IF EXISTS {name};` first, then `CREATE {kind} {name} …`")
    };
    let message = format!("`IF NOT EXISTS` silently keeps another {} of the same name", kind.to_ascii_lowercase());
    let diagnostic =
        Diagnostic::error("if-not-exists", message).at(ran.file, start + condition.start..start + condition.end);
    Some(kept.iter().fold(diagnostic, |diagnostic, kept| diagnostic.note(format!("here, {kept}"))).help(help))
}
