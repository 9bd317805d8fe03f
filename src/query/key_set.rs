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
    /// The keys that came last, and those that have no bit.
    listed: Vec<i64>,
    /// How many of the list are sorted, differ, and have no bit.
    sorted: usize,
}

impl KeySet {
    /// Adds a key. It is listed first: bits are set for many keys at a time, while they are near.
    #[inline]
    pub(crate) fn insert(&mut self, key: i64) {
        self.listed.push(key);
        if self.listed.len() >= LISTED.max(2 * self.sorted) {
            self.settle();
        }
    }

    /// Makes bits for keys that lie between two, before so many come; where these are few, or spread, it waits.
    pub(crate) fn expect(&mut self, (least, most): (i64, i64), keys: u64) {
        let worth = keys >= LISTED as u64
            && most.checked_sub(least).is_some_and(|range| range.cast_unsigned() / BITS_PER_KEY < keys);
        if self.bits.is_empty() && worth {
            self.first = least & !63;
            self.bits = vec![0; (most.abs_diff(self.first) / 64 + 1) as usize];
        }
    }

    /// Adds a key that comes with many others of this set: where it has a bit, it is set at once.
    #[inline]
    pub(crate) fn insert_near(&mut self, key: i64) {
        let at = key.wrapping_sub(self.first).cast_unsigned();
        match usize::try_from(at / 64).ok().and_then(|word| self.bits.get_mut(word)) {
            Some(word) => *word |= 1 << (at % 64),
            None => self.insert(key),
        }
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> u64 {
        if self.sorted < self.listed.len() {
            let mut settled = self.clone();
            settled.settle();
            return settled.len();
        }
        self.ones() + self.listed.len() as u64
    }

    fn ones(&self) -> u64 {
        self.bits.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Adds the keys of another set.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.bits.is_empty() {
            let listed = std::mem::take(self).listed;
            self.clone_from(other);
            return listed.iter().for_each(|key| self.insert(*key));
        }
        let distance = other.first.checked_sub(self.first).filter(|distance| distance % 64 == 0);
        let Some(offset) = distance.map(|distance| distance / 64) else {
            return other.for_each(|key| self.insert(key));
        };
        // Where both have a bit, a word at a time.
        let (here, there) = if offset < 0 { (0, offset.unsigned_abs()) } else { (offset.unsigned_abs(), 0) };
        let [here, there] = [here, there].map(|words| usize::try_from(words).unwrap_or(usize::MAX));
        let common = self.bits.iter_mut().skip(here).zip(other.bits.iter().skip(there));
        let common = common.map(|(word, more)| *word |= more).count();
        let both = there..there.saturating_add(common);
        let rest = (0..).zip(&other.bits).filter(|(at, word)| **word != 0 && !both.contains(at));
        for (at, word) in rest {
            ones(*word).for_each(|bit| self.insert(other.first.wrapping_add(at as i64 * 64 + bit)));
        }
        other.listed.iter().for_each(|key| self.insert(*key));
    }

    fn for_each(&self, mut each: impl FnMut(i64)) {
        for (at, word) in (0i64..).zip(&self.bits) {
            ones(*word).for_each(|bit| each(self.first.wrapping_add(at * 64 + bit)));
        }
        self.listed.iter().for_each(|key| each(*key));
    }

    /// Sets the bits of listed keys, makes bits where that is worth it, and else sorts the list, each key once.
    pub(crate) fn settle(&mut self) {
        let mut listed = std::mem::take(&mut self.listed);
        listed.retain(|key| {
            let at = key.wrapping_sub(self.first).cast_unsigned();
            let word = usize::try_from(at / 64).ok().and_then(|word| self.bits.get_mut(word));
            word.map(|word| *word |= 1 << (at % 64)).is_none()
        });
        let bounds = listed.iter().copied().min().zip(listed.iter().copied().max());
        if let Some((mut least, mut most)) = bounds.filter(|_| listed.len() >= LISTED / 2) {
            if !self.bits.is_empty() {
                least = least.min(self.first);
                most = most.max(self.first.saturating_add(self.bits.len() as i64 * 64 - 1));
            }
            if most.abs_diff(least) / BITS_PER_KEY < self.ones() + listed.len() as u64 {
                let first = least & !63;
                let words = (most.abs_diff(first) / 64 + 1) as usize;
                let before = std::mem::take(self);
                *self = Self { bits: vec![0; words], first, listed, sorted: 0 };
                self.merge(&Self { listed: Vec::new(), ..before });
                return self.settle();
            }
        }
        listed.sort_unstable();
        listed.dedup();
        self.sorted = listed.len();
        self.listed = listed;
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
            if let Some((least, most)) = b.iter().min().zip(b.iter().max()) {
                both = KeySet::default();
                both.expect((*least, most.saturating_sub(7)), b.len() as u64);
                a.iter().for_each(|key| both.insert(*key));
            }
            b.iter().for_each(|key| both.insert_near(*key));
            prop_assert_eq!(both.len(), a.iter().chain(&b).collect::<BTreeSet<_>>().len() as u64);
        }
    }
}
