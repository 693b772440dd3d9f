//! Values that a column may take: guesses, the likeliest first, of which SQLite accepts one.
//!
//! Nothing here understands a CHECK. The literals in it are tried, and what would satisfy a pattern or a length.

use bootproof_catalog::catalog::{Affinity, Column, Table};
use bootproof_catalog::token::{self, Kind, Token};
use rusqlite::types::Value;

/// Numbers that no row has yet. They begin far from 1, so that a table that is numbered anew is seen to be.
#[derive(Debug)]
pub(super) struct Numbers(i64);

impl Default for Numbers {
    fn default() -> Self {
        Self(1000)
    }
}

impl Numbers {
    pub(super) fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0
    }
}

/// Candidates for a column in the row of a position, made from a number that no other value has.
pub(super) fn candidates(table: &Table, column: &Column, position: usize, number: i64) -> Vec<Value> {
    let mut values = vec![typical(column, number)];
    let hints = hints(table, column, number);
    // Each row begins with another one, so that an enumeration shows more than its first word.
    let turn = if hints.is_empty() { 0 } else { position % hints.len() };
    values.extend(hints.iter().skip(turn).chain(hints.iter().take(turn)).cloned());
    values.extend([Value::Integer(1), Value::Integer(0), Value::Real(0.5)]);
    values.extend(["a", "A", "{}", "[]"].map(|text| Value::Text(text.to_owned())));
    values.extend([date_and_time(number), date(number), Value::Blob(blob(number))]);
    values
}

/// What a column of this name and type usually holds.
///
/// Plain text consists of digits: it is a number, a date and JSON, too, so that hardly any function refuses it.
fn typical(column: &Column, number: i64) -> Value {
    let name = column.name.to_ascii_lowercase();
    let declared = column.declared_type.to_ascii_uppercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let is_date = ends(&["date", "_on", "_day"]) || declared == "DATE";
    let is_time = ends(&["_at", "time", "timestamp"]) || ["created", "updated", "modified"].contains(&name.as_str());
    match column.affinity {
        Affinity::Integer if is_date || is_time => Value::Integer(1_735_689_600 + number),
        Affinity::Integer => Value::Integer(number),
        // The difference of halves is exact.
        Affinity::Real => Value::Text(format!("{number}.5")),
        Affinity::Blob if declared.contains("BLOB") => Value::Blob(blob(number)),
        Affinity::Numeric if declared.contains("BOOL") => Value::Integer(number % 2),
        Affinity::Numeric if declared.contains("TIME") => date_and_time(number),
        Affinity::Numeric if declared == "DATE" => date(number),
        Affinity::Numeric if !declared.contains("JSON") => Value::Integer(number),
        Affinity::Blob | Affinity::Numeric | Affinity::Text => match shape(column) {
            Some('[') => Value::Text(format!("[\"{number}\"]")),
            Some('{') => Value::Text(format!("{{\"n\":{number}}}")),
            _ if is_date => date(number),
            _ if is_time => date_and_time(number),
            _ if name.contains("email") => Value::Text(format!("a{number}@example.com")),
            _ => Value::Text(number.to_string()),
        },
    }
}

/// How the text of a column begins that seems to be JSON.
fn shape(column: &Column) -> Option<char> {
    const USUAL: [&str; 8] =
        ["json", "metadata", "payload", "config", "settings", "preferences", "attributes", "properties"];
    let default = column.default.as_deref().and_then(|default| default.strip_prefix('\''));
    let name = column.name.to_ascii_lowercase();
    let is_usual = USUAL.iter().any(|usual| name.contains(usual)) || column.declared_type.eq_ignore_ascii_case("json");
    match default.and_then(|default| default.chars().next()) {
        Some(open @ ('{' | '[')) => Some(open),
        _ => is_usual.then_some('{'),
    }
}

fn date(number: i64) -> Value {
    Value::Text(format!("{}-{:02}-{:02}", 2000 + number / 336 % 100, number / 28 % 12 + 1, number % 28 + 1))
}

fn date_and_time(number: i64) -> Value {
    let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
    Value::Text(format!("2025-01-{:02} {hour:02}:{minute:02}:{second:02}", number / 86_400 % 28 + 1))
}

/// As long as a UUID.
fn blob(number: i64) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    bytes.extend(number.to_be_bytes());
    bytes
}

/// What the CHECKs that mention a column let one guess, and its DEFAULT.
fn hints(table: &Table, column: &Column, number: i64) -> Vec<Value> {
    let name = column.name.to_ascii_lowercase();
    let mut hints = Vec::new();
    for check in &table.checks {
        let tokens = token::tokens(check);
        if tokens.iter().any(|token| token.kind != Kind::Literal && token.text == name) {
            add_hints(&tokens, number, &mut hints);
        }
    }
    if let Some(default) = &column.default {
        hints.extend(literals(&token::tokens(default)));
    }
    hints
}

