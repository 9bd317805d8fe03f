//! Roaring bitmaps read in place, from the portable serialisation.
//!
//! The `roaring` crate builds and writes them, and decodes to the heap only; a segment has more small bitmaps than
//! a heap should hold, and most questions touch a few containers of them. So opening looks at the header alone;
//! a container is found when it is asked for, and one that does not lie within the bytes is read as empty:
//! [`Bitmap::check`] finds it.
//!
//! ```text
//! 12346 u32 · containers u32                                        where there are no runs
//! 12347 u16 · containers - 1 u16 · which are runs, a bit each       otherwise
//! per container: upper 16 bits u16 · values - 1 u16
//! per container: offset u32                                         not with runs in fewer than four containers
//! containers: ascending values u16 | 1,024 words of bits | count of runs u16, per run: first u16, further u16
//! ```
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod container;
#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop at the first surprise"
)]
mod tests;

use std::ops::Range;

use roaring::RoaringBitmap;

use self::container::{ARRAY_LIMIT, BITS_BYTES, Container, Ranks, SPAN};
use super::row_mask::RowMask;
use crate::error::Corruption;

const COOKIE: u32 = 12346;
const COOKIE_WITH_RUNS: u32 = 12347;
/// With runs, and fewer containers than this, there are no offsets.
const OFFSETS_FROM: usize = 4;

