//! A set of rows on the heap, one bit each: what a filter has found while a query runs.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use super::bits::Bits;
use super::words::{Cut, Words, low_bits};

/// A set of rows below a number of rows. Rows beyond are never in it, and adding one does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowMask {
    words: Vec<u64>,
    rows: u32,
}

impl RowMask {
    /// No row of `rows`.
    pub(crate) fn new(rows: u32) -> Self {
        Self { words: vec![0; rows.div_ceil(64) as usize], rows }
    }

    /// Every row of `rows`.
    pub(crate) fn full(rows: u32) -> Self {
        let mut mask = Self::new(rows);
        mask.insert_range(0..rows);
        mask
    }

    /// The rows of `range`, below `rows`, that are accepted.
    pub(crate) fn of(rows: u32, range: Range<u32>, accept: impl Fn(u32) -> bool) -> Self {
        let mut mask = Self::new(rows);
        let Some(cut) = Cut::new(mask.clip(range)) else { return mask };
        for (index, slot) in mask.words.iter_mut().enumerate().take(cut.last.wrapping_add(1)).skip(cut.first)
        {
            let first = (index as u32) << 6;
            *slot = (0..64).fold(0, |word, bit| word | u64::from(accept(first | bit)) << bit);
        }
        mask.keep(&cut);
        mask
    }

    /// The rows of `range`, below `rows`, that `word` has, which tells the 64 rows from 64 × an index on.
    pub(crate) fn of_words(rows: u32, range: Range<u32>, word: impl Fn(usize) -> u64) -> Self {
        let mut mask = Self::new(rows);
        let Some(cut) = Cut::new(mask.clip(range)) else { return mask };
        for (index, slot) in mask.words.iter_mut().enumerate().take(cut.last.wrapping_add(1)).skip(cut.first)
        {
            *slot = word(index);
        }
        mask.keep(&cut);
        mask
    }

    /// Of the rows of `range`, and of some beside it, keeps those that `word` has.
    pub(crate) fn and_words(&mut self, range: Range<u32>, word: impl Fn(usize) -> u64) {
        let Some(cut) = Cut::new(self.clip(range)) else { return };
        for (index, slot) in self.words.iter_mut().enumerate().take(cut.last.wrapping_add(1)).skip(cut.first)
        {
            if *slot != 0 {
                *slot &= word(index);
            }
        }
    }

    /// Of the rows of `range`, keeps those that are accepted.
    pub(crate) fn retain(&mut self, range: Range<u32>, accept: impl Fn(u32) -> bool) {
        let Some(cut) = Cut::new(self.clip(range)) else { return };
        for index in cut.first..=cut.last {
            let Some(slot) = self.words.get_mut(index) else { return };
            let mut outside = 0;
            if index == cut.first {
                outside |= !cut.head;
            }
            if index == cut.last {
                outside |= !cut.tail;
            }
            // No branch hangs on an answer: the values of several rows are on their way at once.
            let (mut rest, mut kept) = (*slot & !outside, *slot & outside);
            while rest != 0 {
                let bit = rest.trailing_zeros();
                kept |= u64::from(accept((index as u32) << 6 | bit)) << bit;
                rest &= rest.wrapping_sub(1);
            }
            *slot = kept;
        }
    }

    /// Adds `row`.
    #[inline]
    pub(crate) fn insert(&mut self, row: u32) {
        if row < self.rows
            && let Some(word) = self.words.get_mut((row >> 6) as usize)
        {
            *word |= 1 << (row & 63);
        }
    }

    /// Takes a row out.
    pub(crate) fn remove(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Adds the rows of `range`.
    pub(crate) fn insert_range(&mut self, range: Range<u32>) {
        let Some(cut) = Cut::new(self.clip(range)) else { return };
        match self.words.get_mut(cut.first..=cut.last) {
            Some([only]) => *only |= cut.head & cut.tail,
            Some([first, middle @ .., last]) => {
                *first |= cut.head;
                middle.fill(u64::MAX);
                *last |= cut.tail;
            }
            _ => {}
        }
    }

    /// Adds the rows of `words`, which are those from word `first` on.
    pub(super) fn insert_words(&mut self, first: usize, words: impl Iterator<Item = u64>) {
        for (word, more) in self.words.iter_mut().skip(first).zip(words) {
            *word |= more;
        }
        self.trim();
    }

    /// Whether `row` is in the set.
    #[inline]
    pub(crate) fn contains(&self, row: u32) -> bool {
        (self.words.as_slice().word((row >> 6) as usize) >> (row & 63)) & 1 == 1
    }

    /// The 64 rows from 64 × `index` on.
    #[inline]
    pub(super) fn word(&self, index: usize) -> u64 {
        self.words.as_slice().word(index)
    }

    /// How many rows of `range` are in the set.
    pub(crate) fn count(&self, range: Range<u32>) -> u64 {
        self.words.as_slice().count(self.clip(range))
    }

    /// How many rows of `range` are in the set and set in `bits`.
    pub(crate) fn count_with(&self, bits: Bits<'_>, range: Range<u32>) -> u64 {
        Both(&self.words, bits).count(self.clip(range))
    }

    /// The rows of `range` that are in the set, ascending.
    pub(crate) fn iter(&self, range: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        self.words.as_slice().ones(self.clip(range))
    }

    /// Keeps the rows that are in `other` too.
    pub(crate) fn and(&mut self, other: &Self) {
        for (index, word) in self.words.iter_mut().enumerate() {
            *word &= other.words.as_slice().word(index);
        }
    }

    /// Takes the rows of `range` that are in `other` out.
    pub(crate) fn and_not(&mut self, range: Range<u32>, other: &Self) {
        self.and_words(range, |index| !other.words.as_slice().word(index));
    }

    /// Adds the rows of `other`.
    pub(crate) fn or(&mut self, other: &Self) {
        self.insert_words(0, other.words.iter().copied());
    }

    /// Turns the set into the rows that were not in it.
    pub(crate) fn not(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        self.trim();
    }

    fn clip(&self, range: Range<u32>) -> Range<u32> {
        range.start..range.end.min(self.rows)
    }

    /// Drops what is beyond the last row.
    fn trim(&mut self) {
        if self.rows & 63 != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= low_bits(self.rows);
        }
    }

