//! A condition bound to the columns of a segment, to be asked of single rows.

use std::ops::RangeInclusive;

use crate::filter::Test;
use crate::segment::{Column, RowMask};

use super::number::Number;

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
    /// So does it, and its bit from the beginning of the range on is set.
    Members {
        column: Column<'a>,
        first: u64,
        bits: Vec<u64>,
    },
    Elapsed(Number<'a>, Test),
    /// The row is one of those.
    Mask(RowMask),
}

impl<'a> RowTest<'a> {
    /// A test on a column; on none, where every row is missing.
    pub(super) fn column(column: Option<Column<'a>>, test: &Test) -> Self {
        let Some(column) = column else { return Self::Always(matches!(test, Test::Missing)) };
        let codes = |codes: RangeInclusive<u64>| Self::Codes {
            column,
            first: *codes.start(),
            further: codes.end() - codes.start(),
        };
        match test {
            Test::Missing if column.is_nullable() => codes(0..=0),
            Test::Missing => Self::Always(false),
            Test::Between(least, most) => column.codes(*least, *most).map_or(Self::Always(false), codes),
            Test::OneOf(values) => {
                let mut bits = Vec::new();
                let mut range: Option<RangeInclusive<u64>> = None;
                for value in values {
                    let Some(code) = column.codes((*value).into(), (*value).into()) else { continue };
                    let first = range.as_ref().map_or(*code.start(), |range| *range.start());
                    // Values are numbers of 32 bits, and the bits of as many are what a filter may cost.
                    let at = (code.start() - first) as usize;
                    bits.resize(at / 64 + 1, 0u64);
                    bits[at / 64] |= 1 << (at % 64);
                    range = Some(first..=*code.end());
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
            Self::Members { column, first, bits } => {
                let at = column.code(row as usize).wrapping_sub(*first);
                bits.get((at / 64) as usize).is_some_and(|word| word >> (at % 64) & 1 == 1)
            }
            Self::Elapsed(number, test) => test.accepts(number.get(row)),
            Self::Mask(mask) => mask.contains(row),
        }
    }

    /// The rows of `range`, below `rows`, that fulfil it.
    pub(super) fn mask(&self, rows: u32, range: std::ops::Range<u32>) -> RowMask {
        match self {
            Self::Always(false) => RowMask::new(rows),
            // The way that is chosen once is not looked at again for every row.
            Self::Codes { column, first, further } => {
                RowMask::of(rows, range, |row| column.code(row as usize).wrapping_sub(*first) <= *further)
            }
            _ => RowMask::of(rows, range, |row| self.accepts(row)),
        }
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
            Self::Members { column, bits, .. } => of(column, ones(bits)),
            _ => 256,
        }
    }
}

fn ones(bits: &[u64]) -> u64 {
    bits.iter().map(|word| u64::from(word.count_ones())).sum()
}