/// A set of `u32` read in place. Ranges are half-open: they never reach `u32::MAX`, which is no row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bitmap<'a> {
    bytes: &'a [u8],
    /// A bit per container, set where it is one of runs.
    run_flags: &'a [u8],
    /// Per container its key, the upper 16 bits of its values, and how many values it has, less one.
    descriptors: &'a [[u8; 4]],
    /// Per container where it starts; none if that is to be computed.
    offsets: &'a [[u8; 4]],
    /// Where the header ends and the first container starts.
    body: usize,
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
        let (offsets, rest) = rest.split_at_checked(if has_offsets { count.wrapping_mul(4) } else { 0 })?;
        Some(Self {
            bytes,
            run_flags,
            descriptors: descriptors.as_chunks().0,
            offsets: offsets.as_chunks().0,
            body: bytes.len().wrapping_sub(rest.len()),
        })
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> u64 {
        self.descriptors.iter().map(|descriptor| u64::from(cardinality(*descriptor))).sum()
    }

    /// Whether `value` is in the set.
    pub(crate) fn contains(&self, value: u32) -> bool {
        let index = self.lower_bound(value >> 16);
        self.key(index) == Some(value >> 16) && self.container(index).contains(value & 0xffff)
    }

    /// How many values are in `range`.
    pub(crate) fn count(&self, range: Range<u32>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let first = self.lower_bound(range.start >> 16);
        if range.start >> 16 == range.end >> 16 {
            let part = range.start & 0xffff..range.end & 0xffff;
            let here = self.key(first) == Some(range.start >> 16);
            return if here { u64::from(self.container(first).count(part)) } else { 0 };
        }
        let last = self.lower_bound(range.end >> 16);
        let between = self.descriptors.get(first..last).unwrap_or_default();
        let whole: u64 = between.iter().map(|descriptor| u64::from(cardinality(*descriptor))).sum();
        whole.wrapping_add(self.below(last, range.end)).saturating_sub(self.below(first, range.start))
    }

    /// How many values of a container are below `bound`; none if it is not the container where `bound` would be.
    fn below(&self, index: usize, bound: u32) -> u64 {
        if self.key(index) == Some(bound >> 16) {
            u64::from(self.container(index).count(0..bound & 0xffff))
        } else {
            0
        }
    }

    /// How many values there are between each two neighbours of `boundaries`, which ascend: one walk over both.
    pub(crate) fn counts(&self, boundaries: impl IntoIterator<Item = u32>, mut each: impl FnMut(u64)) {
        let mut boundaries = boundaries.into_iter();
        let Some(first) = boundaries.next() else { return };
        let mut walk = Walk { bitmap: *self, index: self.lower_bound(first >> 16), passed: 0, open: None };
        let mut before = walk.advance(first);
        for boundary in boundaries {
            let rank = walk.advance(boundary);
            each(rank.saturating_sub(before));
            before = rank;
        }
    }

    /// All values, ascending.
    pub(crate) fn iter(self) -> impl Iterator<Item = u32> + 'a {
        let keys = self.descriptors.iter().map(|descriptor| key(*descriptor) << 16).enumerate();
        keys.flat_map(move |(index, base)| self.container_values(index, base, 0..SPAN))
    }

    /// The values in `range`, ascending.
    pub(crate) fn iter_range(self, range: Range<u32>) -> impl Iterator<Item = u32> + 'a {
        self.pieces(range).flat_map(move |(index, base, part)| self.container_values(index, base, part))
    }

    fn container_values(self, index: usize, base: u32, part: Range<u32>) -> impl Iterator<Item = u32> + 'a {
        self.container(index).iter(part).map(move |position| base | position)
    }

    /// How many values both have.
    pub(crate) fn and_count(&self, other: &Bitmap<'_>) -> u64 {
        let (mut left, mut right, mut common) = (0_usize, 0_usize, 0_u64);
        while let (Some(a), Some(b)) = (self.key(left), other.key(right)) {
            if a == b {
                let both = self.container(left).and_count(other.container(right));
                common = common.wrapping_add(u64::from(both));
            }
            left = left.wrapping_add(usize::from(a <= b));
            right = right.wrapping_add(usize::from(b <= a));
        }
        common
    }

    /// Adds the values to `mask`.
    pub(crate) fn insert_into(&self, mask: &mut RowMask) {
        for index in 0..self.descriptors.len() {
            self.container(index).insert_into(self.key(index).unwrap_or(0) << 16, mask);
        }
    }

    /// The set on the heap.
    ///
    /// # Errors
    /// Where the bytes are damaged so far that there is no set in them.
    pub(crate) fn to_roaring(self) -> Result<RoaringBitmap, Corruption> {
        RoaringBitmap::deserialize_from(self.bytes).map_err(|error| Corruption::new(0, error.to_string()))
    }

    /// Reads everything, and says how many bytes the bitmap has.
    ///
    /// # Errors
    /// Where containers or their values are out of order, do not lie where they should, or are not as many as said.
    pub(crate) fn check(&self) -> Result<usize, Corruption> {
        let flags = self.descriptors.len();
        if self.run_flags.last().is_some_and(|last| flags & 7 != 0 && last >> (flags & 7) != 0) {
            return Err(Corruption::new(4, "a bitmap marks more containers than it has"));
        }
        if !self.descriptors.is_sorted_by(|a, b| key(*a) < key(*b)) {
            return Err(Corruption::new(4, "a bitmap's containers are out of order"));
        }
        let mut start = self.body;
        for index in 0..self.descriptors.len() {
            let damaged = |reason| Corruption::new(start, reason);
            if self.offsets.get(index).is_some_and(|offset| u32::from_le_bytes(*offset) as usize != start) {
                return Err(damaged("a bitmap's container is not where its offset says"));
            }
            let Some((container, size)) = self.container_at(index, start) else {
                return Err(damaged("a bitmap's container is cut off"));
            };
            match container.checked_count() {
                None => return Err(damaged("the values of a bitmap's container are out of order")),
                Some(count) if count != self.cardinality(index) => {
                    return Err(damaged("a bitmap's container has not as many values as it says"));
                }
                Some(_) => start = start.wrapping_add(size),
            }
        }
        Ok(start)
    }

    /// The upper 16 bits of the values of a container.
    #[inline]
    fn key(&self, index: usize) -> Option<u32> {
        self.descriptors.get(index).map(|descriptor| key(*descriptor))
    }

    #[inline]
    fn cardinality(&self, index: usize) -> u32 {
        self.descriptors
            .get(index)
            .map_or(0, |[_, _, a, b]| u32::from(u16::from_le_bytes([*a, *b])).wrapping_add(1))
    }

    /// The first container whose key is not below `bound`.
    #[inline]
    fn lower_bound(&self, bound: u32) -> usize {
        // Where no container is left out before it.
        if self.key(bound as usize) == Some(bound) {
            return bound as usize;
        }
        self.descriptors.partition_point(|descriptor| key(*descriptor) < bound)
    }

    /// The containers that `range` touches: index, first value they could have, positions within the range.
    fn pieces(self, range: Range<u32>) -> impl Iterator<Item = (usize, u32, Range<u32>)> + 'a {
        let first =
            if range.is_empty() { self.descriptors.len() } else { self.lower_bound(range.start >> 16) };
        let keys =
            self.descriptors.get(first..).unwrap_or_default().iter().map(|descriptor| key(*descriptor) << 16);
        (first..).zip(keys).take_while(move |(_, base)| *base < range.end).map(move |(index, base)| {
            (index, base, range.start.saturating_sub(base)..range.end.wrapping_sub(base).min(SPAN))
        })
    }

    #[inline]
    fn container(&self, index: usize) -> Container<'a> {
        let start = match self.offsets.get(index) {
            Some(offset) => u32::from_le_bytes(*offset) as usize,
            None => self.computed_offset(index),
        };
        self.container_at(index, start).map_or(Container::EMPTY, |(container, _)| container)
    }

    /// Where a container starts, from the sizes of those before it: there are three containers at most.
    fn computed_offset(&self, index: usize) -> usize {
        let before = 0..index.min(OFFSETS_FROM);
        before.fold(self.body, |start, index| {
            self.container_at(index, start).map_or(start, |(_, size)| start.saturating_add(size))
        })
    }

    /// A container, if it lies within the bytes at `start`, and its size.
    #[inline]
    fn container_at(&self, index: usize, start: usize) -> Option<(Container<'a>, usize)> {
        let bytes = self.bytes.get(start..)?;
        let count = self.cardinality(index);
        if self.run_flags.get(index >> 3).is_some_and(|flags| flags >> (index & 7) & 1 == 1) {
            let (runs, rest) = bytes.split_first_chunk::<2>()?;
            let size = usize::from(u16::from_le_bytes(*runs)).wrapping_mul(4);
            Some((Container::Runs(rest.get(..size)?.as_chunks().0), size.wrapping_add(2)))
        } else if count <= ARRAY_LIMIT {
            let size = (count as usize).wrapping_mul(2);
            Some((Container::Array(bytes.get(..size)?.as_chunks().0), size))
        } else {
            Some((Container::Bits(bytes.get(..BITS_BYTES)?.as_chunks().0), BITS_BYTES))
        }
    }
}

