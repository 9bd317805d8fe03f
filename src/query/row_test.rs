//! A condition bound to the columns of a segment, to be asked of single rows.

use std::ops::{Range, RangeInclusive};

use crate::filter::Test;
use crate::segment::{CodeSet, Column, Planes, RowMask};

use super::number::Number;

/// To compare 64 codes at a time takes as long as looking at so many.
const LANES_COST: u64 = 8;

/// What a row has to fulfil.
#[derive(Debug)]
pub(super) enum RowTest<'a> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// Every row does, or none.
    Always(bool),
    /// The code in a column lies in a range, which begins at `first` and goes on for `further`.
    Codes {
        column: Column<'a>,
        first: u64,
        further: u64,
    },
    /// The code is one of a set, which is decided for 64 rows at once.
    Among {
        planes: Planes<'a>,
        set: Box<CodeSet>,
    },
    /// So does it, and its bit from the beginning of the range on is set.
    Members {
        column: Column<'a>,
        first: u64,
        bits: Vec<u64>,
    },
    Elapsed(Box<Number<'a>>, Test),
    /// The row is one of those.
    Mask(RowMask),
}

impl<'a> RowTest<'a> {
    /// A test on a column; on none, where every row is missing.
    pub(super) fn column(column: Option<Column<'a>>, test: &Test) -> Self {
        let Some(column) = column else { return Self::Always(matches!(test, Test::Missing)) };
        let codes = |codes: RangeInclusive<u64>| match column.planes() {
            Some(planes) => Self::Among { planes, set: Box::new(CodeSet::new(codes)) },
            None => Self::Codes { column, first: *codes.start(), further: codes.end() - codes.start() },
        };
        match test {
            Test::Missing if column.is_nullable() => codes(0..=0),
            Test::Missing => Self::Always(false),
            Test::Between(least, most) => column.codes(*least, *most).map_or(Self::Always(false), codes),
            Test::OneOf(values) => {
                let codes_of = values.iter().filter_map(|value| column.code_of((*value).into()));
                if let Some(planes) = column.planes() {
                    return Self::Among { planes, set: Box::new(CodeSet::new(codes_of)) };
                }
                let mut bits = Vec::new();
                let mut range: Option<RangeInclusive<u64>> = None;
                for code in codes_of {
                    let first = range.as_ref().map_or(code, |range| *range.start());
                    // Values are numbers of 32 bits, and the bits of as many are what a filter may cost.
                    let at = (code - first) as usize;
                    bits.resize(at / 64 + 1, 0u64);
                    bits[at / 64] |= 1 << (at % 64);
                    range = Some(first..=code);
                }
                match range {
                    None => Self::Always(false),
                    Some(range) if ones(&bits) == range.end() - range.start() + 1 => codes(range),
                    Some(range) => Self::Members { column, first: *range.start(), bits },
                }
            }
        }
    }

    /// Whether a row fulfils it.
    #[inline]
    pub(super) fn accepts(&self, row: u32) -> bool {
        match self {
            Self::All(all) => all.iter().all(|test| test.accepts(row)),
            Self::Any(any) => any.iter().any(|test| test.accepts(row)),
            Self::Not(test) => !test.accepts(row),
            Self::Always(always) => *always,
            Self::Codes { column, first, further } => {
                column.code(row as usize).wrapping_sub(*first) <= *further
            }
            Self::Among { planes, set } => set.contains(planes.code(row as usize)),
            Self::Members { column, first, bits } => {
                let at = column.code(row as usize).wrapping_sub(*first);
                bits.get((at / 64) as usize).is_some_and(|word| word >> (at % 64) & 1 == 1)
            }
            Self::Elapsed(number, test) => test.accepts(number.get(row)),
            Self::Mask(mask) => mask.contains(row),
        }
    }

    /// The rows of `range`, below `rows`, that fulfil it.
    pub(super) fn mask(&self, rows: u32, range: Range<u32>) -> RowMask {
        // The way that is chosen once is not looked at again for every row.
        match self {
            Self::Always(false) => RowMask::new(rows),
            Self::Among { planes, set } => RowMask::of_words(rows, range, |index| planes.among(index, set)),
            Self::Codes { column, first, further } => {
                let codes = *first..=first.saturating_add(*further);
                RowMask::of_words(rows, range, |index| column.between(index, &codes))
            }
            _ => RowMask::of(rows, range, |row| self.accepts(row)),
        }
    }

    /// Of the rows of a mask that lie in `range`, leaves those that fulfil it.
    pub(super) fn narrow(&self, mask: &mut RowMask, range: Range<u32>) {
        match self {
            Self::Among { planes, set } => mask.and_words(range, |index| planes.among(index, set)),
            Self::Codes { column, first, further }
                if column.has_lanes()
                    && LANES_COST * u64::from(range.end - range.start) <= 64 * mask.count(range.clone()) =>
            {
                let codes = *first..=first.saturating_add(*further);
                mask.and_words(range, |index| column.between(index, &codes));
            }
            _ => mask.retain(range, |row| self.accepts(row)),
        }
    }

    /// Whether it is decided for 64 rows nearly as soon as for one.
    pub(super) fn is_at_once(&self) -> bool {
        matches!(self, Self::Among { .. })
    }

    /// About which part of all rows fulfils it, in 256ths, as far as the codes tell.
    pub(super) fn share(&self) -> u64 {
        let of = |column: &Column<'_>, codes: u64| {
            let all = u128::from(column.largest_code()) + 1;
            (u128::from(codes) * 256 / all) as u64
        };
        match self {
            Self::Always(false) => 0,
            Self::Codes { column, further, .. } => of(column, further.saturating_add(1)),
            Self::Among { planes, set } => set.len() * 256 / planes.codes(),
            Self::Members { column, bits, .. } => of(column, ones(bits)),
            _ => 256,
        }
    }
}

fn ones(bits: &[u64]) -> u64 {
    bits.iter().map(|word| u64::from(word.count_ones())).sum()
}
