//! Pairs of a key and a node, of which those are looked for that come several times.
//!
//! Most come once, so hashes sort them out first: a bit for a pair that was seen, another for one that was seen again. Only pairs
//! with the second bit are grouped, and grouped exactly: what merely shares a hash falls out there.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::groups::Member;

/// A key and a node's number.
pub(super) trait Pair: Copy + Ord + Send + Sync {
    fn new(key: u64, node: Member) -> Self;
    fn key(self) -> u64;
    fn node(self) -> Member;
    fn hash(self) -> u64;
}

/// Of keys below 2^32, as nearly all are once the least is taken from them.
impl Pair for u64 {
    #[inline]
    fn new(key: u64, node: Member) -> Self {
        key << 32 | Self::from(node)
    }

    fn key(self) -> u64 {
        self >> 32
    }

    fn node(self) -> Member {
        self as Member
    }

    #[inline]
    fn hash(self) -> u64 {
        FixedState::default().hash_one(self)
    }
}

impl Pair for (u64, Member) {
    #[inline]
    fn new(key: u64, node: Member) -> Self {
        (key, node)
    }

    fn key(self) -> u64 {
        self.0
    }

    fn node(self) -> Member {
        self.1
    }

    #[inline]
    fn hash(self) -> u64 {
        FixedState::default().hash_one(self.0 ^ u64::from(self.1).rotate_left(40))
    }
}

/// Which of some buckets a pair belongs to: by other bits of its hash than tell its place among those seen.
#[inline]
pub(super) fn bucket<P: Pair>(pair: P, buckets: usize) -> usize {
    (((pair.hash() & u64::from(u32::MAX)) * buckets as u64) >> 32) as usize
}

/// The pairs that come so many times, of about so many that `all` gives, twice the same; and how many times each does.
pub(super) fn groups<P: Pair>(pairs: u64, times: u64, all: impl Fn(&mut dyn FnMut(&[P]))) -> Vec<(P, u64)> {
    let mut found: Vec<P> = Vec::new();
    if times < 2 {
        all(&mut |pairs| found.extend(pairs));
    } else {
        let mut seen = Seen::new(pairs);
        all(&mut |pairs| pairs.iter().for_each(|pair| seen.mark(*pair)));
        all(&mut |pairs| found.extend(pairs.iter().filter(|pair| seen.again(**pair))));
    }
    found.sort_unstable();
    let groups = found.chunk_by(|a, b| a == b).map(|group| (group[0], group.len() as u64));
    groups.filter(|(_, orders)| *orders >= times).collect()
}

/// Pairs that were seen, and seen again, by their hashes.
struct Seen {
    once: Vec<u64>,
    /// Beside the other bits, as few of them are set and looked at: they should stay in the cache.
    again: Vec<u64>,
    shift: u32,
}

impl Seen {
    /// For so many pairs: eight bits for each keep the hashes that two of them share few.
    fn new(pairs: u64) -> Self {
        let bits = pairs.saturating_mul(8).clamp(64, 1 << 30).next_power_of_two();
        let words = vec![0; (bits / 64) as usize];
        Self { once: words.clone(), again: words, shift: 64 - bits.ilog2() }
    }

    #[inline]
    fn place(&self, pair: impl Pair) -> (usize, u64) {
        let at = pair.hash() >> self.shift;
        ((at / 64) as usize, 1 << (at % 64))
    }

    #[inline]
    fn mark(&mut self, pair: impl Pair) {
        let (word, bit) = self.place(pair);
        if self.once[word] & bit != 0 {
            self.again[word] |= bit;
        }
        self.once[word] |= bit;
    }

    #[inline]
    fn again(&self, pair: impl Pair) -> bool {
        let (word, bit) = self.place(pair);
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
            pairs in prop::collection::vec((0u64..40, 0u32..4), 0..200), far: bool, times in 1u64..4, buckets in 1usize..4,
        ) {
            let far = if far { u64::MAX - 100 } else { 0 };
            let mut naive: BTreeMap<(u64, Member), u64> = BTreeMap::new();
            pairs.iter().for_each(|(key, node)| *naive.entry((far + key, *node)).or_default() += 1);
            naive.retain(|_, orders| *orders >= times);
            fn found<P: Pair>(pairs: &[(u64, Member)], times: u64, buckets: usize) -> BTreeMap<(u64, Member), u64> {
                let pairs: Vec<P> = pairs.iter().map(|(key, node)| P::new(*key, *node)).collect();
                let mut found = Vec::new();
                for number in 0..buckets {
                    let mine: Vec<P> = pairs.iter().copied().filter(|pair| bucket(*pair, buckets) == number).collect();
                    found.extend(groups::<P>(mine.len() as u64, times, |each| mine.chunks(7).for_each(&mut *each)));
                }
                found.into_iter().map(|(pair, orders)| ((pair.key(), pair.node()), orders)).collect()
            }
            let wide: Vec<_> = pairs.iter().map(|(key, node)| (far + key, *node)).collect();
            prop_assert_eq!(found::<(u64, Member)>(&wide, times, buckets), naive.clone());
            if far == 0 {
                prop_assert_eq!(found::<u64>(&pairs, times, buckets), naive);
            }
        }
    }
}
