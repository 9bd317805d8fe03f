//! The rows of one value, read in place: a short list, or a bitmap.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use super::bitmap::Bitmap;
use super::row_mask::RowMask;
use super::search::{gallop, lower_bound};

/// A set of rows of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowSet<'a> {
    /// Few rows, or rows far apart.
    List(RowList<'a>),
    /// Many rows.
    Bitmap(Bitmap<'a>),
}

impl<'a> RowSet<'a> {
    /// How many rows there are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::List(list) => list.len as u64,
            Self::Bitmap(bitmap) => bitmap.len(),
        }
    }

    /// Whether `row` is in the set.
    pub(crate) fn contains(&self, row: u32) -> bool {
        match self {
            Self::List(list) => list.get(list.lower_bound(row)) == Some(row),
            Self::Bitmap(bitmap) => bitmap.contains(row),
        }
    }

    /// How many rows are in `range`.
    pub(crate) fn count(&self, range: Range<u32>) -> u64 {
        match self {
            Self::List(list) => list.indices(range).len() as u64,
            Self::Bitmap(bitmap) => bitmap.count(range),
        }
    }

    /// How many rows there are between each two neighbours of `boundaries`, which ascend: one walk over both.
    pub(crate) fn counts(&self, boundaries: impl IntoIterator<Item = u32>, each: impl FnMut(u64)) {
        match self {
            Self::List(list) => list.counts(boundaries, each),
            Self::Bitmap(bitmap) => bitmap.counts(boundaries, each),
        }
    }

    /// All rows, ascending.
    pub(crate) fn iter(self) -> impl Iterator<Item = u32> + 'a {
        self.iter_range(0..u32::MAX)
    }

    /// The rows in `range`, ascending.
    pub(crate) fn iter_range(self, range: Range<u32>) -> impl Iterator<Item = u32> + 'a {
        let (list, bitmap) = match self {
            Self::List(list) => (Some(list.iter(list.indices(range))), None),
            Self::Bitmap(bitmap) => (None, Some(bitmap.iter_range(range))),
        };
        list.into_iter().flatten().chain(bitmap.into_iter().flatten())
    }

    /// Adds the rows to `mask`.
    pub(crate) fn insert_into(&self, mask: &mut RowMask) {
        match self {
            Self::List(list) => list.iter(0..list.len).for_each(|row| mask.insert(row)),
            Self::Bitmap(bitmap) => bitmap.insert_into(mask),
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

    fn get(self, index: usize) -> Option<u32> {
        (index < self.len).then(|| self.row(index))
    }

    #[inline]
    fn row(self, index: usize) -> u32 {
        let word = self.bytes.get(index.wrapping_mul(self.width)..).and_then(<[u8]>::first_chunk::<4>);
        let unused = 32_usize.wrapping_sub(self.width.wrapping_mul(8)) as u32;
        word.map_or(0, |word| u32::from_le_bytes(*word).unbounded_shl(unused).unbounded_shr(unused))
    }

    /// The bytes of the rows, without the padding.
    pub(super) fn size(self) -> usize {
        self.bytes.len().wrapping_sub(Self::PADDING)
    }

    /// All rows, ascending.
    pub(super) fn rows(self) -> impl Iterator<Item = u32> + 'a {
        self.iter(0..self.len)
    }

    fn iter(self, indices: Range<usize>) -> impl Iterator<Item = u32> + 'a {
        indices.map(move |index| self.row(index))
    }

    fn lower_bound(self, row: u32) -> usize {
        lower_bound(0..self.len, |index| self.row(index) < row)
    }

    /// The indices of the rows in `range`.
    fn indices(self, range: Range<u32>) -> Range<usize> {
        let start = self.lower_bound(range.start);
        start..lower_bound(start..self.len, |index| self.row(index) < range.end)
    }

    fn counts(self, boundaries: impl IntoIterator<Item = u32>, mut each: impl FnMut(u64)) {
        let mut boundaries = boundaries.into_iter();
        let Some(first) = boundaries.next() else { return };
        let mut before = self.lower_bound(first);
        for boundary in boundaries {
            let at = gallop(before..self.len, |index| self.row(index) < boundary);
            each(at.saturating_sub(before) as u64);
            before = at;
        }
    }
}
