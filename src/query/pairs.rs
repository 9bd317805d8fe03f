//! Keys, of which those are looked for that come several times.
//!
//! Most come once, so hashes sort them out first: a bit for what was seen, another for what was seen again. Only what has the second
//! bit is grouped, and grouped exactly: what merely shares a hash falls out there.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use super::select::retain;

/// A key and a number: of the row that has it, or of the node that it has it under.
pub(super) trait Pair: Copy + Ord + Hash + Send + Sync {
    fn new(key: u64, number: u32) -> Self;
    fn key(self) -> u64;
    fn number(self) -> u32;
}

/// Of keys below 2^32, as nearly all are once the least is taken from them.
impl Pair for u64 {
    #[inline]
    fn new(key: u64, number: u32) -> Self {
        key << 32 | Self::from(number)
    }

    #[inline]
    fn key(self) -> u64 {
        self >> 32
    }

    #[inline]
    fn number(self) -> u32 {
        self as u32
    }
}

impl Pair for (u64, u32) {
    #[inline]
    fn new(key: u64, number: u32) -> Self {
        (key, number)
    }

    #[inline]
    fn key(self) -> u64 {
        self.0
    }

    #[inline]
    fn number(self) -> u32 {
        self.1
    }
}

#[inline]
fn hash(of: impl Hash) -> u64 {
    FixedState::default().hash_one(of)
}

/// Which of some buckets a key belongs to: by other bits of its hash than tell its place among those seen.
#[inline]
pub(super) fn bucket(key: u64, buckets: usize) -> usize {
    (((hash(key) & u64::from(u32::MAX)) * buckets as u64) >> 32) as usize
}

/// What comes so many times, and how many times it does; ascending.
pub(super) fn groups<T: Copy + Ord + Hash>(all: &[T], times: u64) -> Vec<(T, u64)> {
    let mut found = if times > 1 {
        let mut seen = Seen::new(all.len() as u64);
        all.iter().for_each(|one| seen.mark(one));
        all.iter().copied().filter(|one| seen.again(one)).collect()
    } else {
        all.to_vec()
    };
    found.sort_unstable();
    let groups = found.chunk_by(|a, b| a == b).map(|group| (group[0], group.len() as u64));
    groups.filter(|(_, orders)| *orders >= times).collect()
}

/// What was seen, and seen again, by hashes.
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
    fn place(&self, of: impl Hash) -> (usize, u64) {
        let at = hash(of) >> self.shift;
        ((at / 64) as usize, 1 << (at % 64))
    }

    #[inline]
    pub(super) fn mark(&mut self, what: impl Hash) {
        let (word, bit) = self.place(what);
        // No branch hangs on whether it was seen.
        self.again[word] |= self.once[word] & bit;
        self.once[word] |= bit;
    }

    /// Keeps pairs whose key may have been seen more than once.
    pub(super) fn keep_again<P: Pair>(&self, pairs: &mut Vec<P>) {
        retain(pairs, |pair| self.again(pair.key()));
    }

    /// Whether it may have been seen more than once; what was, always.
    #[inline]
    pub(super) fn again(&self, what: impl Hash) -> bool {
        let (word, bit) = self.place(what);
        self.again[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::query::groups::Member;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_comes_several_times_is_found(
            all in prop::collection::vec((0u64..40, 0u32..4), 0..200), times in 1u64..4,
        ) {
            let mut naive: BTreeMap<(u64, Member), u64> = BTreeMap::new();
            all.iter().for_each(|one| *naive.entry(*one).or_default() += 1);
            naive.retain(|_, orders| *orders >= times);
            prop_assert_eq!(groups(&all, times), naive.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn keys_and_numbers_are_kept(key: u64, number: u32, buckets in 1usize..5) {
            let (wide, narrow) = (<(u64, u32)>::new(key, number), u64::new(key >> 32, number));
            prop_assert_eq!((wide.key(), wide.number()), (key, number));
            prop_assert_eq!((narrow.key(), narrow.number()), (key >> 32, number));
            prop_assert!(bucket(key, buckets) < buckets);
        }
    }
}
