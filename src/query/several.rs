//! Finding what comes several times.
//!
//! Most comes once, so hashes sort it out first: a bit for what was seen, another for what was seen again. Only what has the second
//! bit is grouped, and grouped exactly: what merely shares a hash falls out there.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use super::select::retain;

/// What things are told apart by.
#[inline]
pub(super) fn hash(of: impl Hash) -> u64 {
    FixedState::default().hash_one(of)
}

/// What of a list, which is used up, comes so many times, and how many times it does; ascending.
pub(super) fn groups<T: Copy + Ord + Hash>(all: &mut Vec<T>, times: u64) -> Vec<(T, u64)> {
    if times > 1 {
        let mut seen = Seen::new(all.len() as u64);
        all.iter().for_each(|one| seen.mark(hash(one)));
        retain(all, |one| seen.again(hash(one)));
    }
    all.sort_unstable();
    let groups = all.chunk_by(|a, b| a == b).map(|group| (group[0], group.len() as u64));
    groups.filter(|(_, orders)| *orders >= times).collect()
}

/// What was seen, and seen again, by the higher half of its hash.
pub(super) struct Seen {
    once: Vec<u64>,
    again: Vec<u64>,
    shift: u32,
}

impl Seen {
    /// For so many: eight bits for each keep the hashes that two of them share few.
    pub(super) fn new(all: u64) -> Self {
        let bits = all.saturating_mul(8).clamp(64, 1 << 30).next_power_of_two();
        let words = vec![0; (bits / 64) as usize];
        Self { once: words.clone(), again: words, shift: 64 - bits.ilog2() }
    }

    #[inline]
    fn place(&self, hash: u64) -> (usize, u64) {
        let at = hash >> self.shift;
        ((at / 64) as usize, 1 << (at % 64))
    }

    #[inline]
    pub(super) fn mark(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        // No branch hangs on whether it was seen.
        self.again[word] |= self.once[word] & bit;
        self.once[word] |= bit;
    }

    /// Whether it may have been seen more than once; what was, always.
    #[inline]
    pub(super) fn again(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.again[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_comes_several_times_is_found(
            mut all in prop::collection::vec((0u64..40, 0u32..4), 0..200), times in 1u64..4,
        ) {
            let mut naive: BTreeMap<(u64, u32), u64> = BTreeMap::new();
            all.iter().for_each(|one| *naive.entry(*one).or_default() += 1);
            naive.retain(|_, orders| *orders >= times);
            prop_assert_eq!(groups(&mut all, times), naive.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn nearly_all_that_comes_once_is_sorted_out() {
        let mut seen = Seen::new(10_000);
        (0..10_000_u64).chain(0..100).for_each(|one| seen.mark(hash(one)));
        assert!((0..100_u64).all(|one| seen.again(hash(one))));
        let left = (100..10_000_u64).filter(|one| seen.again(hash(one))).count();
        assert!(left < 2_000, "{left}");
    }
}
