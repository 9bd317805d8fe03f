//! The orders of many groups, most of which have few.

use super::groups::Key;
use super::several::groups;

/// So many orders are listed before they are counted.
const MOST_FRESH: usize = if cfg!(test) { 8 } else { 1 << 20 };

/// How often each key came.
///
/// Keys are listed, then sorted and counted: the rows of a segment come unit by unit, so that they are nearly in order, and no
/// key is looked for. Where keys that came seldom are not asked for, most are not sorted either.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyCounts {
    fresh: Vec<u64>,
    /// Ascending by key.
    counted: Vec<(u64, u64)>,
}

impl KeyCounts {
    #[inline]
    pub(super) fn push(&mut self, key: u64) {
        if self.fresh.len() >= MOST_FRESH.max(self.counted.len()) {
            self.count();
        }
        self.fresh.push(key);
    }

    /// Adds what was listed elsewhere.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.fresh.append(&mut other.fresh);
        self.counted.append(&mut other.counted);
        if !self.counted.is_empty() {
            self.count();
        }
    }

    /// How many keys there are for certain.
    pub(super) fn len(&self) -> usize {
        self.counted.len()
    }

    /// Counts what has been listed, unless that is better done for all at once, as where keys that came seldom are not asked for.
    pub(super) fn settle(&mut self, least: u64) {
        if least < 2 || !self.counted.is_empty() {
            self.count();
        }
    }

    fn count(&mut self) {
        self.fresh.sort_unstable();
        self.counted.extend(self.fresh.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64)));
        self.fresh.clear();
        // Runs that ascend, which the stable sort merges.
        self.counted.sort_by_key(|(key, _)| *key);
        self.counted.dedup_by(|(key, more), (before, count)| {
            let is_same = key == before;
            if is_same {
                *count += *more;
            }
            is_same
        });
    }

    /// Every key that came at least `least` times, with how often it came, ascending; some that came less often may be among them.
    pub(super) fn into_counts(mut self, least: u64) -> impl Iterator<Item = (Key, u64)> {
        if least > 1 && self.counted.is_empty() {
            self.counted = groups(&self.fresh, least);
        } else {
            self.count();
        }
        self.counted.into_iter().map(|(key, count)| (key.into(), count))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_counted_wherever_they_came(
            lists in prop::collection::vec(prop::collection::vec(0u64..9, 0..40), 0..4), least in 1u64..4, settled: bool,
        ) {
            let mut naive: BTreeMap<Key, u64> = BTreeMap::new();
            let mut counts = KeyCounts::default();
            for list in lists {
                let mut part = KeyCounts::default();
                for key in list {
                    *naive.entry(key.into()).or_default() += 1;
                    part.push(key);
                }
                if settled {
                    part.settle(least);
                }
                counts.merge(part);
            }
            let often = |(_, count): &(Key, u64)| *count >= least;
            let found: Vec<_> = counts.into_counts(least).filter(often).collect();
            prop_assert_eq!(found, naive.into_iter().filter(often).collect::<Vec<_>>());
        }
    }
}
