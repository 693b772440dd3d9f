//! SQL text reduced to what SQLite sees of it: white space, comments, letter case and quoting of names gone.
//!
//! This decides nothing about what SQL *means*; it only tells two spellings of one definition from two definitions,
//! where SQLite offers no pragma to ask (expressions of an index, CHECK constraints, bodies of triggers and views).

use std::ops::Range;

/// What a token is, as far as comparing needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bare word: a keyword, a name, a number or, where it has a decimal point, a part of one.
    Word,
    /// A name in double quotes, brackets or backticks.
    Quoted,
    /// A string literal, quotes included.
    Literal,
    /// One character of punctuation.
    Symbol,
}

/// One token; the text of names and words is in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its canonical text.
    pub text: String,
    /// The bytes of the SQL text that it was read from.
    pub span: Range<usize>,
}

impl Token {
    /// Whether this is the given keyword, not a quoted name spelt like it.
    #[must_use]
    pub fn is_keyword(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text == keyword
    }

    /// Whether this is the given character of punctuation.
    #[must_use]
    pub fn is_symbol(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol && self.text.starts_with(symbol)
    }

    /// The name it is, in lower case, where it stands for one. SQLite takes a literal for a name too:
    /// <https://sqlite.org/lang_keywords.html>.
    #[must_use]
    pub fn as_name(&self) -> String {
        match self.kind {
            Kind::Literal => unquoted(&self.text).unwrap_or_default().to_ascii_lowercase(),
            _ => self.text.clone(),
        }
    }
}

/// The tokens of an SQL text. Never fails: an unterminated quote or comment simply ends with the text.
#[must_use]
pub fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        // What SQLite takes for white space; any other is part of a name.
        if first.is_ascii_whitespace() {
            rest = rest.trim_ascii_start();
        } else if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if rest.starts_with("/*") {
            rest = rest.get(2..).and_then(|body| body.split_once("*/")).map_or("", |(_, after)| after);
        } else {
            let (kind, text, length) = match first {
                '\'' => {
                    let length = quoted_length(rest, '\'');
                    (Kind::Literal, rest.get(..length).unwrap_or(rest).to_owned(), length)
                }
                '"' | '`' | '[' => quoted_name(rest, first),
                _ if is_word(first) => {
                    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                    (Kind::Word, rest.get(..length).unwrap_or(rest).to_ascii_lowercase(), length)
                }
                _ => (Kind::Symbol, first.to_string(), first.len_utf8()),
            };
            let start = sql.len() - rest.len();
            tokens.push(Token { kind, text, span: start..start + length });
            rest = rest.get(length..).unwrap_or("");
        }
    }
    tokens
}

/// An SQL identifier: the name in double quotes, whatever is in it.
///
/// ```
/// assert_eq!(bootproof_catalog::quoted("the \"parent\""), "\"the \"\"parent\"\"\"");
/// ```
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name as it stands in canonical text: in quotes only where it would be read as something else without them.
#[must_use]
pub fn name(name: &str) -> String {
    let is_plain = name.chars().all(is_word) && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_plain && !is_value(name) && !["all", "distinct", "not"].contains(&name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// Whether a bare word, in lower case, is a value and no name.
pub(crate) fn is_value(word: &str) -> bool {
    ["null", "true", "false", "current_date", "current_time", "current_timestamp"].contains(&word)
}

/// Canonical text as people write it; for reports only, as it looks into literals too.
#[must_use]
pub fn readable(canonical: &str) -> String {
    canonical.replace(" ( ", "(").replace(" )", ")").replace(" , ", ", ").replace(" . ", ".")
}

/// Tokens as one text, a blank between them; names that could be misread keep their quotes.
#[must_use]
pub fn join(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        if !text.is_empty() {
            text.push(' ');
        }
        if token.kind == Kind::Quoted {
            text.push_str(&name(&token.text));
        } else {
            text.push_str(&token.text);
        }
    }
    text
}

/// A whole text in canonical form, without a final semicolon.
#[must_use]
pub fn canonical(sql: &str) -> String {
    join_statement(&tokens(sql))
}

/// The tokens of a statement as one text, without a final semicolon.
pub(crate) fn join_statement(mut tokens: &[Token]) -> String {
    while let [statement @ .., last] = tokens
        && last.is_symbol(';')
    {
        tokens = statement;
    }
    join(tokens)
}

/// The tokens between the first parenthesis and the one that closes it, and those after it.
#[must_use]
pub fn parenthesised(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let open = tokens.iter().position(|token| token.is_symbol('('))?;
    let body = tokens.get(open + 1..)?;
    let mut depth = 1_usize;
    for (position, token) in body.iter().enumerate() {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth -= 1;
            if depth == 0 {
                return Some((body.get(..position)?, body.get(position + 1..)?));
            }
        }
    }
    None
}

