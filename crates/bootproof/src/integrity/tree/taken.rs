//! Which bytes of a page belong to something.

/// The bytes of a page that are taken. Used again for the next page.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// One bit for each byte.
    bits: Vec<u64>,
    size: usize,
    count: usize,
}

impl Taken {
    /// Of a page of so many bytes, none is taken.
    pub(super) fn clear(&mut self, size: usize) {
        self.bits.clear();
        self.bits.resize(size.div_ceil(64), 0);
        (self.size, self.count) = (size, 0);
    }

    /// How many are taken.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Takes bytes, of which there is at least one. False where one of them is taken, or is none of the page.
    #[inline]
    pub(super) fn take(&mut self, begin: usize, size: usize) -> bool {
        let end = begin + size;
        if end > self.size {
            return false;
        }
        self.count += size;
        let (first, last) = (begin / 64, (end - 1) / 64);
        let (from_first, up_to_last) = (u64::MAX << (begin % 64), u64::MAX >> (63 - (end - 1) % 64));
        if first == last {
            return self.take_of(first, from_first & up_to_last);
        }
        self.take_of(first, from_first)
            && (first + 1..last).all(|between| self.take_of(between, u64::MAX))
            && self.take_of(last, up_to_last)
    }

    #[inline]
    fn take_of(&mut self, word: usize, wanted: u64) -> bool {
        match self.bits.get_mut(word) {
            Some(bits) if *bits & wanted == 0 => {
                *bits |= wanted;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_taken_once() {
        let mut taken = Taken::default();
        for (begin, size) in [(0, 1), (3, 61), (63, 1), (63, 2), (64, 64), (100, 400), (511, 1)] {
            taken.clear(512);
            assert!(taken.take(begin, size), "{begin}, {size}");
            assert_eq!(taken.count(), size);
            for byte in 0..512 {
                let is_within = (begin..begin + size).contains(&byte);
                assert_eq!(taken.take(byte, 1), !is_within, "{byte} after {begin}, {size}");
            }
        }
    }

    #[test]
    fn what_lies_behind_the_page_is_not_taken() {
        let mut taken = Taken::default();
        for size in [480, 512, 65_536] {
            taken.clear(size);
            assert!(!taken.take(size - 3, 4) && !taken.take(size, 1), "{size}");
            assert!(taken.take(size - 4, 4), "{size}");
        }
    }
}
