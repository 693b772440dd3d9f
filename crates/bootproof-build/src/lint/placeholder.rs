//! `${name}`, which flyway fills in wherever it stands, also within a text. Elsewhere in a statement SQLite refuses it.

use bootproof_catalog::token::Kind;

use super::Ran;
use crate::diagnostic::Diagnostic;
use crate::dialect::Dialect;

/// One that a text has for its own sake would have to be switched off: the file may mean it.
pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    if ran.file.dialect != Dialect::Flyway {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for statement in &ran.statements {
        let start = statement.performed.statement.span.start;
        for token in statement.tokens.iter().filter(|token| token.kind == Kind::Literal) {
            let within = start + token.span.start..start + token.span.end;
            let text = ran.file.text.get(within.clone()).unwrap_or_default();
            let Some(at) = text.find("${") else { continue };
            let Some(length) = text.get(at..).and_then(|rest| rest.find('}')).filter(|length| *length > 2) else {
                continue;
            };
            let place = within.start + at..within.start + at + length + 1;
            let name = ran.file.text.get(place.clone()).unwrap_or_default();
            findings.push(
                Diagnostic::warning(
                    "placeholder",
                    format!("flyway puts a value in the place of `{name}`; here it is a text"),
                )
                .at(ran.file, place)
                .help("write the value itself")
                .help("if flyway is told to replace none, say `-- bootproof: allow placeholder \"why\"`"),
            );
        }
    }
    findings
}
