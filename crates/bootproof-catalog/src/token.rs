//! SQL text reduced to what SQLite sees of it: white space, comments, letter case and quoting of names gone.
//!
//! This decides nothing about what SQL *means*; it only tells two spellings of one definition from two definitions,
//! where SQLite offers no pragma to ask (expressions of an index, CHECK constraints, bodies of triggers and views).

/// What a token is, as far as comparing needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bare word: a keyword, a name, a number.
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
}

/// The tokens of an SQL text. Never fails: an unterminated quote or comment simply ends with the text.
#[must_use]
pub fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if rest.starts_with("/*") {
            rest = rest.get(2..).and_then(|body| body.split_once("*/")).map_or("", |(_, after)| after);
        } else {
            let (token, length) = match first {
                '\'' => {
                    let length = quoted_length(rest, '\'');
                    (Token { kind: Kind::Literal, text: rest.get(..length).unwrap_or(rest).to_owned() }, length)
                }
                '"' | '`' | '[' => quoted_name(rest, first),
                _ if is_word(first) => {
                    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                    let text = rest.get(..length).unwrap_or(rest).to_ascii_lowercase();
                    (Token { kind: Kind::Word, text }, length)
                }
                _ => (Token { kind: Kind::Symbol, text: first.to_string() }, first.len_utf8()),
            };
            tokens.push(token);
            rest = rest.get(length..).unwrap_or("");
        }
    }
    tokens
}

/// Tokens as one text, a blank between them; names that could be misread keep their quotes.
#[must_use]
pub fn join(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        if !text.is_empty() {
            text.push(' ');
        }
        if token.kind == Kind::Quoted && !token.text.chars().all(is_word) {
            text.push('"');
            text.push_str(&token.text);
            text.push('"');
        } else {
            text.push_str(&token.text);
        }
    }
    text
}

/// A whole text in canonical form, without a final semicolon.
#[must_use]
pub fn canonical(sql: &str) -> String {
    let mut tokens = tokens(sql);
    while tokens.last().is_some_and(|token| token.is_symbol(';')) {
        tokens.pop();
    }
    join(&tokens)
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

/// SQLite's own rule for identifier characters: letters, digits, `_`, `$` and everything beyond ASCII. The point keeps
/// decimal numbers whole (and, alike on both sides of a comparison, qualified names).
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.') || !c.is_ascii()
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

fn quoted_name(text: &str, open: char) -> (Token, usize) {
    let close = if open == '[' { ']' } else { open };
    let length =
        if open == '[' { text.find(']').map_or(text.len(), |end| end + 1) } else { quoted_length(text, close) };
    let inner = text.get(..length).unwrap_or(text).trim_start_matches(open);
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    let name = inner.replace(&format!("{close}{close}"), &close.to_string()).to_ascii_lowercase();
    (Token { kind: Kind::Quoted, text: name }, length)
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