/// The tokens that stand in no parenthesis.
#[must_use]
pub fn outside_parentheses(tokens: &[Token]) -> Vec<&Token> {
    let mut depth = 0_usize;
    let mut outside = Vec::new();
    for token in tokens {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            outside.push(token);
        }
    }
    outside
}

/// The parts of a list, cut at the commas that stand in no parenthesis.
#[must_use]
pub fn split_list(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            if token.is_symbol('(') {
                depth += 1;
            } else if token.is_symbol(')') {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is_symbol(',')
        })
        .collect()
}

/// SQLite's own rule for identifier characters: letters, digits, `_`, `$` and everything beyond ASCII.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

/// The length of a quoted text in bytes, its quotes included; a doubled quote stands for itself.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((position, c)) = characters.next() {
        if c == quote && characters.next_if(|&(_, next)| next == quote).is_none() {
            return position + c.len_utf8();
        }
    }
    text.len()
}

fn quoted_name(text: &str, open: char) -> (Kind, String, usize) {
    let length = if open == '[' { text.find(']').map_or(text.len(), |end| end + 1) } else { quoted_length(text, open) };
    let name = unquoted(text.get(..length).unwrap_or(text)).unwrap_or_default();
    (Kind::Quoted, name.to_ascii_lowercase(), length)
}

/// What stands in quotes of any kind, or in brackets.
pub(crate) fn unquoted(text: &str) -> Option<String> {
    let open = text.chars().next().filter(|open| matches!(open, '"' | '`' | '[' | '\''))?;
    let inner = text.get(1..)?;
    if open == '[' {
        return Some(inner.strip_suffix(']').unwrap_or(inner).to_owned());
    }
    let inner = inner.strip_suffix(open).unwrap_or(inner);
    Some(inner.replace(&format!("{open}{open}"), &open.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{canonical, parenthesised, split_list, tokens};

    #[test]
    fn spelling_does_not_matter_and_content_does() {
        let plain = canonical("CREATE INDEX i ON t(date(started), \"A\" DESC)");
        assert_eq!(plain, canonical("create index [i]\n on `t` ( DATE (Started) , a desc ) ; -- why"));
        assert_ne!(plain, canonical("CREATE INDEX i ON t(date(started), b DESC)"));
        assert_ne!(canonical("'A'"), canonical("'a'"));
    }

    #[test]
    fn quotes_stay_where_a_name_would_turn_into_something_else() {
        for name in ["null", "TRUE", "current_date", "1", "", "a b", "a\"\"b", "distinct"] {
            assert_ne!(canonical(&format!("\"{name}\"")), canonical(name), "{name}");
            assert_eq!(canonical(&format!("\"{name}\"")), format!("\"{}\"", name.to_ascii_lowercase()));
        }
        assert_eq!(canonical("\"t\".\"a\" > 1.5"), canonical("t.a>1.5"));
        assert_ne!(canonical("\"Ä\""), canonical("\"ä\""));
        assert_ne!(canonical("\"\u{a0}a\""), canonical("a"));
    }

    #[test]
    fn quotes_and_comments_hide_punctuation() {
        assert_eq!(tokens("'it''s; (' /* ) */ ;").len(), 2);
        assert_eq!(tokens("'never closed").len(), 1);
        assert_eq!(tokens("/* never closed").len(), 0);
        assert_eq!(canonical("\"a b\""), "\"a b\"");
    }

    #[test]
    fn lists_are_cut_outside_parentheses() {
        let all = tokens("t(a, date(b, 'x'), c) WHERE d");
        let (body, after) = parenthesised(&all).unwrap();
        assert_eq!(split_list(body).len(), 3);
        assert_eq!(after.len(), 2);
        assert!(parenthesised(&tokens("t(a")).is_none());
    }
}
