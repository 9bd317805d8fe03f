//! The three kinds of container: the values of one bitmap that share their upper 16 bits.
//!
//! A container borrows exactly its own bytes. Positions in it are the lower 16 bits of values, and ranges of them
//! end at 65,536 at most.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;
use std::slice;

use super::super::row_mask::RowMask;
use super::super::search::{gallop, lower_bound};
use super::super::words::{Ones, Words, low_bits};

/// How many values a container can hold.
pub(super) const SPAN: u32 = 1 << 16;
/// The most values that are written as an array; more are written as bits.
pub(super) const ARRAY_LIMIT: u32 = 4096;
/// The size of a container of bits.
pub(super) const BITS_BYTES: usize = 8192;

#[derive(Clone, Copy, Debug)]
pub(super) enum Container<'a> {
    /// Ascending values.
    Array(&'a [[u8; 2]]),
    /// 1,024 words.
    Bits(&'a [[u8; 8]]),
    /// Runs of values, ascending: the first value and how many follow it.
    Runs(&'a [[u8; 4]]),
}

#[inline]
fn low(value: [u8; 2]) -> u32 {
    u32::from(u16::from_le_bytes(value))
}

/// The values of a run, at most up to 65,536.
#[inline]
pub(super) fn run([a, b, c, d]: [u8; 4]) -> Range<u32> {
    let start = low([a, b]);
    start..start.wrapping_add(low([c, d])).wrapping_add(1).min(SPAN)
}

#[inline]
fn clip(range: &Range<u32>, to: &Range<u32>) -> Range<u32> {
    range.start.max(to.start)..range.end.min(to.end)
}

#[inline]
fn size(range: &Range<u32>) -> u32 {
    range.end.saturating_sub(range.start)
}

impl<'a> Container<'a> {
    /// What a damaged container is read as.
    pub(super) const EMPTY: Self = Self::Array(&[]);

    #[inline]
    pub(super) fn contains(self, position: u32) -> bool {
        match self {
            Self::Array(values) => values.binary_search_by(|value| low(*value).cmp(&position)).is_ok(),
            Self::Bits(words) => (words.word((position >> 6) as usize) >> (position & 63)) & 1 == 1,
            Self::Runs(runs) => {
                let at = runs.partition_point(|bytes| run(*bytes).end <= position);
                runs.get(at).is_some_and(|bytes| run(*bytes).start <= position)
            }
        }
    }

    /// How many values are in `range`.
    pub(super) fn count(self, range: Range<u32>) -> u32 {
        match self {
            Self::Array(values) => {
                let below = |bound| values.partition_point(|value| low(*value) < bound);
                below(range.end).saturating_sub(below(range.start)) as u32
            }
            Self::Bits(words) => words.count(range) as u32,
            Self::Runs(runs) => {
                let at = runs.partition_point(|bytes| run(*bytes).end <= range.start);
                let runs = runs.get(at..).unwrap_or_default().iter().map(|bytes| run(*bytes));
                runs.take_while(|run| run.start < range.end).map(|run| size(&clip(&run, &range))).sum()
            }
        }
    }

    /// Counts values in one walk.
    pub(super) fn ranks(self) -> Ranks<'a> {
        Ranks { container: self, at: 0, passed: 0 }
    }

    /// The values in `range`, ascending.
    #[inline]
    pub(super) fn iter(self, range: Range<u32>) -> Values<'a> {
        match self {
            Self::Array(values) => {
                let start = lower_bound(0..values.len(), |at| low_at(values, at) < range.start);
                let end = lower_bound(start..values.len(), |at| low_at(values, at) < range.end);
                Values::Array(values.get(start..end).unwrap_or_default().iter())
            }
            Self::Bits(words) => Values::Bits(words.ones(range)),
            Self::Runs(runs) => {
                let at = runs.partition_point(|bytes| run(*bytes).end <= range.start);
                Values::Runs { runs: runs.get(at..).unwrap_or_default().iter(), current: 0..0, range }
            }
        }
    }

    /// How many values both have.
    pub(super) fn and_count(self, other: Self) -> u32 {
        match (self, other) {
            (Self::Runs(runs), other) | (other, Self::Runs(runs)) => {
                let mut ranks = other.ranks();
                let mut share = |bytes: &[u8; 4]| {
                    let Range { start, end } = run(*bytes);
                    let before = ranks.advance(start);
                    ranks.advance(end).wrapping_sub(before)
                };
                runs.iter().fold(0, |sum, bytes| sum.wrapping_add(share(bytes)))
            }
            (Self::Bits(left), Self::Bits(right)) => {
                let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
                left.iter().zip(right).map(|(left, right)| (word(left) & word(right)).count_ones()).sum()
            }
            (Self::Array(values), bits @ Self::Bits(_)) | (bits @ Self::Bits(_), Self::Array(values)) => {
                values.iter().map(|value| u32::from(bits.contains(low(*value)))).sum()
            }
            (Self::Array(left), Self::Array(right)) => {
                let (few, many) = if left.len() < right.len() { (left, right) } else { (right, left) };
                let mut at = 0;
                let mut common = 0_u32;
                for value in few {
                    at = gallop(at..many.len(), |at| low_at(many, at) < low(*value));
                    common = common.wrapping_add(u32::from(many.get(at) == Some(value)));
                }
                common
            }
        }
    }

    /// Adds the values to `mask`; position 0 is the row `base`.
    pub(super) fn insert_into(self, base: u32, mask: &mut RowMask) {
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

    /// How many values there are; `None` if they are not in order, or runs touch.
    pub(super) fn checked_count(self) -> Option<u32> {
        match self {
            Self::Array(values) => {
                values.is_sorted_by(|a, b| low(*a) < low(*b)).then_some(values.len() as u32)
            }
            Self::Bits(words) => Some(words.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum()),
            Self::Runs(runs) => {
                let fits = |[a, b, c, d]: [u8; 4]| low([a, b]).wrapping_add(low([c, d])) < SPAN;
                let sound = runs.iter().all(|bytes| fits(*bytes))
                    && runs.is_sorted_by(|a, b| run(*a).end < run(*b).start);
                sound.then(|| runs.iter().map(|bytes| size(&run(*bytes))).sum())
            }
        }
    }
}

#[inline]
fn low_at(values: &[[u8; 2]], at: usize) -> u32 {
    values.get(at).map_or(SPAN, |value| low(*value))
}

/// The values before ascending positions, counted in one walk.
#[derive(Clone, Debug)]
pub(super) struct Ranks<'a> {
    container: Container<'a>,
    /// The first value, word or run that is not wholly passed.
    at: usize,
    /// How many values were before it.
    passed: u32,
}

