//! A small seeded generator (SplitMix64): a state of the disk that broke a promise has to come again by its seed.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.next().is_multiple_of(chances.max(1))
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.one_in(2)
    }

    /// Bytes that mean nothing.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for eight in bytes.chunks_mut(8) {
            for (byte, random) in eight.iter_mut().zip(self.next().to_le_bytes()) {
                *byte = random;
            }
        }
    }
}
