//! The values of a row or of an entry (<https://sqlite.org/fileformat2.html#record_format>).

use rusqlite::types::ValueRef;

use super::page::{NO_NUMBER, short_varint};
use super::{Content, Result, doubtful};

/// Which value is what, and where. Used again for the next record.
#[derive(Debug, Default)]
pub(in super::super) struct Record {
    fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// How it is stored.
    pub(super) serial: u32,
    begin: usize,
    size: usize,
}

impl Record {
    /// False where not all of its header is there.
    pub(in super::super) fn parse(&mut self, content: &Content<'_>) -> Result<bool> {
        let Self { fields } = self;
        fields.clear();
        each(content, |field| {
            fields.push(field);
            Ok(())
        })
    }

    pub(in super::super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// A value of a record that is all there; NULL where there is none.
    pub(in super::super) fn value<'c>(&self, content: &Content<'c>, number: usize) -> ValueRef<'c> {
        self.fields.get(number).and_then(|field| field.value(content)).unwrap_or(ValueRef::Null)
    }
}

/// Reads the header, which has to lie where the record begins, value by value; the values have to fill the record. False where the
/// header goes on elsewhere.
pub(super) fn each(content: &Content<'_>, mut take: impl FnMut(Field) -> Result<()>) -> Result<bool> {
    let Some((end, mut at)) = short_varint(content.bytes) else { return doubtful(NO_NUMBER) };
    let end = usize::try_from(end).unwrap_or(usize::MAX);
    if end > content.length {
        return doubtful("a record's header is longer than the record");
    }
    let Some(header) = content.bytes.get(..end) else { return Ok(false) };
    let mut begin = end;
    while at < end {
        let Some((serial, length)) = short_varint(header.get(at..).unwrap_or_default()) else {
            return doubtful(NO_NUMBER);
        };
        let Ok(serial) = u32::try_from(serial) else { return doubtful("a value is too long") };
        let size = size(serial)?;
        take(Field { serial, begin, size })?;
        at += length;
        begin = begin.saturating_add(size);
    }
    if begin == content.length { Ok(true) } else { doubtful("values do not fill their record") }
}

impl Field {
    /// None where the value goes on elsewhere.
    pub(super) fn value<'c>(&self, content: &Content<'c>) -> Option<ValueRef<'c>> {
        let bytes = content.bytes.get(self.begin..self.begin + self.size)?;
        Some(match self.serial {
            0 => ValueRef::Null,
            1..=6 => ValueRef::Integer(integer(bytes)),
            // SQLite knows no number that is none.
            7 => match f64::from_bits(integer(bytes).cast_unsigned()) {
                none if none.is_nan() => ValueRef::Null,
                real => ValueRef::Real(real),
            },
            8 => ValueRef::Integer(0),
            9 => ValueRef::Integer(1),
            text if text % 2 == 1 => ValueRef::Text(bytes),
            _ => ValueRef::Blob(bytes),
        })
    }
}

/// The highest bit of the first byte is the sign.
#[inline]
fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte))
}

/// How many bytes a value of fixed length takes, by how it is stored. There is no other way below 12.
const SIZES: [usize; 10] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

#[inline]
fn size(serial: u32) -> Result<usize> {
    match serial {
        12.. => Ok((serial as usize - 12) / 2),
        fixed => match SIZES.get(fixed as usize) {
            Some(size) => Ok(*size),
            None => doubtful("a value is stored as none is"),
        },
    }
}
