//! The values of a row, read as what the compiled schema says they are.

use std::fmt;

use rusqlite::Row;
use rusqlite::types::{Type, Value, ValueRef};
use serde::{Serialize as _, Serializer};

use crate::compiled::Contract;

/// The columns of one row of a query contract.
#[derive(Debug)]
pub struct Columns<'a> {
    row: &'a Row<'a>,
    contract: &'static Contract,
}

impl<'a> Columns<'a> {
    pub(super) fn new(row: &'a Row<'a>, contract: &'static Contract) -> Self {
        Self { row, contract }
    }

    /// The value of a column, counted from 0.
    ///
    /// # Errors
    ///
    /// [`ColumnError`], inside [`rusqlite::Error::FromSqlConversionFailure`], where it is not of this type.
    pub fn get<T: Column>(&self, position: usize) -> rusqlite::Result<T> {
        let value = self.row.get_ref(position)?;
        T::read(value).ok_or_else(|| self.unfit::<T>(position, value))
    }

    #[cold]
    fn unfit<T: Column>(&self, position: usize, value: ValueRef<'_>) -> rusqlite::Error {
        let statement: &rusqlite::Statement<'_> = self.row.as_ref();
        let column = statement.column_name(position).unwrap_or_default().to_owned();
        let held = held(value);
        let error = ColumnError { query: self.contract.name, column, compiled: T::DECLARED, held };
        rusqlite::Error::FromSqlConversionFailure(position, value.data_type(), Box::new(error))
    }
}

/// A value in a row that is not what the compiled schema says of its column: SQLite stores anything in a column of a table that
/// is not STRICT, and an adopted database may allow NULL where the compiled schema does not.
///
/// The value itself is not in the message, which may end up in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnError {
    /// The query contract.
    pub query: &'static str,
    /// The column of its result.
    pub column: String,
    /// What was compiled, such as `TEXT NOT NULL`.
    pub compiled: &'static str,
    /// What the row holds, such as `NULL`.
    pub held: &'static str,
}

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { query, column, compiled, held } = self;
        write!(f, "the query contract `{query}` found {held} in `{column}`, which was compiled as {compiled}")
    }
}

impl std::error::Error for ColumnError {}

fn held(value: ValueRef<'_>) -> &'static str {
    match value.data_type() {
        Type::Null => "NULL",
        Type::Integer => "an INTEGER",
        Type::Real => "a REAL",
        Type::Text if value.as_str().is_err() => "a TEXT that is not UTF-8",
        Type::Text => "a TEXT",
        Type::Blob => "a BLOB",
    }
}

/// A type that a column of a query contract can have.
pub trait Column: Sized + sealed::Sealed {
    /// How such a column is declared.
    const DECLARED: &'static str;
    /// The same where it may be NULL.
    const DECLARED_NULLABLE: &'static str;

    /// The value, if it is of this type.
    fn read(value: ValueRef<'_>) -> Option<Self>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for i64 {}
    impl Sealed for f64 {}
    impl Sealed for bool {}
    impl Sealed for String {}
    impl Sealed for Vec<u8> {}
    impl Sealed for rusqlite::types::Value {}
    impl<T: Sealed> Sealed for Option<T> {}
}

impl Column for i64 {
    const DECLARED: &'static str = "INTEGER NOT NULL";
    const DECLARED_NULLABLE: &'static str = "INTEGER";

    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_i64().ok()
    }
}

impl Column for f64 {
    const DECLARED: &'static str = "REAL NOT NULL";
    const DECLARED_NULLABLE: &'static str = "REAL";

    /// A column of numbers stores 1.0 as 1.
    fn read(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Real(real) => Some(real),
            ValueRef::Integer(integer) => exact(integer),
            ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => None,
        }
    }
}

/// A whole number as a fraction, if it is one: from 2^53 on only some are.
fn exact(integer: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "what is lost is looked at")]
    let real = integer as f64;
    #[expect(clippy::cast_possible_truncation, reason = "no float of an i64 is beyond an i128")]
    let back = real as i128;
    (back == i128::from(integer)).then_some(real)
}

impl Column for bool {
    const DECLARED: &'static str = "BOOLEAN NOT NULL";
    const DECLARED_NULLABLE: &'static str = "BOOLEAN";

    fn read(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(0) => Some(false),
            ValueRef::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl Column for String {
    const DECLARED: &'static str = "TEXT NOT NULL";
    const DECLARED_NULLABLE: &'static str = "TEXT";

    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_str().ok().map(str::to_owned)
    }
}

impl Column for Vec<u8> {
    const DECLARED: &'static str = "BLOB NOT NULL";
    const DECLARED_NULLABLE: &'static str = "BLOB";

    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_blob().ok().map(<[u8]>::to_vec)
    }
}

impl Column for Value {
    const DECLARED: &'static str = "ANY";
    const DECLARED_NULLABLE: &'static str = "ANY";

    fn read(value: ValueRef<'_>) -> Option<Self> {
        Self::try_from(value).ok()
    }
}

impl<T: Column> Column for Option<T> {
    const DECLARED: &'static str = T::DECLARED_NULLABLE;
    const DECLARED_NULLABLE: &'static str = T::DECLARED_NULLABLE;

    fn read(value: ValueRef<'_>) -> Option<Self> {
        if value == ValueRef::Null { Some(None) } else { T::read(value).map(Some) }
    }
}

/// Serializes a value of any type as what it is: for the rows that the compiler is told to make serializable.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize_value<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Value::Null => serializer.serialize_none(),
        Value::Integer(integer) => integer.serialize(serializer),
        Value::Real(real) => real.serialize(serializer),
        Value::Text(text) => text.serialize(serializer),
        Value::Blob(bytes) => bytes.serialize(serializer),
    }
}
