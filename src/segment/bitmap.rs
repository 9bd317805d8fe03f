//! Roaring bitmaps, read from the portable serialisation into row masks.
//!
//! The `roaring` crate builds and writes them, but decodes to the heap only. A filter needs nothing of a bitmap but
//! its rows in a mask, so they go there straight from the bytes. Containers follow one another, so reading walks
//! them in order; the offsets are for other readers, and [`Bitmap::check`] compares them. A container that is cut
//! off ends the walk: the check finds that too.
//!
//! ```text
//! 12346 u32 · containers u32                                        where there are no runs
//! 12347 u16 · containers - 1 u16 · which are runs, a bit each       otherwise
//! per container: upper 16 bits u16 · values - 1 u16
//! per container: offset u32                                         not with runs in fewer than four containers
//! containers: ascending values u16 | 1,024 words of bits | count of runs u16, per run: first u16, further u16
//! ```
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[cfg(test)]
mod tests;

use std::ops::Range;

use roaring::RoaringBitmap;

use super::row_mask::RowMask;
use super::words::Words;
use crate::error::Corruption;

const COOKIE: u32 = 12346;
const COOKIE_WITH_RUNS: u32 = 12347;
/// With runs, and fewer containers than this, there are no offsets.
const OFFSETS_FROM: usize = 4;
/// How many values a container can hold.
const SPAN: u32 = 1 << 16;
/// The most values that are written as an array; more are written as bits.
const ARRAY_LIMIT: u32 = 4096;
/// The size of a container of bits.
const BITS_BYTES: usize = 8192;

/// A set of rows read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bitmap<'a> {
    /// A bit per container, set where it is one of runs.
    run_flags: &'a [u8],
    /// Per container its key, the upper 16 bits of its values, and how many values it has, less one.
    descriptors: &'a [[u8; 4]],
    /// Per container where it starts; none with runs in few containers.
    offsets: &'a [[u8; 4]],
    /// How many bytes are before the first container.
    header: usize,
    /// The containers, and whatever follows the bitmap.
    body: &'a [u8],
}

/// The values of a bitmap that share their upper 16 bits, by their lower 16 bits.
#[derive(Clone, Copy, Debug)]
enum Container<'a> {
    /// Ascending values.
    Array(&'a [[u8; 2]]),
    /// 1,024 words.
    Bits(&'a [[u8; 8]]),
    /// Runs of values, ascending: the first value and how many follow it.
    Runs(&'a [[u8; 4]]),
}

/// Appends `set`, smallest if it is optimised.
pub(crate) fn encode(set: &RoaringBitmap, bytes: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let written = set.serialize_into(bytes);
    debug_assert!(written.is_ok());
}

impl<'a> Bitmap<'a> {
    /// The bitmap that `bytes` start with.
    ///
    /// # Errors
    /// Where they do not start with the whole header of one. The containers are not looked at.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Corruption> {
        Self::read_header(bytes)
            .ok_or_else(|| Corruption::new(0, "a bitmap's header is not one, or is cut off"))
    }

    fn read_header(bytes: &'a [u8]) -> Option<Self> {
        let (cookie, rest) = bytes.split_first_chunk::<4>()?;
        let cookie = u32::from_le_bytes(*cookie);
        let (count, run_flags, rest) = if cookie == COOKIE {
            let (count, rest) = rest.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*count), <&[u8]>::default(), rest)
        } else if cookie & 0xffff == COOKIE_WITH_RUNS {
            let count = (cookie >> 16).wrapping_add(1);
            let (flags, rest) = rest.split_at_checked(count.div_ceil(8) as usize)?;
            (count, flags, rest)
        } else {
            return None;
        };
        if count > SPAN {
            return None;
        }
        let count = count as usize;
        let (descriptors, rest) = rest.split_at_checked(count.wrapping_mul(4))?;
        let has_offsets = cookie == COOKIE || count >= OFFSETS_FROM;
        let (offsets, body) = rest.split_at_checked(if has_offsets { count.wrapping_mul(4) } else { 0 })?;
        Some(Self {
            run_flags,
            descriptors: descriptors.as_chunks().0,
            offsets: offsets.as_chunks().0,
            header: bytes.len().wrapping_sub(body.len()),
            body,
        })
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> u64 {
        self.descriptors.iter().map(|descriptor| u64::from(cardinality(*descriptor))).sum()
    }

    /// Adds the rows to `mask`.
    pub(crate) fn insert_into(&self, mask: &mut RowMask) {
        let mut rest = self.body;
        for (index, descriptor) in self.descriptors.iter().enumerate() {
            let Some((container, after)) = self.split_container(index, *descriptor, rest) else { return };
            container.insert_into(key(*descriptor) << 16, mask);
            rest = after;
        }
    }

    /// Calls `each` with every row of `range`.
    #[inline]
    pub(crate) fn for_each(&self, range: Range<u32>, mut each: impl FnMut(u32)) {
        let mut rest = self.body;
        for (index, descriptor) in self.descriptors.iter().enumerate() {
            let base = key(*descriptor) << 16;
            let Some((container, after)) = self.split_container(index, *descriptor, rest) else { return };
            if base >= range.end {
                return;
            }
            if base | 0xffff >= range.start {
                let within = range.start.saturating_sub(base)..range.end.wrapping_sub(base).min(SPAN);
                container.for_each(within, |low| each(base | low));
            }
            rest = after;
        }
    }

    /// Reads everything, and says how many bytes the bitmap has.
    ///
    /// # Errors
    /// Where containers or their values are out of order, do not lie where they should, are not as many as said, or
    /// not below `rows`.
    pub(crate) fn check(&self, rows: u32) -> Result<usize, Corruption> {
        let flags = self.descriptors.len();
        if self.run_flags.last().is_some_and(|last| flags & 7 != 0 && last >> (flags & 7) != 0) {
            return Err(Corruption::new(4, "a bitmap marks more containers than it has"));
        }
        if !self.descriptors.is_sorted_by(|a, b| key(*a) < key(*b)) {
            return Err(Corruption::new(4, "a bitmap's containers are out of order"));
        }
        let (mut start, mut rest) = (self.header, self.body);
        for (index, descriptor) in self.descriptors.iter().enumerate() {
            let damaged = |reason| Corruption::new(start, reason);
            if self.offsets.get(index).is_some_and(|offset| u32::from_le_bytes(*offset) as usize != start) {
                return Err(damaged("a bitmap's container is not where its offset says"));
            }
            let Some((container, after)) = self.split_container(index, *descriptor, rest) else {
                return Err(damaged("a bitmap's container is cut off"));
            };
            let Some((count, last)) = container.checked() else {
                return Err(damaged("the values of a bitmap's container are out of order"));
            };
            if count != cardinality(*descriptor) {
                return Err(damaged("a bitmap's container has not as many values as it says"));
            }
            if key(*descriptor) << 16 | last >= rows {
                return Err(damaged("a bitmap has values beyond the last row"));
            }
            start = start.wrapping_add(rest.len().wrapping_sub(after.len()));
            rest = after;
        }
        Ok(start)
    }

    /// The container that `bytes` start with, if it is all there, and the bytes behind it.
    #[inline]
    fn split_container(
        &self,
        index: usize,
        descriptor: [u8; 4],
        bytes: &'a [u8],
    ) -> Option<(Container<'a>, &'a [u8])> {
        let count = cardinality(descriptor);
        if self.run_flags.get(index >> 3).is_some_and(|flags| flags >> (index & 7) & 1 == 1) {
            let (runs, rest) = bytes.split_first_chunk::<2>()?;
            let (runs, rest) =
                rest.split_at_checked(usize::from(u16::from_le_bytes(*runs)).wrapping_mul(4))?;
            Some((Container::Runs(runs.as_chunks().0), rest))
        } else if count <= ARRAY_LIMIT {
            let (values, rest) = bytes.split_at_checked((count as usize).wrapping_mul(2))?;
            Some((Container::Array(values.as_chunks().0), rest))
        } else {
            let (words, rest) = bytes.split_at_checked(BITS_BYTES)?;
            Some((Container::Bits(words.as_chunks().0), rest))
        }
    }
}

