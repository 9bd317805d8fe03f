//! Bits in 64-bit words: what row masks and the bits of counters have in common.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

/// A vector of bits: bit `b` of word `w` is position `64 * w + b`.
pub(super) trait Words: Copy {
    /// The word at `index`, 0 beyond the end.
    fn word(self, index: usize) -> u64;

    /// How many bits are set in `range`.
    #[inline]
    fn count(self, range: Range<u32>) -> u64 {
        let Some(cut) = Cut::new(range) else { return 0 };
        if cut.first == cut.last {
            return u64::from((self.word(cut.first) & cut.head & cut.tail).count_ones());
        }
        let ends = u64::from((self.word(cut.first) & cut.head).count_ones())
            .wrapping_add(u64::from((self.word(cut.last) & cut.tail).count_ones()));
        self.ones_between(cut.first.wrapping_add(1)..cut.last).wrapping_add(ends)
    }

    /// How many bits are set in the whole words of `range`.
    #[inline]
    fn ones_between(self, range: Range<usize>) -> u64 {
        range.map(|index| u64::from(self.word(index).count_ones())).sum()
    }

    /// The positions set in `range`, ascending.
    #[inline]
    fn ones(self, range: Range<u32>) -> Ones<Self> {
        match Cut::new(range) {
            None => Ones { words: self, index: 0, last: 0, tail: 0, word: 0 },
            Some(Cut { first, last, head, tail }) => {
                let word = self.word(first) & head & if first == last { tail } else { u64::MAX };
                Ones { words: self, index: first, last, tail, word }
            }
        }
    }
}

impl Words for &[u64] {
    #[inline]
    fn word(self, index: usize) -> u64 {
        self.get(index).copied().unwrap_or(0)
    }

    #[inline]
    fn ones_between(self, range: Range<usize>) -> u64 {
        let words = self.get(range.start.min(self.len())..range.end.min(self.len())).unwrap_or_default();
        words.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

impl Words for &[[u8; 8]] {
    #[inline]
    fn word(self, index: usize) -> u64 {
        self.get(index).map_or(0, |word| u64::from_le_bytes(*word))
    }
}

/// The words that a non-empty range of positions touches. `head` keeps of the first word what is not before the
/// range, `tail` of the last word what is not behind it.
pub(super) struct Cut {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) head: u64,
    pub(super) tail: u64,
}

impl Cut {
    #[inline]
    pub(super) fn new(range: Range<u32>) -> Option<Self> {
        if range.is_empty() {
            return None;
        }
        let inclusive = range.end.wrapping_sub(1);
        Some(Self {
            first: (range.start >> 6) as usize,
            last: (inclusive >> 6) as usize,
            head: u64::MAX << (range.start & 63),
            tail: u64::MAX >> (63 ^ (inclusive & 63)),
        })
    }
}

/// A word whose lowest `count % 64` bits are set.
#[inline]
pub(super) fn low_bits(count: u32) -> u64 {
    (1_u64 << (count & 63)).wrapping_sub(1)
}

/// The positions set in a range of [`Words`], ascending.
#[derive(Clone, Debug)]
pub(super) struct Ones<W> {
    words: W,
    index: usize,
    last: usize,
    tail: u64,
    word: u64,
}

impl<W: Words> Iterator for Ones<W> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        while self.word == 0 {
            if self.index >= self.last {
                return None;
            }
            self.index = self.index.wrapping_add(1);
            self.word = self.words.word(self.index);
            if self.index == self.last {
                self.word &= self.tail;
            }
        }
        let position = ((self.index as u32) << 6) | self.word.trailing_zeros();
        self.word &= self.word.wrapping_sub(1);
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::Words;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn count_and_ones_agree_with_a_scan(
            words in prop::collection::vec(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()], 0..5),
            start in 0_u32..400, end in 0_u32..400,
        ) {
            let expected: Vec<u32> = (start..end)
                .filter(|row| words.get(*row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1))
                .collect();
            let bytes: Vec<[u8; 8]> = words.iter().map(|word| word.to_le_bytes()).collect();
            prop_assert_eq!(words.as_slice().count(start..end), expected.len() as u64);
            prop_assert_eq!(bytes.as_slice().count(start..end), expected.len() as u64);
            prop_assert_eq!(&words.as_slice().ones(start..end).collect::<Vec<_>>(), &expected);
            prop_assert_eq!(&bytes.as_slice().ones(start..end).collect::<Vec<_>>(), &expected);
        }
    }
}