fn add_hints(tokens: &[Token], number: i64, hints: &mut Vec<Value>) {
    let has = |word: &str| tokens.iter().any(|token| token.is_keyword(word));
    if tokens.iter().any(|token| token.kind == Kind::Word && token.text.starts_with("json")) {
        hints.push(Value::Text(format!("{{\"n\":{number}}}")));
        hints.push(Value::Text(format!("[{number}]")));
    }
    for literal in literals(tokens) {
        match &literal {
            Value::Integer(limit) => {
                if has("length") {
                    hints.push(Value::Text(of_length(*limit, number)));
                    hints.push(Value::Text(of_length(limit.saturating_sub(1), number)));
                    hints.push(Value::Text(of_length(limit.saturating_add(1), number)));
                }
                hints.extend([0, 1, -1].map(|step| Value::Integer(limit.saturating_add(step))));
            }
            Value::Text(pattern) if has("glob") => hints.push(Value::Text(glob(pattern, number))),
            Value::Text(pattern) if has("like") => {
                hints.push(Value::Text(pattern.replace('%', &number.to_string()).replace('_', "1")));
            }
            _ => {}
        }
        hints.push(literal);
    }
}

/// The literals among some tokens, in their order.
fn literals(tokens: &[Token]) -> Vec<Value> {
    let mut values = Vec::new();
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        rest = after;
        if first.kind == Kind::Literal {
            values.push(Value::Text(text_of(&first.text)));
            continue;
        }
        let is_negative = first.is_symbol('-');
        let number = if is_negative { after.first() } else { Some(first) };
        let Some(number) = number.filter(|token| token.kind == Kind::Word) else { continue };
        let Ok(whole) = number.text.parse::<i64>() else { continue };
        if is_negative {
            rest = rest.get(1..).unwrap_or_default();
        }
        let sign = if is_negative { "-" } else { "" };
        if let [point, fraction, after @ ..] = rest
            && point.is_symbol('.')
            && let Ok(real) = format!("{sign}{whole}.{}", fraction.text).parse()
        {
            values.push(Value::Real(real));
            rest = after;
        } else {
            values.push(Value::Integer(if is_negative { -whole } else { whole }));
        }
    }
    values
}

/// What a string literal says.
fn text_of(literal: &str) -> String {
    let inner = literal.strip_prefix('\'').unwrap_or(literal);
    inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'")
}

/// A text of so many characters, another one for another number if there is room.
fn of_length(length: i64, number: i64) -> String {
    let length = usize::try_from(length.clamp(0, 1000)).unwrap_or_default();
    let digits = format!("{number:0length$}");
    digits.get(digits.len() - length..).unwrap_or(&digits).to_owned()
}

/// A text that a GLOB pattern matches, where it is a simple one.
fn glob(pattern: &str, number: i64) -> String {
    let mut text = String::new();
    let mut rest = pattern.chars();
    // The digits of the number, the last first, choose among the characters of a set.
    let mut left = number.unsigned_abs();
    while let Some(c) = rest.next() {
        match c {
            '*' => {}
            '?' => text.push('1'),
            '[' => {
                let set: Vec<char> = rest.by_ref().take_while(|&c| c != ']').collect();
                let first = set.first().copied().unwrap_or('1');
                let step = u32::try_from(left % 10).unwrap_or_default();
                left /= 10;
                let chosen = char::from_u32(u32::from(first) + step);
                let is_in_range = |&c: &char| set.get(1) == Some(&'-') && set.get(2).is_some_and(|&last| c <= last);
                text.push(if first == '^' { '1' } else { chosen.filter(is_in_range).unwrap_or(first) });
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{glob, literals, of_length};
    use bootproof_catalog::token::tokens;
    use rusqlite::types::Value;

    #[test]
    fn literals_are_read_with_sign_and_fraction() {
        let found = literals(&tokens("x > -3 AND y <= 1.5 AND z IN ('it''s', 7)"));
        let text = Value::Text("it's".to_owned());
        assert_eq!(found, [Value::Integer(-3), Value::Real(1.5), text, Value::Integer(7)]);
    }

    #[test]
    fn patterns_and_lengths_are_met() {
        assert_eq!(glob("[A-Z][A-Z]-[0-9]*", 1234), "ED-2");
        assert_eq!(of_length(3, 1234), "234");
        assert_eq!(of_length(6, 1234), "001234");
    }
}