impl Container<'_> {
    /// Adds the values to `mask`; value 0 is the row `base`.
    fn insert_into(self, base: u32, mask: &mut RowMask) {
        match self {
            Self::Array(values) => values.iter().for_each(|value| mask.insert(base | low(*value))),
            Self::Bits(words) => {
                mask.insert_words((base >> 6) as usize, words.iter().map(|word| u64::from_le_bytes(*word)));
            }
            Self::Runs(runs) => {
                for bytes in runs {
                    let Range { start, end } = run(*bytes);
                    mask.insert_range(base | start..base.saturating_add(end));
                }
            }
        }
    }

    /// Calls `each` with every value of `range`.
    #[inline]
    fn for_each(self, range: Range<u32>, each: impl FnMut(u32)) {
        match self {
            Self::Array(values) => {
                let first = values.partition_point(|value| low(*value) < range.start);
                let rest = values.get(first..).unwrap_or(&[]).iter().map(|value| low(*value));
                // In a damaged array values need not ascend.
                let within = rest.take_while(|value| *value < range.end);
                within.filter(|value| *value >= range.start).for_each(each);
            }
            Self::Bits(words) => words.ones(range).for_each(each),
            Self::Runs(runs) => {
                let within = |run: Range<u32>| run.start.max(range.start)..run.end.min(range.end);
                runs.iter().flat_map(|bytes| within(run(*bytes))).for_each(each);
            }
        }
    }

    /// How many values there are, and the last one; `None` if there are none, they are not in order, or runs touch.
    fn checked(self) -> Option<(u32, u32)> {
        match self {
            Self::Array(values) => {
                let sound = values.is_sorted_by(|a, b| low(*a) < low(*b));
                let last = values.last().filter(|_| sound)?;
                Some((values.len() as u32, low(*last)))
            }
            Self::Bits(words) => {
                let ones = words.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum();
                let at = words.iter().rposition(|word| *word != [0; 8])?;
                let word = u64::from_le_bytes(*words.get(at)?);
                Some((ones, (at as u32) << 6 | word.checked_ilog2()?))
            }
            Self::Runs(runs) => {
                let fits = |[a, b, c, d]: [u8; 4]| low([a, b]).wrapping_add(low([c, d])) < SPAN;
                let sound = runs.iter().all(|bytes| fits(*bytes))
                    && runs.is_sorted_by(|a, b| run(*a).end < run(*b).start);
                let last = run(*runs.last().filter(|_| sound)?).end.wrapping_sub(1);
                Some((runs.iter().map(|bytes| run(*bytes).len() as u32).sum(), last))
            }
        }
    }
}

#[inline]
fn key([a, b, ..]: [u8; 4]) -> u32 {
    low([a, b])
}

#[inline]
fn cardinality([_, _, a, b]: [u8; 4]) -> u32 {
    low([a, b]).wrapping_add(1)
}

#[inline]
fn low(value: [u8; 2]) -> u32 {
    u32::from(u16::from_le_bytes(value))
}

/// The values of a run, at most up to 65,536.
#[inline]
fn run([a, b, c, d]: [u8; 4]) -> Range<u32> {
    let start = low([a, b]);
    start..start.wrapping_add(low([c, d])).wrapping_add(1).min(SPAN)
}