    /// Of the first and the last word of `cut`, drops what is outside it.
    fn keep(&mut self, cut: &Cut) {
        if let Some(word) = self.words.get_mut(cut.first) {
            *word &= cut.head;
        }
        if let Some(word) = self.words.get_mut(cut.last) {
            *word &= cut.tail;
        }
    }
}

/// What two sets of rows have in common.
#[derive(Clone, Copy)]
struct Both<'a>(&'a [u64], Bits<'a>);

impl Words for Both<'_> {
    #[inline]
    fn word(self, index: usize) -> u64 {
        self.0.word(index) & self.1.word(index)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bits;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn mask(rows: u32, set: &BTreeSet<u32>) -> RowMask {
        let mut mask = RowMask::new(rows);
        set.iter().for_each(|row| mask.insert(*row));
        mask
    }

    fn is(mask: &RowMask, rows: u32, expected: &BTreeSet<u32>) -> Result<(), TestCaseError> {
        let expected: BTreeSet<u32> = expected.iter().copied().filter(|row| *row < rows).collect();
        prop_assert_eq!(mask.iter(0..u32::MAX).collect::<BTreeSet<_>>(), expected);
        Ok(())
    }

    proptest! {
        #[test]
        fn masks_are_sets(
            rows in 0_u32..300, a in prop::collection::btree_set(0_u32..320, 0..120),
            b in prop::collection::btree_set(0_u32..320, 0..120), start in 0_u32..330, end in 0_u32..330,
        ) {
            let (left, right) = (mask(rows, &a), mask(rows, &b));
            is(&left, rows, &a)?;
            let part: Vec<u32> = a.iter().copied().filter(|row| *row < rows && (start..end).contains(row)).collect();
            prop_assert_eq!(left.count(start..end), part.len() as u64);
            prop_assert_eq!(&left.iter(start..end).collect::<Vec<_>>(), &part);
            for row in 0..330 { prop_assert_eq!(left.contains(row), row < rows && a.contains(&row)); }

            let bytes = bits::encode(rows, b.iter().copied());
            let common = part.iter().filter(|row| b.contains(row)).count() as u64;
            prop_assert_eq!(left.count_with(Bits::open(&bytes, rows).unwrap(), start..end), common);

            let mut both = left.clone();
            both.and(&right);
            is(&both, rows, &(&a & &b))?;
            let mut either = left.clone();
            either.or(&right);
            is(&either, rows, &(&a | &b))?;
            let mut more = left.clone();
            more.insert_range(start..end);
            is(&more, rows, &a.iter().copied().chain(start..end).collect())?;
            let mut rest = left.clone();
            rest.not();
            is(&rest, rows, &(0..rows).filter(|row| !a.contains(row)).collect())?;
            is(&RowMask::full(rows), rows, &(0..rows).collect())?;
            is(&RowMask::of(rows, start..end, |row| b.contains(&row)), rows,
                &b.iter().copied().filter(|row| (start..end).contains(row)).collect())?;
            let word = |index: usize| (0..64).filter(|bit| b.contains(&(index as u32 * 64 + bit))).fold(0, |word, bit| word | 1 << bit);
            is(&RowMask::of_words(rows, start..end, word), rows,
                &b.iter().copied().filter(|row| (start..end).contains(row)).collect())?;
            let mut common = left.clone();
            common.and_words(start..end, word);
            let inside = |row: &u32| (start..end).contains(row);
            prop_assert_eq!(common.iter(start..end).collect::<Vec<_>>(), part.iter().copied().filter(|row| b.contains(row)).collect::<Vec<_>>());
            prop_assert!(common.iter(0..rows).filter(|row| !inside(row)).all(|row| a.contains(&row)));
            let mut fewer = left.clone();
            fewer.retain(start..end, |row| b.contains(&row));
            is(&fewer, rows, &a.iter().copied().filter(|row| !(start..end).contains(row) || b.contains(row)).collect())?;
        }

        #[test]
        fn masks_of_different_sizes_do_not_leak(small in 0_u32..200, large in 0_u32..200) {
            let mut mask = RowMask::new(small);
            mask.or(&RowMask::full(large));
            prop_assert_eq!(mask.count(0..u32::MAX), u64::from(small.min(large)));
            let mut mask = RowMask::full(large);
            mask.and(&RowMask::full(small));
            prop_assert_eq!(mask.count(0..u32::MAX), u64::from(small.min(large)));
        }
    }
}
