//! What may happen to the bytes of a database file, or to the rows of a table in it.

use arbitrary::{Arbitrary, Result, Unstructured};
use rusqlite::types::Value;

/// The page size of the samples.
const PAGE: usize = 4096;
/// The most pages that are added.
const LONGER: u8 = 3;

/// Damage to a file that consists of pages.
#[derive(Arbitrary, Debug)]
pub(crate) enum Damage {
    Flip {
        page: u16,
        offset: u16,
        bit: u8,
    },
    Set {
        page: u16,
        offset: u16,
        bytes: [u8; 4],
    },
    /// In the first hundred bytes: the header of the file.
    Header {
        offset: u8,
        bytes: [u8; 2],
    },
    /// In the first bytes of a page: its kind, its cells, where they are.
    PageHeader {
        page: u16,
        offset: u8,
        bytes: [u8; 2],
    },
    Zero {
        page: u16,
    },
    Copy {
        from: u16,
        to: u16,
    },
    Swap {
        one: u16,
        other: u16,
    },
    /// What a file system leaves of a write that it did not finish.
    Tear {
        from: u16,
        to: u16,
    },
    Truncate {
        page: u16,
        offset: u16,
    },
    Lengthen {
        pages: u8,
        byte: u8,
    },
}

impl Damage {
    pub(crate) fn happen(&self, file: &mut Vec<u8>) {
        let pages = file.len() / PAGE;
        let at = |page: &u16| usize::from(*page) % pages.max(1) * PAGE;
        match self {
            Self::Flip { page, offset, bit } => {
                set(file, at(page) + usize::from(*offset) % PAGE, |byte| byte ^ (1 << (bit % 8)));
            }
            Self::Set { page, offset, bytes } => write(file, at(page) + usize::from(*offset) % PAGE, bytes),
            Self::Header { offset, bytes } => write(file, usize::from(*offset) % 100, bytes),
            Self::PageHeader { page, offset, bytes } => {
                let start = if at(page) == 0 { 100 } else { at(page) };
                write(file, start + usize::from(*offset) % 24, bytes);
            }
            Self::Zero { page } => write(file, at(page), &[0; PAGE]),
            Self::Copy { from, to } => copy(file, at(from), at(to), PAGE),
            Self::Tear { from, to } => copy(file, at(from), at(to), PAGE / 2),
            Self::Swap { one, other } => {
                let kept = file.get(at(one)..at(one) + PAGE).unwrap_or_default().to_vec();
                copy(file, at(other), at(one), PAGE);
                write(file, at(other), &kept);
            }
            Self::Truncate { page, offset } => file.truncate(at(page) + usize::from(*offset) % PAGE),
            Self::Lengthen { pages, byte } => {
                file.extend(std::iter::repeat_n(*byte, usize::from(pages % LONGER + 1) * PAGE));
            }
        }
    }
}

fn set(file: &mut [u8], at: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = file.get_mut(at) {
        *byte = change(*byte);
    }
}

fn write(file: &mut [u8], at: usize, bytes: &[u8]) {
    for (position, byte) in bytes.iter().enumerate() {
        set(file, at + position, |_| *byte);
    }
}

fn copy(file: &mut [u8], from: usize, to: usize, length: usize) {
    let bytes = file.get(from..from + length).unwrap_or_default().to_vec();
    write(file, to, &bytes);
}

/// One of some.
pub(crate) fn pick<'a, T>(bytes: &mut Unstructured<'_>, choices: &'a [T]) -> &'a T {
    bytes.choose(choices).unwrap_or(&choices[0])
}

/// As many as the bytes are good for, up to a number.
pub(crate) fn several<'a, T: Arbitrary<'a>>(bytes: &mut Unstructured<'a>, most: usize) -> Vec<T> {
    let count = bytes.int_in_range(0..=most).unwrap_or_default();
    (0..count).map_while(|_| (!bytes.is_empty()).then(|| T::arbitrary(bytes).ok())?).collect()
}

/// A value of any type, or one that a history or an audit row might hold.
pub(crate) fn value(bytes: &mut Unstructured<'_>) -> Result<Value> {
    const TEXTS: [&str; 16] = [
        "",
        "baseline",
        "add_composite_indexes",
        "adopt",
        "2025-01-31T09:15:00Z",
        "2025-01-31T09:15:00.123456789+01:00",
        "-009999-01-01T00:00:00Z",
        "9999999-12-31T23:59:60Z",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "0x10",
        "{\"applied\": [], \"tolerated\": [\"table worklogs missing\"], \"backup\": \"../../etc/passwd\"}",
        "{\"backup\": 7}",
        "[[[[[[[[[[[[[[[[",
        "now",
    ];
    Ok(match bytes.int_in_range(0..=6)? {
        0 => Value::Null,
        1 => Value::Integer(bytes.arbitrary()?),
        2 => Value::Integer(i64::from(bytes.arbitrary::<i8>()?)),
        3 => Value::Real(bytes.arbitrary()?),
        4 => Value::Text(bytes.choose(&TEXTS).map(|text| (*text).to_owned())?),
        5 => Value::Text(bytes.arbitrary()?),
        _ => Value::Blob(bytes.arbitrary()?),
    })
}
