//! A small seeded generator (SplitMix64): reproducible on every platform and release, which a general crate does not
//! promise.

pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// One stream per `purpose`, so that more rows of one kind leave the rows of the others as they are.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let state = purpose.bytes().fold(seed, |state, byte| mix(state ^ u64::from(byte)));
        Self { state }
    }

    /// A number from 0 to `bound` - 1; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let high = mix(self.state) >> 32;
        ((high * u64::from(bound)) >> 32) as u32
    }

    /// Like [`below`](Self::below), but a few low numbers come up often and most come up rarely.
    pub(crate) fn skewed_below(&mut self, bound: u32) -> u32 {
        self.below(bound).min(self.below(bound)).min(self.below(bound))
    }

    pub(crate) fn one_in(&mut self, chances: u32) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(length(choices)) as usize)
    }

    pub(crate) fn pick_skewed<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.skewed_below(length(choices)) as usize)
    }
}

fn length<T>(choices: &[T]) -> u32 {
    u32::try_from(choices.len()).unwrap_or(u32::MAX)
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
