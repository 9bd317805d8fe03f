//! The different keys of a group, exactly: a list while they are few, a bit for each possible key where these lie close
//! together, as ranks do, and a list again, sorted now and then, where they are spread over all 64 bits, as hashes are.

/// As many keys as are listed before anything is done about them.
const LISTED: usize = 1 << 15;
/// Keys get bits where they lie in a range of at most so many times their number.
const BITS_PER_KEY: u64 = 256;

/// A set of keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeySet {
    /// A bit for every key from `first` on.
    bits: Vec<u64>,
    first: i64,
    /// Keys without a bit; none of them has one.
    listed: Vec<i64>,
    /// How many of the list are sorted and differ.
    sorted: usize,
}

impl KeySet {
    pub(crate) fn insert(&mut self, key: i64) {
        let at = key.wrapping_sub(self.first).cast_unsigned();
        if let Some(word) = self.bits.get_mut((at / 64) as usize) {
            *word |= 1 << (at % 64);
            return;
        }
        if self.listed.len() >= LISTED.max(2 * self.sorted) {
            self.settle();
            return self.insert(key);
        }
        self.listed.push(key);
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> u64 {
        let bits: u64 = self.bits.iter().map(|word| u64::from(word.count_ones())).sum();
        if self.sorted == self.listed.len() {
            return bits + self.listed.len() as u64;
        }
        let mut listed = self.listed.clone();
        listed.sort_unstable();
        listed.dedup();
        bits + listed.len() as u64
    }

    /// Adds the keys of another set.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.bits.is_empty() {
            let listed = std::mem::take(self).listed;
            self.clone_from(other);
            return listed.iter().for_each(|key| self.insert(*key));
        }
        let offset = other.first.checked_sub(self.first).filter(|distance| distance % 64 == 0);
        let Some(offset) = offset.map(|distance| distance / 64) else {
            return other.for_each(|key| self.insert(key));
        };
        // Where both have a bit, a word at a time.
        let own = self.bits.len() as i64;
        for (at, word) in (0i64..).zip(&other.bits).filter(|(_, word)| **word != 0) {
            let here = at + offset;
            if (0..own).contains(&here) {
                self.bits[here as usize] |= word;
            } else {
                ones(*word).for_each(|bit| self.insert(other.first.wrapping_add(at * 64 + bit)));
            }
        }
        other.listed.iter().for_each(|key| self.insert(*key));
    }

    fn for_each(&self, mut each: impl FnMut(i64)) {
        for (at, word) in (0i64..).zip(&self.bits) {
            ones(*word).for_each(|bit| each(self.first.wrapping_add(at * 64 + bit)));
        }
        self.listed.iter().for_each(|key| each(*key));
    }

    /// Gives listed keys a bit where that is worth it; else sorts the list, each key once.
    fn settle(&mut self) {
        let (Some(least), Some(most)) = (self.listed.iter().min(), self.listed.iter().max()) else { return };
        let (mut least, mut most) = (*least, *most);
        let mut keys = self.listed.len() as u64;
        if !self.bits.is_empty() {
            least = least.min(self.first);
            most = most.max(self.first.saturating_add(self.bits.len() as i64 * 64 - 1));
            keys += self.bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        }
        if most.abs_diff(least) / BITS_PER_KEY < keys {
            let first = least & !63;
            let words = (most.abs_diff(first) / 64 + 1) as usize;
            let before = std::mem::replace(self, Self { bits: vec![0; words], first, ..Self::default() });
            before.for_each(|key| self.insert(key));
        } else {
            self.listed.sort_unstable();
            self.listed.dedup();
            self.sorted = self.listed.len();
        }
    }
}

/// The positions of the bits of a word.
fn ones(mut word: u64) -> impl Iterator<Item = i64> {
    std::iter::from_fn(move || {
        let bit = word.checked_ilog2()?;
        word &= !(1 << bit);
        Some(bit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Close together, spread, and both, at the ends of the numbers too.
    fn keys() -> impl Strategy<Value = Vec<i64>> {
        let close = (any::<i64>(), 0..5u32).prop_map(|(base, shape)| {
            let base = [base, 0, i64::MAX - 40_000, i64::MIN + 1, -7][shape as usize];
            (0..70_000i64).map(move |step| base.saturating_add(step * 7919 % 40_000)).collect::<Vec<_>>()
        });
        let spread = any::<i64>().prop_map(|seed| {
            (1..70_000i64).map(|step| (seed | 1).wrapping_mul(step * step).max(i64::MIN + 1)).collect()
        });
        let few = prop::collection::vec(any::<i64>(), 0..20);
        prop::collection::vec(prop_oneof![close, spread, few], 0..3).prop_map(|lists| lists.concat())
    }

    fn set(keys: &[i64]) -> KeySet {
        let mut set = KeySet::default();
        keys.iter().for_each(|key| set.insert(*key));
        set
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
        #[test]
        fn keys_count_once_however_they_come(a in keys(), b in keys()) {
            let (left, right) = (set(&a), set(&b));
            prop_assert_eq!(left.len(), a.iter().collect::<BTreeSet<_>>().len() as u64);
            let mut both = left.clone();
            both.merge(&right);
            prop_assert_eq!(both.len(), a.iter().chain(&b).collect::<BTreeSet<_>>().len() as u64);
            both.merge(&left);
            prop_assert_eq!(both.len(), a.iter().chain(&b).collect::<BTreeSet<_>>().len() as u64);
        }
    }
}
