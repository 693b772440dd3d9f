//! Valid input, edited: bytes alone get nowhere near what a parser does with what it nearly understands.

use fuzzing::WORDS;
use proptest::prelude::*;
use proptest::sample::Index;

/// The most edits of one input.
const MOST: usize = 6;
/// What repeating something may make of it, in bytes.
const LONGEST: usize = 1 << 16;

#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, usize),
    /// A piece, again and again behind itself.
    Repeat(Index, usize, u8),
    /// A piece of another input.
    Splice(Index, Index, Index, usize),
    /// Something that means something.
    Word(Index, Index),
    /// A token in place of another.
    Token(Index, Index),
    SwapLines(Index, Index),
    DropLine(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        1 => (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        1 => (at(), 1..64_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        1 => (at(), 1..24_usize, any::<u8>()).prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        1 => (at(), at(), at(), 1..256_usize).prop_map(|(at, seed, from, length)| Edit::Splice(at, seed, from, length)),
        3 => (at(), at()).prop_map(|(at, word)| Edit::Word(at, word)),
        3 => (at(), at()).prop_map(|(at, word)| Edit::Token(at, word)),
        1 => (at(), at()).prop_map(|(one, other)| Edit::SwapLines(one, other)),
        1 => at().prop_map(Edit::DropLine),
    ]
}

/// One of the seeds with some edits.
pub(crate) fn hostile(seeds: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let (seeds, words) = (seeds.to_vec(), words());
    (any::<Index>(), prop::collection::vec(edit(), 1..=MOST)).prop_map(move |(seed, edits)| {
        let mut input = if seeds.is_empty() { Vec::new() } else { seed.get(&seeds).clone() };
        for edit in edits {
            edit.apply(&mut input, &seeds, &words);
        }
        input
    })
}

impl Edit {
    fn apply(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[Vec<u8>]) {
        // One place more than there are bytes: the end.
        let place = |at: &Index| at.index(input.len() + 1);
        let end = |start: usize, length: usize| (start + length).min(input.len());
        match self {
            Self::Flip(at, bit) => change(input, *at, |byte| byte ^ (1 << bit)),
            Self::Set(at, byte) => change(input, *at, |_| *byte),
            Self::Insert(at, bytes) => insert(input, place(at), bytes),
            Self::Word(at, word) => insert(input, place(at), word.get::<Vec<u8>>(words)),
            Self::Delete(at, length) => drop(input.drain(place(at)..end(place(at), *length))),
            Self::Repeat(at, length, times) => {
                let piece = input[place(at)..end(place(at), *length)].to_vec();
                let times = usize::from(*times).pow(2).min(LONGEST / piece.len().max(1));
                insert(input, place(at), &piece.repeat(times));
            }
            Self::Splice(at, seed, from, length) if !seeds.is_empty() => {
                let seed = seed.get(seeds);
                let from = from.index(seed.len() + 1);
                insert(input, place(at), &seed[from..(from + length).min(seed.len())]);
            }
            Self::Splice(..) => {}
            Self::Token(at, word) => {
                let start = place(at);
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let length = input[start..].iter().take_while(|byte| is_part(byte)).count();
                input.splice(start..start + length, word.get::<Vec<u8>>(words).iter().copied());
            }
            Self::SwapLines(one, other) => lines(input, |lines| {
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                lines.swap(one, other);
            }),
            Self::DropLine(line) => lines(input, |lines| {
                lines.remove(line.index(lines.len()));
            }),
        }
    }
}

fn change(input: &mut [u8], at: Index, change: impl FnOnce(u8) -> u8) {
    if !input.is_empty() {
        let byte = &mut input[at.index(input.len())];
        *byte = change(*byte);
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

fn lines(input: &mut Vec<u8>, change: impl FnOnce(&mut Vec<&[u8]>)) {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|&byte| byte == b'\n').collect();
    if !lines.is_empty() {
        change(&mut lines);
        *input = lines.concat();
    }
}

/// The words of the dictionary, without their quotes and escapes.
fn words() -> Vec<Vec<u8>> {
    let quoted = WORDS.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescaped).collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (_, true) => match rest.next() {
                Some(b'x') => {
                    let digits: String = rest.by_ref().take(2).map(char::from).collect();
                    u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
                }
                other => other.expect("what is escaped"),
            },
            (byte, false) => byte,
        });
    }
    bytes
}
