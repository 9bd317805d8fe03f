//! One bit per row, with the number of set bits in any range of rows in O(1): for the counters.
//!
//! ```text
//! block, 64 bytes:  ones before the block u32 · ones before words 2, 4 and 6 of it, 9 bits each, u32 · 7 words
//! ```
//!
//! A rank reads one cache line, as sections start at multiples of 64, and counts the bits of at most two words,
//! which matters as the counting instruction is not in every machine's base set. A block holds seven whole words, so that the bits of a word
//! belong to the rows of the same word of a [`RowMask`](super::row_mask::RowMask). There is always one block more
//! than full ones, so that the rank behind the last row needs no special case.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use super::words::{Words, low_bits};
use crate::error::Corruption;

const BLOCK: usize = 64;
/// Words of a block that hold bits of rows.
const WORDS: usize = 7;
const ROWS: usize = 64 * WORDS;

/// Bits for `rows` rows, set in `ones`, in any order. Rows beyond `rows` are left out.
pub(crate) fn encode(rows: u32, ones: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut blocks = vec![[[0; 8]; WORDS.wrapping_add(1)]; block_count(rows)];
    for row in ones.into_iter().filter(|row| *row < rows) {
        let (block, word) = locate(row >> 6);
        let bytes = blocks.get_mut(block).and_then(|words| words.get_mut(word));
        if let Some(byte) = bytes.and_then(|bytes| bytes.get_mut((row as usize >> 3) & 7)) {
            *byte |= 1 << (row & 7);
        }
    }
    let mut before = 0;
    for block in &mut blocks {
        let (head, inside) = head(before, block);
        if let Some(first) = block.first_mut() {
            *first = head.to_le_bytes();
        }
        before = before.wrapping_add(inside);
    }
    blocks.into_flattened().into_flattened()
}

/// The bytes of the bits of `rows` rows.
pub(super) fn size(rows: u32) -> usize {
    block_count(rows).wrapping_mul(BLOCK)
}

fn block_count(rows: u32) -> usize {
    (rows as usize / ROWS).wrapping_add(1)
}

/// The block, and the word in it, of the word numbered `word`.
#[inline]
fn locate(word: u32) -> (usize, usize) {
    let word = word as usize;
    (word / WORDS, (word % WORDS).wrapping_add(1))
}

/// The first word of a block with `before` ones before it, and how many ones the block has.
fn head(before: u32, block: &[[u8; 8]]) -> (u64, u32) {
    let (mut head, mut inside) = (u64::from(before), 0_u32);
    for (word, bytes) in block.iter().skip(1).enumerate() {
        if word > 0 && word % 2 == 0 {
            head |= u64::from(inside) << (word / 2).wrapping_mul(9).wrapping_add(23);
        }
        inside = inside.wrapping_add(u64::from_le_bytes(*bytes).count_ones());
    }
    (head, inside)
}

/// Bits read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits<'a> {
    blocks: &'a [[u8; BLOCK]],
    rows: u32,
}

impl<'a> Bits<'a> {
    /// The bits of `rows` rows that `bytes` are, all of them.
    ///
    /// # Errors
    /// Where the length is not the one for so many rows. Nothing else is looked at.
    pub(crate) fn open(bytes: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        if blocks.len() != block_count(rows) || !rest.is_empty() {
            let reason = format!("{} bytes cannot be the bits of {rows} rows", bytes.len());
            return Err(Corruption::new(0, reason));
        }
        Ok(Self { blocks, rows })
    }

    /// Whether the bit of `row` is set. It is not beyond the last row.
    #[inline]
    pub(crate) fn get(&self, row: u32) -> bool {
        (self.word((row >> 6) as usize) >> (row & 63)) & 1 == 1
    }

    /// How many rows before `row` are set.
    #[inline]
    pub(crate) fn rank(&self, row: u32) -> u32 {
        let row = row.min(self.rows);
        let (block, word) = locate(row >> 6);
        let Some(block) = self.blocks.get(block) else { return 0 };
        let words = block.as_chunks::<8>().0;
        let head = words.word(0);
        // Words come in pairs: counted are the pairs before, the pair's first word if this is its second, and the
        // rows before this one. Without branches, as they could not be predicted.
        let pair = word.wrapping_sub(1) >> 1;
        let pairs = ((head >> 32) << 9) >> pair.wrapping_mul(9) & 511;
        let is_second = u64::from(word & 1 == 0);
        let whole = words.word(word.wrapping_sub(1)) & 0_u64.wrapping_sub(is_second);
        let part = words.word(word) & low_bits(row);
        (head as u32)
            .wrapping_add(pairs as u32)
            .wrapping_add(whole.count_ones())
            .wrapping_add(part.count_ones())
    }

