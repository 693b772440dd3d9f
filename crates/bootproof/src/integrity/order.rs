//! The order in which an index keeps its entries (<https://sqlite.org/datatype3.html#sort_order>).

use std::cmp::Ordering;

use rusqlite::types::ValueRef;

/// How two texts of a term are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collation {
    Binary,
    NoCase,
    RightTrim,
}

impl Collation {
    /// SQLite's own collations; a program's own are not known here.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "BINARY" => Some(Self::Binary),
            "NOCASE" => Some(Self::NoCase),
            "RTRIM" => Some(Self::RightTrim),
            _ => None,
        }
    }

    /// Only ASCII letters have a case here, and only blanks are trimmed (<https://sqlite.org/datatype3.html#collating_sequences>).
    fn compare(self, left: &[u8], right: &[u8]) -> Ordering {
        let trimmed = |text: &'_ [u8]| text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
        match self {
            Self::Binary => left.cmp(right),
            Self::NoCase => no_case(left, right),
            Self::RightTrim => left.get(..trimmed(left)).cmp(&right.get(..trimmed(right))),
        }
    }
}

/// What follows a NUL that both have in the same place is not compared; only how long the texts are
/// (`sqlite3_strnicmp` compares strings of C).
fn no_case(left: &[u8], right: &[u8]) -> Ordering {
    let lower = left.iter().map(u8::to_ascii_lowercase).zip(right.iter().map(u8::to_ascii_lowercase));
    let difference = lower.take_while(|pair| *pair != (0, 0)).find(|(left, right)| left != right);
    difference.map_or_else(|| left.len().cmp(&right.len()), |(left, right)| left.cmp(&right))
}

/// Compares two values as SQLite does: NULL, then numbers, then texts, then blobs.
pub(super) fn compare(left: ValueRef<'_>, right: ValueRef<'_>, collation: Collation) -> Ordering {
    match (left, right) {
        (ValueRef::Integer(left), ValueRef::Integer(right)) => left.cmp(&right),
        (ValueRef::Real(left), ValueRef::Real(right)) => left.total_cmp(&right),
        (ValueRef::Integer(left), ValueRef::Real(right)) => integer_and_real(left, right),
        (ValueRef::Real(left), ValueRef::Integer(right)) => integer_and_real(right, left).reverse(),
        (ValueRef::Text(left), ValueRef::Text(right)) => collation.compare(left, right),
        (ValueRef::Blob(left), ValueRef::Blob(right)) => left.cmp(right),
        (left, right) => class(left).cmp(&class(right)),
    }
}

fn class(value: ValueRef<'_>) -> u8 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Integer(_) | ValueRef::Real(_) => 1,
        ValueRef::Text(_) => 2,
        ValueRef::Blob(_) => 3,
    }
}

/// Exactly: an integer beyond 2^53 is not what it would be as a real number. SQLite knows no real number that is none.
fn integer_and_real(integer: i64, real: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if real >= BEYOND {
        return Ordering::Less;
    }
    if real < -BEYOND {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "its whole part fits, as it is within the bounds above")]
    let whole = real.trunc() as i64;
    integer.cmp(&whole).then_with(|| 0.0_f64.total_cmp(&real.fract()))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use rusqlite::types::Value;

    use super::*;

    /// SQLite is the judge, over every pair of values that are told apart with difficulty.
    #[test]
    fn compares_as_sqlite_does() {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut values = vec![Value::Null, Value::Blob(vec![]), Value::Blob(vec![0]), Value::Blob(b"a".to_vec())];
        values.extend(
            ["", "a", "A", "a ", "a  b", "ab", "B", "[", "é", "É", "a\0", "a\0b", "a\0c", "A\0bb", "\u{7f}"].map(text),
        );
        values.extend([0, 1, -1, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1].map(Value::Integer));
        values.extend(
            [0.5, -0.5, 1.0, -1.0, 9_007_199_254_740_992.0, 9_223_372_036_854_775_807.0, -9_223_372_036_854_775_808.0]
                .map(Value::Real),
        );
        values.extend([1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY, 1e-300].map(Value::Real));
        let connection = Connection::open_in_memory().unwrap();
        for (collation, name) in
            [(Collation::Binary, "BINARY"), (Collation::NoCase, "NOCASE"), (Collation::RightTrim, "RTRIM")]
        {
            // An index on a column without a type keeps values as they are.
            connection
                .execute_batch(&format!(
                    "DROP TABLE IF EXISTS t; CREATE TABLE t(v, n INTEGER); CREATE INDEX i ON t(v COLLATE {name})"
                ))
                .unwrap();
            for (number, value) in values.iter().enumerate() {
                connection.execute("INSERT INTO t VALUES (?1, ?2)", (value, i64::try_from(number).unwrap())).unwrap();
            }
            for left in &values {
                let sql = format!(
                    "SELECT v IS NOT NULL AND v = ?1 COLLATE {name}, v FROM t INDEXED BY i ORDER BY v COLLATE {name}"
                );
                let mut statement = connection.prepare(&sql).unwrap();
                let mut rows = statement.query([left]).unwrap();
                // Everything before the equal ones is less, everything after them is greater.
                let mut last = Ordering::Less;
                while let Some(row) = rows.next().unwrap() {
                    let found = row.get_ref(1).unwrap();
                    let ordering = compare(found, left.into(), collation);
                    assert!(ordering >= last, "{found:?} and {left:?} under {name}");
                    last = ordering;
                    if *left != Value::Null {
                        assert_eq!(
                            ordering == Ordering::Equal,
                            row.get::<_, bool>(0).unwrap(),
                            "{found:?} and {left:?} under {name}"
                        );
                    }
                }
            }
        }
    }
}