impl Ranks<'_> {
    /// How many values there are before `position`, which never goes back.
    pub(super) fn advance(&mut self, position: u32) -> u32 {
        match self.container {
            Container::Array(values) => {
                let at = gallop(self.at..values.len(), |at| low_at(values, at) < position);
                self.passed = self.passed.wrapping_add(at.wrapping_sub(self.at) as u32);
                self.at = at;
                self.passed
            }
            Container::Bits(words) => {
                let at = ((position >> 6) as usize).max(self.at);
                self.passed = self.passed.wrapping_add(words.ones_between(self.at..at) as u32);
                self.at = at;
                self.passed.wrapping_add((words.word(at) & low_bits(position)).count_ones())
            }
            Container::Runs(runs) => loop {
                let Some(current) = runs.get(self.at).map(|bytes| run(*bytes)) else { return self.passed };
                if current.end > position {
                    return self.passed.wrapping_add(position.saturating_sub(current.start));
                }
                self.passed = self.passed.wrapping_add(size(&current));
                self.at = self.at.wrapping_add(1);
            },
        }
    }
}

/// The values of a container in a range, ascending. Damaged runs that overlap give no value twice, so that no
/// container gives more than 65,536.
#[derive(Clone, Debug)]
pub(super) enum Values<'a> {
    Array(slice::Iter<'a, [u8; 2]>),
    Bits(Ones<&'a [[u8; 8]]>),
    Runs { runs: slice::Iter<'a, [u8; 4]>, current: Range<u32>, range: Range<u32> },
}

impl Iterator for Values<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Array(values) => values.next().map(|value| low(*value)),
            Self::Bits(ones) => ones.next(),
            Self::Runs { runs, current, range } => loop {
                if let Some(position) = current.next() {
                    return Some(position);
                }
                *current = clip(&run(*runs.next()?), range);
                range.start = range.start.max(current.end);
            },
        }
    }

    /// Decides once which kind it is, not for each value.
    #[inline]
    fn fold<B, F: FnMut(B, u32) -> B>(self, init: B, each: F) -> B {
        match self {
            Self::Array(values) => values.map(|value| low(*value)).fold(init, each),
            Self::Bits(ones) => ones.fold(init, each),
            Self::Runs { runs, current, mut range } => {
                let rest = runs.flat_map(|bytes| {
                    let part = clip(&run(*bytes), &range);
                    range.start = range.start.max(part.end);
                    part
                });
                current.chain(rest).fold(init, each)
            }
        }
    }
}
