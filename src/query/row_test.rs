//! A condition bound to the columns of a segment, to be asked of single rows.

use std::ops::RangeInclusive;

use crate::filter::Test;
use crate::segment::{CodeSet, Column, Planes, RowMask};

use super::number::Number;

/// Of more ranges of codes, looking at each row is as fast.
const FEW_RANGES: usize = 8;

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
    /// The code lies in one of a few ranges, which is decided for 64 rows at once.
    Planes {
        column: Column<'a>,
        planes: Planes<'a>,
        ranges: Vec<RangeInclusive<u64>>,
    },
    /// The code is one of a set, which is decided for 64 rows at once.
    Among {
        column: Column<'a>,
        planes: Planes<'a>,
        set: Box<CodeSet>,
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
        let codes = |codes: RangeInclusive<u64>| match column.planes() {
            Some(planes) if planes.are_few() => {
                Self::Among { column, planes, set: Box::new(CodeSet::new(codes)) }
            }
            Some(planes) => Self::Planes { column, planes, ranges: vec![codes] },
            None => Self::Codes { column, first: *codes.start(), further: codes.end() - codes.start() },
        };
        match test {
            Test::Missing if column.is_nullable() => codes(0..=0),
            Test::Missing => Self::Always(false),
            Test::Between(least, most) => column.codes(*least, *most).map_or(Self::Always(false), codes),
            Test::OneOf(values) => {
                let code = |value: &u32| column.codes((*value).into(), (*value).into());
                if let Some(planes) = column.planes().filter(Planes::are_few) {
                    let set = Box::new(CodeSet::new(values.iter().filter_map(code).flatten()));
                    return Self::Among { column, planes, set };
                }
                let mut bits = Vec::new();
                let mut range: Option<RangeInclusive<u64>> = None;
                for value in values {
                    let Some(code) = code(value) else { continue };
                    let first = range.as_ref().map_or(*code.start(), |range| *range.start());
                    // Values are numbers of 32 bits, and the bits of as many are what a filter may cost.
                    let at = (code.start() - first) as usize;
                    bits.resize(at / 64 + 1, 0u64);
                    bits[at / 64] |= 1 << (at % 64);
                    range = Some(first..=*code.end());
                }
                let ranges = column
                    .planes()
                    .zip(range.as_ref())
                    .map(|(planes, range)| (planes, runs(*range.start(), &bits)));
                if let Some((planes, ranges)) = ranges.filter(|(_, ranges)| ranges.len() <= FEW_RANGES) {
                    return Self::Planes { column, planes, ranges };
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
            Self::Planes { column, ranges, .. } => {
                let code = column.code(row as usize);
                ranges.iter().any(|range| range.contains(&code))
            }
            Self::Among { column, set, .. } => set.contains(column.code(row as usize)),
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
                let codes = *first..=first.saturating_add(*further);
                RowMask::of_words(rows, range, |index| column.between(index, &codes))
            }
            _ => match self.words() {
                Some(word) => RowMask::of_words(rows, range, word),
                None => RowMask::of(rows, range, |row| self.accepts(row)),
            },
        }
    }

    /// Tells which of the 64 rows from 64 × an index on fulfil it; none where that is no faster than row by row.
    pub(super) fn words(&self) -> Option<impl Fn(usize) -> u64> {
        let word = |index| match self {
            Self::Planes { planes, ranges, .. } => {
                ranges.iter().fold(0, |word, range| word | planes.between(index, range))
            }
            Self::Among { planes, set, .. } => planes.among(index, set),
            _ => 0,
        };
        matches!(self, Self::Planes { .. } | Self::Among { .. }).then_some(word)
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
            Self::Planes { column, ranges, .. } => {
                of(column, ranges.iter().map(|range| (range.end() - range.start()).saturating_add(1)).sum())
            }
            Self::Among { column, set, .. } => of(column, set.len()),
            Self::Members { column, bits, .. } => of(column, ones(bits)),
            _ => 256,
        }
    }
}

/// The runs of bits that are set, as codes from `first` on.
fn runs(first: u64, bits: &[u64]) -> Vec<RangeInclusive<u64>> {
    let mut runs: Vec<RangeInclusive<u64>> = Vec::new();
    for (code, at) in (first..).zip(0..bits.len() * 64) {
        if bits[at / 64] >> (at % 64) & 1 == 1 {
            match runs.last_mut() {
                Some(run) if run.end() + 1 == code => *run = *run.start()..=code,
                _ => runs.push(code..=code),
            }
        }
    }
    runs
}

fn ones(bits: &[u64]) -> u64 {
    bits.iter().map(|word| u64::from(word.count_ones())).sum()
}