#[inline]
fn key([a, b, ..]: [u8; 4]) -> u32 {
    u32::from(u16::from_le_bytes([a, b]))
}

#[inline]
fn cardinality([_, _, a, b]: [u8; 4]) -> u32 {
    u32::from(u16::from_le_bytes([a, b])).wrapping_add(1)
}

/// The values before ascending boundaries, counted in one walk.
struct Walk<'a> {
    bitmap: Bitmap<'a>,
    /// The first container that is not wholly passed.
    index: usize,
    /// How many values the containers before it have.
    passed: u64,
    /// The walk within it, once a boundary has been in it.
    open: Option<Ranks<'a>>,
}

impl Walk<'_> {
    /// How many values there are from the walk's first container up to `boundary`, which never goes back.
    fn advance(&mut self, boundary: u32) -> u64 {
        let bound = boundary >> 16;
        let mut at = self.bitmap.key(self.index);
        while at.is_some_and(|key| key < bound) {
            self.passed = self.passed.wrapping_add(u64::from(self.bitmap.cardinality(self.index)));
            self.index = self.index.wrapping_add(1);
            self.open = None;
            at = self.bitmap.key(self.index);
        }
        if at != Some(bound) {
            return self.passed;
        }
        let ranks = self.open.get_or_insert_with(|| self.bitmap.container(self.index).ranks());
        self.passed.wrapping_add(u64::from(ranks.advance(boundary & 0xffff)))
    }
}