    /// The row of the set bit with so many before it; the number of rows where there is none.
    pub(crate) fn select(&self, rank: u32) -> u32 {
        let before =
            |block: &[u8; BLOCK]| block.first_chunk::<4>().map_or(0, |head| u32::from_le_bytes(*head));
        let block = self.blocks.partition_point(|block| before(block) <= rank).saturating_sub(1);
        let Some(bytes) = self.blocks.get(block) else { return self.rows };
        let mut left = rank.saturating_sub(before(bytes));
        for (index, word) in bytes.as_chunks::<8>().0.iter().skip(1).enumerate() {
            let mut word = u64::from_le_bytes(*word);
            if left >= word.count_ones() {
                left = left.wrapping_sub(word.count_ones());
                continue;
            }
            for _ in 0..left {
                word &= word.wrapping_sub(1);
            }
            let row = block.wrapping_mul(ROWS).wrapping_add(index << 6) as u32;
            return row.wrapping_add(word.trailing_zeros()).min(self.rows);
        }
        self.rows
    }

    /// The rows of `range` that are set, ascending.
    pub(crate) fn ones(self, range: Range<u32>) -> impl Iterator<Item = u32> + 'a {
        let end = range.end.min(self.rows);
        Words::ones(self, range.start..end)
    }

    /// How many rows of `range` are set.
    #[inline]
    pub(crate) fn count(&self, range: Range<u32>) -> u64 {
        u64::from(self.rank(range.end).saturating_sub(self.rank(range.start)))
    }

    /// Reads everything.
    ///
    /// # Errors
    /// Where counts do not agree with the bits, or bits beyond the last row are set.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        let mut before = 0;
        for (index, block) in self.blocks.iter().enumerate() {
            let words = block.as_chunks::<8>().0;
            let (head, inside) = head(before, words);
            if words.word(0) != head {
                return Err(Corruption::new(
                    index.wrapping_mul(BLOCK),
                    "a block's counts are not those of the bits",
                ));
            }
            before = before.wrapping_add(inside);
        }
        if before != self.rank(self.rows) {
            let last = self.blocks.len().saturating_sub(1).wrapping_mul(BLOCK);
            return Err(Corruption::new(last, "bits are set beyond the last row"));
        }
        Ok(())
    }
}

impl Words for Bits<'_> {
    #[inline]
    fn word(self, index: usize) -> u64 {
        let (block, word) = locate(index as u32);
        self.blocks.get(block).map_or(0, |block| block.as_chunks::<8>().0.word(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows_and_ones() -> impl Strategy<Value = (u32, Vec<u32>)> {
        let rows = prop_oneof![0_u32..1500, Just(447), Just(448), Just(449), Just(896)];
        (rows, 0_u32..4).prop_flat_map(|(rows, density)| {
            let one = prop::bool::weighted([0.01, 0.5, 0.99, 1.0][density as usize]);
            prop::collection::vec(one, rows as usize).prop_map(move |bits| {
                (rows, (0..).zip(bits).filter_map(|(row, one)| one.then_some(row)).collect())
            })
        })
    }

    #[test]
    fn the_layout_is_pinned() {
        let bytes = encode(449, [0, 63, 64, 128, 448]);
        let words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let head = 3 << 32 | 4 << 41 | 4 << 50;
        assert_eq!(words[..8], [head, 1 | 1 << 63, 1, 1, 0, 0, 0, 0]);
        let head = 4 | 1 << 32 | 1 << 41 | 1 << 50;
        assert_eq!(words[8..], [head, 1, 0, 0, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn ranks_agree_with_a_scan((rows, ones) in rows_and_ones(), start in 0_u32..1600, end in 0_u32..1600) {
            let bytes = encode(rows, ones.iter().copied());
            let bits = Bits::open(&bytes, rows).unwrap();
            bits.check().unwrap();
            for row in 0..rows + 70 {
                prop_assert_eq!(bits.rank(row) as usize, ones.partition_point(|one| *one < row));
                prop_assert_eq!(bits.get(row), ones.binary_search(&row).is_ok());
            }
            let expected: Vec<u32> = ones.iter().copied().filter(|one| (start..end).contains(one)).collect();
            prop_assert_eq!(bits.count(start..end), expected.len() as u64);
            prop_assert_eq!(bits.ones(start..end).collect::<Vec<_>>(), expected);
            for (rank, one) in (0..).zip(&ones) {
                prop_assert_eq!(bits.select(rank), *one);
            }
            prop_assert_eq!((bits.select(ones.len() as u32), bits.select(u32::MAX)), (rows, rows));
        }

        /// Whatever passes the check is what the encoder writes.
        #[test]
        fn damage_is_found((rows, ones) in rows_and_ones(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = encode(rows, ones);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let bits = Bits::open(&bytes, rows).unwrap();
            prop_assert!(bits.check().is_err() || encode(rows, (0..rows).filter(|row| bits.get(*row))) == bytes);
        }

        #[test]
        fn any_bytes_open_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..200), rows in 0_u32..1500, row in any::<u32>()) {
            for length in [bytes.len(), 64, 128] {
                if let Ok(bits) = Bits::open(bytes.get(..length).unwrap_or_default(), rows) {
                    bits.rank(row);
                    bits.get(row);
                    bits.count(row..rows);
                    bits.select(row);
                    drop(bits.check());
                }
            }
        }
    }
}
