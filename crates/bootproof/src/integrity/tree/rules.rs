//! What the columns of a table may hold, as far as `PRAGMA quick_check` asks.

use bootproof_catalog::catalog::Affinity;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::record::{self, Field};
use super::{Content, Result, doubtful};

/// The rules of a table whose columns are all stored, and have no rules in SQL.
#[derive(Debug)]
pub(in super::super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    is_not_null: bool,
    class: Class,
    /// Whether rows from before the column was added keep the rule only if its default does, which SQLite knows.
    is_told_by_default: bool,
}

#[derive(Clone, Copy, Debug)]
enum Class {
    Anything,
    /// No numbers: they would have been made texts.
    Texts,
    /// No texts that are numbers.
    Numbers,
}

/// What rules say of a row that keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Verdict {
    Kept,
    /// It cannot be told from as much of the row as there is, or depends on a default.
    Unknown,
}

impl Rules {
    /// Of a table that has row numbers, is not STRICT and has no CHECK; none where it has generated columns, which are left to SQLite.
    /// So is one that hides a type: `""` is one, of numbers, and nobody tells it from none.
    pub(in super::super) fn read(
        connection: &Connection,
        table: &str,
        hides_types: bool,
    ) -> rusqlite::Result<Option<Self>> {
        // The one column that is the number of the row is stored as NULL. With `PRIMARY KEY DESC` it is another, and has an index.
        let ask = "SELECT NOT EXISTS (SELECT 1 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk')";
        let has_no_key: bool = connection.prepare_cached(ask)?.query_row([table], |row| row.get(0))?;
        let ask = "SELECT type, \"notnull\", dflt_value, pk, hidden
                   FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";
        let mut statement = connection.prepare_cached(ask)?;
        let mut rows = statement.query([table])?;
        let mut rules = Vec::new();
        while let Some(row) = rows.next()? {
            let name_of_type: String = row.get(0)?;
            if row.get::<_, i64>(4)? != 0 || hides_types && name_of_type.is_empty() {
                return Ok(None);
            }
            let is_row_number = has_no_key && row.get::<_, i64>(3)? > 0;
            let class = match Affinity::of(&name_of_type) {
                _ if is_row_number => Class::Anything,
                Affinity::Text => Class::Texts,
                Affinity::Blob => Class::Anything,
                Affinity::Integer | Affinity::Real | Affinity::Numeric => Class::Numbers,
            };
            let is_not_null = row.get(1)? && !is_row_number;
            let default = row.get::<_, Option<String>>(2)?;
            let is_told_by_default = default.map_or(is_not_null, |default| !is_plain(&default));
            rules.push(Rule { is_not_null, class, is_told_by_default });
        }
        Ok(Some(Self(rules)))
    }

    /// How many columns there are.
    pub(in super::super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a row keeps them. That it does not is a doubt.
    pub(in super::super) fn judge(&self, content: &Content<'_>) -> Result<Verdict> {
        let (mut rules, mut verdict) = (self.0.iter(), Verdict::Kept);
        let is_there = record::each(content, |field| {
            let Some(rule) = rules.next() else {
                return doubtful("a row has more values than its table has columns");
            };
            if rule.judge(field, content)? == Verdict::Unknown {
                verdict = Verdict::Unknown;
            }
            Ok(())
        })?;
        if !is_there || rules.any(|absent| absent.is_told_by_default) {
            verdict = Verdict::Unknown;
        }
        Ok(verdict)
    }
}

impl Rule {
    #[inline]
    fn judge(&self, field: Field, content: &Content<'_>) -> Result<Verdict> {
        let is_number = matches!(field.serial, 1..=9);
        let is_text = field.serial >= 13 && field.serial % 2 == 1;
        match self.class {
            _ if self.is_not_null && field.serial == 0 => return doubtful("NULL in a column that is NOT NULL"),
            // A number that is none is read as NULL.
            _ if self.is_not_null && field.serial == 7 => match field.value(content) {
                None => return Ok(Verdict::Unknown),
                Some(ValueRef::Null) => return doubtful("NULL in a column that is NOT NULL"),
                Some(_) => {}
            },
            _ => {}
        }
        match self.class {
            Class::Texts if is_number => doubtful("a number in a column of texts"),
            Class::Numbers if is_text => match field.value(content) {
                Some(ValueRef::Text(text)) if !is_number_in_words(text) => Ok(Verdict::Kept),
                Some(_) => doubtful("a text that is a number in a column of numbers"),
                None => Ok(Verdict::Unknown),
            },
            _ => Ok(Verdict::Kept),
        }
    }
}

/// Whether a default is a number, a truth or a text in single quotes: no NULL, and made into what its column may hold wherever it is
/// read.
fn is_plain(default: &str) -> bool {
    let is_truth = ["true", "false"].iter().any(|truth| default.eq_ignore_ascii_case(truth));
    let is_text = default.len() > 1 && default.starts_with('\'') && default.ends_with('\'');
    let number = default.strip_prefix('-').unwrap_or(default);
    let is_number = number.starts_with(|first: char| first.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_truth || is_text || is_number
}

/// Whether a text is a number (<https://sqlite.org/datatype3.html#type_conversions_prior_to_comparison>), which in a column of numbers
/// would have become one; taken for one also where SQLite finds that something would be lost.
pub(super) fn is_number_in_words(text: &[u8]) -> bool {
    let mut rest = text;
    let mut skip = |is_wanted: fn(&u8) -> bool, most: usize| {
        let length = rest.iter().take(most).take_while(|byte| is_wanted(byte)).count();
        rest = rest.get(length..).unwrap_or_default();
        length
    };
    // SQLite takes the vertical tab for a space, too.
    let is_space: fn(&u8) -> bool = |byte| byte.is_ascii_whitespace() || *byte == 0x0b;
    let is_sign: fn(&u8) -> bool = |byte| matches!(byte, b'+' | b'-');
    skip(is_space, usize::MAX);
    skip(is_sign, 1);
    let mut digits = skip(u8::is_ascii_digit, usize::MAX);
    if skip(|byte| *byte == b'.', 1) == 1 {
        digits += skip(u8::is_ascii_digit, usize::MAX);
    }
    if digits > 0 && skip(|byte| matches!(byte, b'e' | b'E'), 1) == 1 {
        skip(is_sign, 1);
        skip(u8::is_ascii_digit, usize::MAX);
    }
    skip(is_space, usize::MAX);
    // It reads a text up to the first NUL.
    digits > 0 && matches!(rest, [] | [0, ..])
}
