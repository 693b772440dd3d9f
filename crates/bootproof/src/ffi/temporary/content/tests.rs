//! What is read is what was written, wherever it is.

use std::cell::{Cell, RefCell};

use super::*;

const PAGE: usize = 4096;

/// A file on a disk that has room for so many bytes.
struct Disk {
    bytes: RefCell<Vec<u8>>,
    room: Cell<usize>,
    calls: Cell<usize>,
}

impl Disk {
    fn new() -> Self {
        Self { bytes: RefCell::default(), room: Cell::new(usize::MAX), calls: Cell::new(0) }
    }
}

impl Below for Disk {
    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), c_int> {
        self.calls.set(self.calls.get() + 1);
        let from = usize::try_from(offset).unwrap();
        buffer.copy_from_slice(self.bytes.borrow().get(from..from + buffer.len()).ok_or(ffi::SQLITE_IOERR_SHORT_READ)?);
        Ok(())
    }

    fn write(&self, data: &[u8], offset: u64) -> Result<(), c_int> {
        self.calls.set(self.calls.get() + 1);
        let mut bytes = self.bytes.borrow_mut();
        let from = usize::try_from(offset).unwrap();
        if from + data.len() > self.room.get() {
            return Err(ffi::SQLITE_FULL);
        }
        if bytes.len() < from + data.len() {
            bytes.resize(from + data.len(), 0);
        }
        bytes[from..from + data.len()].copy_from_slice(data);
        Ok(())
    }

    fn truncate(&self, length: u64) -> Result<(), c_int> {
        self.bytes.borrow_mut().resize(usize::try_from(length).unwrap(), 0);
        Ok(())
    }
}

/// A file whose beginning is in memory, also while other tests have all that there is for that.
fn in_memory() -> Content {
    TAKEN.fetch_add(BEGINNING, Ordering::Relaxed);
    Content { share: Some(Share), ..Content::new() }
}

/// One that has none.
fn on_disk() -> Content {
    Content { share: None, ..Content::new() }
}

fn page(number: usize) -> Vec<u8> {
    (0..PAGE).map(|byte| u8::try_from((number * 31 + byte) % 251).unwrap()).collect()
}

fn offset(page: usize) -> u64 {
    wide(page * PAGE)
}

fn read(content: &mut Content, disk: &Disk, offset: u64, amount: usize) -> (Vec<u8>, Result<(), c_int>) {
    let mut buffer = vec![0; amount];
    let told = content.read(disk, &mut buffer, offset);
    (buffer, told)
}

#[test]
fn what_fits_into_memory_asks_for_nothing() {
    let (mut content, disk) = (in_memory(), Disk::new());
    for round in 0..3 {
        for number in 0..BEGINNING / PAGE {
            content.write(&disk, &page(number + round), offset(number)).unwrap();
        }
        for number in 0..BEGINNING / PAGE {
            assert_eq!(read(&mut content, &disk, offset(number), PAGE), (page(number + round), Ok(())));
        }
    }
    content.flush(&disk).unwrap();
    assert_eq!(disk.calls.get(), 0);
}

#[test]
fn what_comes_behind_is_written_in_pieces() {
    let (mut content, disk) = (in_memory(), Disk::new());
    for number in 0..2 * BEGINNING / PAGE {
        content.write(&disk, &page(number), offset(number)).unwrap();
    }
    assert_eq!(disk.calls.get(), BEGINNING / PIECE);
    assert_eq!(content.length(), wide(2 * BEGINNING));
}

/// Writes, reads and cuts at random, most of them near what borders there are, held against a plain array of bytes.
#[test]
fn every_byte_is_where_it_was_written() {
    for seed in 0..8 {
        let mut content = if seed % 2 == 0 { in_memory() } else { on_disk() };
        let (disk, mut model) = (Disk::new(), Vec::<u8>::new());
        let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed + 1);
        let mut below = |most: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % wide(most)).unwrap()
        };
        let mut next = 0;
        for step in 0..400 {
            let around = [0, BEGINNING - 2 * PAGE, BEGINNING + PIECE - PAGE, next][below(4)];
            let from = if below(3) == 0 { next } else { around + below(3 * PAGE) };
            let most = if below(10) == 0 { 2 * PIECE } else { PAGE };
            let amount = 1 + below(most);
            match below(40) {
                0 => {
                    content.truncate(&disk, wide(from)).unwrap();
                    model.resize(from, 0);
                }
                1..20 => {
                    let data: Vec<u8> = (0..amount).map(|byte| u8::try_from((step + byte) % 251).unwrap()).collect();
                    content.write(&disk, &data, wide(from)).unwrap();
                    if model.len() < from + amount {
                        model.resize(from + amount, 0);
                    }
                    model[from..from + amount].copy_from_slice(&data);
                    next = from + amount;
                }
                _ => {
                    let there = model.get(from..).unwrap_or_default();
                    let there = &there[..there.len().min(amount)];
                    let (found, told) = read(&mut content, &disk, wide(from), amount);
                    assert_eq!(&found[..there.len()], there, "seed {seed}, step {step}");
                    assert!(found[there.len()..].iter().all(|byte| *byte == 0), "behind the end is nothing");
                    let is_whole = there.len() == amount;
                    assert_eq!(told, if is_whole { Ok(()) } else { Err(ffi::SQLITE_IOERR_SHORT_READ) });
                }
            }
            assert_eq!(content.length(), wide(model.len()), "seed {seed}, step {step}");
        }
    }
}

#[test]
fn a_full_disk_is_told_with_a_later_write_and_nothing_is_lost() {
    for mut content in [in_memory(), on_disk()] {
        let disk = Disk::new();
        disk.room.set(BEGINNING + 3 * PIECE + 100);
        let mut written = 0;
        let told = (0..BEGINNING / PAGE * 2).find_map(|number| {
            let told = content.write(&disk, &page(number), offset(number)).err();
            written += usize::from(told.is_none());
            told
        });
        assert_eq!(told, Some(ffi::SQLITE_FULL));
        assert!(written * PAGE <= disk.room.get() + PIECE, "told with the piece that does not fit");
        assert_eq!(content.flush(&disk), Err(ffi::SQLITE_FULL), "told as long as it lasts");
        assert_eq!(content.write(&disk, &page(written), offset(written)), Err(ffi::SQLITE_FULL));
        disk.room.set(usize::MAX);
        for number in 0..written {
            assert_eq!(read(&mut content, &disk, offset(number), PAGE), (page(number), Ok(())));
        }
    }
}

#[test]
fn what_a_full_disk_does_not_take_is_not_read() {
    let (mut content, disk) = (in_memory(), Disk::new());
    disk.room.set(BEGINNING);
    content.write(&disk, &page(1), wide(BEGINNING)).unwrap();
    assert_eq!(read(&mut content, &disk, wide(BEGINNING), PAGE).1, Err(ffi::SQLITE_FULL));
    assert_eq!(content.truncate(&disk, 0), Err(ffi::SQLITE_FULL));
}

#[test]
fn all_files_of_a_process_together_have_a_bounded_memory() {
    let most = MOST / BEGINNING;
    let mut contents: Vec<Content> = (0..3 * most).map(|_| Content::new()).collect();
    assert!(contents.iter().filter(|content| content.share.is_some()).count() <= most);
    let disk = Disk::new();
    let without = contents.iter_mut().find(|content| content.share.is_none()).unwrap();
    without.write(&disk, &page(1), 0).unwrap();
    assert_eq!(read(without, &disk, 0, PAGE), (page(1), Ok(())));
    assert!(disk.calls.get() > 0);
}
