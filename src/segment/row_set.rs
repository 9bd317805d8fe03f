//! The rows of one value, read in place: a short list, or a bitmap.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use super::bitmap::Bitmap;
use super::row_mask::RowMask;
use crate::error::Corruption;

/// A set of rows of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowSet<'a> {
    /// Few rows, or rows far apart.
    List(RowList<'a>),
    /// Many rows.
    Bitmap(Bitmap<'a>),
}

impl RowSet<'_> {
    /// How many rows there are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::List(list) => list.len as u64,
            Self::Bitmap(bitmap) => bitmap.len(),
        }
    }

    /// Adds the rows to `mask`.
    pub(crate) fn insert_into(&self, mask: &mut RowMask) {
        match self {
            Self::List(list) => list.rows().for_each(|row| mask.insert(row)),
            Self::Bitmap(bitmap) => bitmap.insert_into(mask),
        }
    }

    /// Calls `each` with every row of `range` that is in the set.
    #[inline]
    pub(crate) fn for_each(&self, range: Range<u32>, each: impl FnMut(u32)) {
        match self {
            Self::List(list) => list.within(range).for_each(each),
            Self::Bitmap(bitmap) => bitmap.for_each(range, each),
        }
    }

    /// Reads everything, and says how many bytes the rows take.
    ///
    /// # Errors
    /// Where rows are out of order, or not below `rows`.
    pub(super) fn check(&self, rows: u32) -> Result<usize, Corruption> {
        match self {
            Self::List(list) => list.check(rows),
            Self::Bitmap(bitmap) => bitmap.check(rows),
        }
    }
}

/// Ascending rows, each in as few bytes as the segment's number of rows asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowList<'a> {
    bytes: &'a [u8],
    len: usize,
    width: usize,
}

/// How many bytes a row below `rows` takes.
pub(super) fn row_width(rows: u32) -> usize {
    match rows {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        0x1_0001..=0x100_0000 => 3,
        _ => 4,
    }
}

impl<'a> RowList<'a> {
    /// What is read beyond the last row.
    pub(super) const PADDING: usize = 3;

    /// The `len` rows of `width` bytes that `bytes` start with, if they and the padding are there.
    pub(super) fn open(bytes: &'a [u8], len: usize, width: usize) -> Option<Self> {
        let bytes = bytes.get(..len.checked_mul(width)?.checked_add(Self::PADDING)?)?;
        Some(Self { bytes, len, width })
    }

    /// All rows, ascending.
    fn rows(self) -> impl Iterator<Item = u32> + 'a {
        (0..self.len).map(move |index| self.row(index))
    }

    /// The rows of a range, ascending.
    fn within(self, range: Range<u32>) -> impl Iterator<Item = u32> + 'a {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low.midpoint(high);
            if self.row(middle) < range.start {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        // In a damaged list rows need not ascend.
        (low..self.len)
            .map(move |index| self.row(index))
            .take_while(move |row| *row < range.end)
            .filter(move |row| *row >= range.start)
    }

    #[inline]
    fn row(self, index: usize) -> u32 {
        let word = self.bytes.get(index.wrapping_mul(self.width)..).and_then(<[u8]>::first_chunk::<4>);
        let unused = 32_usize.wrapping_sub(self.width.wrapping_mul(8)) as u32;
        word.map_or(0, |word| u32::from_le_bytes(*word).unbounded_shl(unused).unbounded_shr(unused))
    }

    fn check(self, rows: u32) -> Result<usize, Corruption> {
        if !self.rows().is_sorted_by(|a, b| a < b) {
            return Err(Corruption::new(0, "a list of rows is out of order"));
        }
        if self.rows().last().is_some_and(|last| last >= rows) {
            return Err(Corruption::new(0, "a list has rows beyond the last row"));
        }
        Ok(self.bytes.len().wrapping_sub(Self::PADDING))
    }
}
