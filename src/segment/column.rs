//! A column of integers in as few bits as its largest needs, with O(1) random access.
//!
//! ```text
//! min i64 · width u8 · nullable u8 · halved u8 · 5 zero bytes ·
//! width up to 4: codes as planes
//! width up to 8: codes of a byte each
//! not halved:    codes packed
//! halved:        the 16 high bits of each code, two bytes each · the bits below them packed
//! ```
//!
//! A value's code is its distance from the smallest value; where rows are missing, 0 means missing and the codes
//! of values start at 1. Widths of 58 to 63 are stored as 64. A code that is halved is compared sooner and read later.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::{Range, RangeInclusive};

use super::bits::Bits;
use super::lanes;
use super::packed::{self, Packed};
use super::planes::{self, Planes};
use crate::error::Corruption;

/// What a column holds where a row has no value. It sorts before every value.
pub(crate) const MISSING: i64 = i64::MIN;

const HEADER: usize = 16;
const WIDEST_BYTE: u32 = 8;
/// The bits of the high half of a code.
const HIGH: u32 = 16;

/// How codes lie that are wider than a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wide {
    /// Each is read with one load.
    Packed,
    /// 64 are compared at a time.
    Halved,
}

/// A column of `values`, [`MISSING`] where there is none; wide codes are packed.
pub(crate) fn encode(values: &[i64]) -> Vec<u8> {
    encode_as(values, Wide::Packed)
}

/// As [`encode`], with wide codes as is said.
pub(crate) fn encode_as(values: &[i64], wide: Wide) -> Vec<u8> {
    let (mut min, mut max, mut nullable) = (i64::MAX, i64::MIN, false);
    for &value in values {
        if value == MISSING {
            nullable = true;
        } else {
            min = min.min(value);
            max = max.max(value);
        }
    }
    let (min, width) = if max == MISSING { (0, 0) } else { (min, stored_width(code(max, min, nullable))) };
    let layout = Layout::new(width, wide);
    let mut bytes = Vec::with_capacity(layout.size(values.len()).unwrap_or_default());
    let halved = matches!(layout, Layout::Halved { .. });
    bytes.extend_from_slice(&min.to_le_bytes());
    bytes.extend_from_slice(&[width as u8, u8::from(nullable), u8::from(halved), 0, 0, 0, 0, 0]);

    let codes = values.iter().map(|value| if *value == MISSING { 0 } else { code(*value, min, nullable) });
    match layout {
        Layout::Planes { width } => planes::encode(codes, width, &mut bytes),
        Layout::Bytes => bytes.extend(codes.map(|code| code as u8)),
        Layout::Packed { width } => packed::encode(codes, width, &mut bytes),
        Layout::Halved { low } => {
            bytes.extend(codes.clone().flat_map(|code| (code.unbounded_shr(low) as u16).to_le_bytes()));
            packed::encode(codes.map(|code| code & packed::largest(low)), low, &mut bytes);
        }
    }
    bytes
}

/// How far `value` is from a smaller or equal `min`, one more where 0 means missing. As `min` is never [`MISSING`],
/// this fits in 64 bits.
fn code(value: i64, min: i64, nullable: bool) -> u64 {
    (value.wrapping_sub(min) as u64).wrapping_add(u64::from(nullable))
}

fn stored_width(largest_code: u64) -> u32 {
    match u64::BITS.wrapping_sub(largest_code.leading_zeros()) {
        width if width <= packed::WIDEST => width,
        _ => u64::BITS,
    }
}

/// How the codes of a column lie.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Planes {
        width: u32,
    },
    Bytes,
    Packed {
        width: u32,
    },
    /// Of so many low bits.
    Halved {
        low: u32,
    },
}

impl Layout {
    fn new(width: u32, wide: Wide) -> Self {
        match wide {
            _ if width <= planes::WIDEST => Self::Planes { width },
            _ if width <= WIDEST_BYTE => Self::Bytes,
            Wide::Packed => Self::Packed { width },
            Wide::Halved => Self::Halved { low: width.saturating_sub(HIGH) },
        }
    }

    /// The bytes of a column of `rows`, unless the machine cannot address as many bits.
    fn size(self, rows: usize) -> Option<usize> {
        let codes = match self {
            Self::Planes { width } => planes::size(rows, width)?,
            Self::Bytes => rows,
            Self::Packed { width } => packed::size(rows, width)?,
            Self::Halved { low } => packed::size(rows, low)?.checked_add(rows.checked_mul(2)?)?,
        };
        codes.checked_add(HEADER)
    }
}

/// The codes of a column.
#[derive(Clone, Copy, Debug)]
enum Codes<'a> {
    Planes(Planes<'a>),
    Bytes(&'a [u8]),
    Packed(Packed<'a>),
    /// High and low bits.
    Halved(&'a [[u8; 2]], Packed<'a>),
}

impl<'a> Codes<'a> {
    fn new(bytes: &'a [u8], layout: Layout, rows: usize) -> Self {
        match layout {
            Layout::Planes { width } => Self::Planes(Planes::new(bytes, width as usize)),
            Layout::Bytes => Self::Bytes(bytes),
            Layout::Packed { width } => Self::Packed(Packed::new(bytes, width)),
            Layout::Halved { low } => {
                let (high, rest) = bytes.split_at_checked(rows.wrapping_mul(2)).unwrap_or_default();
                Self::Halved(high.as_chunks::<2>().0, Packed::new(rest, low))
            }
        }
    }

    /// The code of a row; some code, or 0, beyond the last.
    #[inline(always)]
    fn get(&self, row: usize) -> u64 {
        match self {
            Self::Planes(planes) => planes.code(row),
            Self::Bytes(bytes) => bytes.get(row).copied().unwrap_or(0).into(),
            Self::Packed(packed) => packed.code(row),
            Self::Halved(high, low) => {
                let high = high.get(row).map_or(0, |high| u16::from_le_bytes(*high));
                u64::from(high).unbounded_shl(low.width()) | low.code(row)
            }
        }
    }

    /// Which of the 64 rows from 64 × `index` on have a code of a range; none where that is as well decided row by row.
    #[inline]
    fn between(&self, index: usize, range: &RangeInclusive<u64>) -> Option<u64> {
        match self {
            Self::Planes(_) => None,
            Self::Bytes(bytes) => {
                let (first, last) = (*range.start() as u16, *range.end() as u16);
                lanes::within(bytes, index, first, last.wrapping_sub(first))
            }
            Self::Packed(packed) => packed.between(index, range),
            Self::Halved(high, low) => {
                let first = range.start().unbounded_shr(low.width()) as u16;
                let further = (range.end().unbounded_shr(low.width()) as u16).wrapping_sub(first);
                let touched = lanes::within(high, index, first, further)?;
                let last = first.wrapping_add(further);
                if low.width() == 0 || touched == 0 || !lanes::is_either(high, index, first, last) {
                    return Some(touched);
                }
                // Only of the codes with the high bits of the first or of the last the low ones need to be looked at.
                let inner = further
                    .checked_sub(2)
                    .and_then(|inner| lanes::within(high, index, first.wrapping_add(1), inner))
                    .unwrap_or(0);
                let (mut found, mut edges) = (inner, touched & !inner);
                while edges != 0 {
                    let row = edges.trailing_zeros();
                    let code = self.get(index.wrapping_mul(64).wrapping_add(row as usize));
                    found |= u64::from(range.contains(&code)) << row;
                    edges &= edges.wrapping_sub(1);
                }
                Some(found)
            }
        }
    }
}

/// A column read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    codes: Codes<'a>,
    rows: usize,
    /// The largest code that the width has room for.
    largest: u64,
    /// The value of code 0, or what would be, where 0 means missing.
    base: i64,
    nullable: bool,
    /// Where set, rows have their values in runs, and these are the rows where one begins.
    runs: Option<Bits<'a>>,
}

impl<'a> Column<'a> {
    /// The column of `rows` rows that `bytes` are, all of them.
    ///
    /// # Errors
    /// Where the header makes no sense, or the length is not what it asks for. The codes are not looked at.
    pub(crate) fn open(bytes: &'a [u8], rows: usize) -> Result<Self, Corruption> {
        let Some((min, rest)) = bytes.split_first_chunk::<8>() else {
            return Err(Corruption::new(0, "a column is shorter than its header"));
        };
        let min = i64::from_le_bytes(*min);
        let (width, nullable, halved, codes) = match rest {
            [width, nullable @ (0 | 1), halved @ (0 | 1), 0, 0, 0, 0, 0, codes @ ..] => {
                (u32::from(*width), *nullable == 1, *halved == 1, codes)
            }
            _ => return Err(Corruption::new(8, "a column's header is not one")),
        };
        if min == MISSING {
            return Err(Corruption::new(0, "a column's smallest value is the mark for missing"));
        }
        if width > packed::WIDEST && width != u64::BITS {
            return Err(Corruption::new(8, format!("a column's codes cannot have {width} bits")));
        }
        let layout = Layout::new(width, if halved { Wide::Halved } else { Wide::Packed });
        if halved && !matches!(layout, Layout::Halved { .. }) {
            return Err(Corruption::new(10, format!("a column's codes of {width} bits are not halved")));
        }
        if layout.size(rows) != Some(bytes.len()) {
            let reason = format!("{} bytes cannot be a column of {rows} rows of {width} bits", bytes.len());
            return Err(Corruption::new(0, reason));
        }
        let (codes, largest) = (Codes::new(codes, layout, rows), packed::largest(width));
        let base = min.wrapping_sub(i64::from(nullable));
        Ok(Self { codes, rows, largest, base, nullable, runs: None })
    }

    /// A column of `rows` rows whose runs begin at `runs` and have these values.
    pub(super) fn of_runs(self, runs: Bits<'a>, rows: usize) -> Self {
        Self { rows, runs: Some(runs), ..self }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The value of `row`; [`MISSING`] where it has none, and beyond the last row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> i64 {
        if row < self.rows { self.value_of(self.code(row)) } else { MISSING }
    }

    /// The code of `row`: in the order of the values, small where the column's span is. 0 beyond the last row.
    #[inline]
    pub(crate) fn code(&self, row: usize) -> u64 {
        let at = match &self.runs {
            None => row,
            // Beyond the last row is beyond the last run, or within it.
            Some(runs) => runs.rank((row as u32).saturating_add(1)).saturating_sub(1) as usize,
        };
        self.codes.get(at)
    }

    /// The planes of the rows' codes; none where these are too wide, or lie in runs.
    pub(crate) fn planes(&self) -> Option<Planes<'a>> {
        match self.codes {
            Codes::Planes(planes) if self.runs.is_none() => Some(planes),
            _ => None,
        }
    }

    /// The rows' codes, where each has a byte.
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        match self.codes {
            Codes::Bytes(bytes) if self.runs.is_none() => Some(bytes),
            _ => None,
        }
    }

    /// Whether 64 rows are compared at a time.
    pub(crate) fn has_lanes(&self) -> bool {
        self.runs.is_none() && matches!(self.codes, Codes::Bytes(_) | Codes::Halved(..))
    }

    /// Which of the 64 rows from 64 × `index` on have a code of a range that [`codes`](Self::codes) gave. What it says of rows beyond
    /// the last is without meaning.
    #[inline]
    pub(crate) fn between(&self, index: usize, codes: &RangeInclusive<u64>) -> u64 {
        let found = if self.runs.is_none() { self.codes.between(index, codes) } else { None };
        found.unwrap_or_else(|| {
            let first = index.wrapping_mul(64);
            (0..64usize).fold(0, |word, row| {
                word | u64::from(codes.contains(&self.code(first.wrapping_add(row)))) << row
            })
        })
    }

    /// The value that `code` stands for.
    #[inline]
    pub(crate) fn value_of(&self, code: u64) -> i64 {
        if self.nullable && code == 0 { MISSING } else { self.base.wrapping_add(code as i64) }
    }

    /// Between which values all values lie, as far as the width of their codes tells.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        (self.value_of(u64::from(self.nullable)), self.value_of(self.largest))
    }

    /// The codes of the values from `least` to `most`, both included; none where the column can hold none of them.
    pub(crate) fn codes(&self, least: i64, most: i64) -> Option<RangeInclusive<u64>> {
        let code = |value: i64| i128::from(value).saturating_sub(i128::from(self.base));
        let low = code(least).max(i128::from(self.nullable));
        let high = code(most).min(i128::from(self.largest));
        Some(u64::try_from(low).ok()?..=u64::try_from(high).ok()?).filter(|codes| !codes.is_empty())
    }

    /// The code of a value; none where the column cannot hold it.
    pub(crate) fn code_of(&self, value: i64) -> Option<u64> {
        self.codes(value, value).map(|codes| *codes.start())
    }

    /// The largest code that the width has room for.
    pub(crate) fn largest_code(&self) -> u64 {
        self.largest
    }

    /// Whether rows are missing: their code is 0.
    pub(crate) fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// Appends the values of the rows of `range`, as far as there are any.
    pub(crate) fn decode(&self, range: Range<usize>, values: &mut Vec<i64>) {
        let range = range.start..range.end.min(self.rows);
        values.reserve(range.len());
        match (self.codes, &self.runs) {
            (Codes::Packed(packed), None) => packed.for_each(range, |code| values.push(self.value_of(code))),
            (Codes::Planes(planes), None) => planes.for_each(range, |code| values.push(self.value_of(code))),
            _ => values.extend(range.map(|row| self.value_of(self.code(row)))),
        }
    }

    /// Calls `each` with rows, which may lie apart, and their values.
    pub(crate) fn gather(&self, rows: impl Iterator<Item = u32>, mut each: impl FnMut(u32, i64)) {
        match (self.codes, &self.runs) {
            (Codes::Packed(packed), None) => rows.for_each(|row| {
                let code = packed.code(row as usize);
                each(row, if (row as usize) < self.rows { self.value_of(code) } else { MISSING });
            }),
            _ => rows.for_each(|row| each(row, self.get(row as usize))),
        }
    }

    /// The first row of `range` whose value is not below `value`, or the range's end. The values ascend in `range`.
    pub(crate) fn lower_bound(&self, range: Range<usize>, value: i64) -> usize {
        let Range { start: mut low, end: mut high } = range;
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle) < value {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    /// Reads everything.
    ///
    /// # Errors
    /// Where the bytes are not the ones that [`encode`] gives for the values they hold.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        let first = u64::from(self.nullable);
        let (mut least, mut largest, mut missing) = (u64::MAX, 0, false);
        for row in 0..self.rows {
            let code = self.code(row);
            if code < first {
                missing = true;
            } else {
                least = least.min(code);
            }
            largest = largest.max(code);
        }
        let header = |reason: &str| Err(Corruption::new(0, reason));
        if missing != self.nullable {
            return header("a column without a missing row makes room for one");
        }
        if least != first && !(least == u64::MAX && self.value_of(first) == 0) {
            return header("no row has a column's smallest value");
        }
        if packed::largest(stored_width(largest)) != self.largest {
            return header("a column's codes are wider than they need");
        }
        if i128::from(self.base).wrapping_add(i128::from(largest)) > i128::from(i64::MAX) {
            return header("a column's largest value is beyond 64 bits");
        }
        match self.codes {
            Codes::Planes(planes) => {
                let behind = self.rows..self.rows.next_multiple_of(64);
                behind.into_iter().find(|row| planes.code(*row) != 0).map_or(Ok(()), |row| {
                    let reason = format!("there is a code for row {row}, behind the last");
                    Err(Corruption::new(HEADER, reason))
                })
            }
            Codes::Bytes(_) => Ok(()),
            Codes::Packed(packed) => packed.check(self.rows, HEADER),
            Codes::Halved(high, low) => {
                low.check(self.rows, high.len().saturating_mul(2).saturating_add(HEADER))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<i64>> {
        let edges =
            prop_oneof![Just(MISSING), Just(i64::MAX), Just(i64::MIN + 1), Just(0), Just(-1), any::<i64>(),];
        let narrow = (any::<i64>(), 0_u32..=64).prop_flat_map(|(base, width)| {
            let span = u64::MAX.checked_shr(64 - width).unwrap_or(0);
            let value = prop_oneof![Just(0), Just(span), 0..=span];
            prop::collection::vec(
                prop_oneof![
                    9 => value.prop_map(move |code| base.saturating_add_unsigned(code)),
                    1 => Just(MISSING),
                ],
                0..200,
            )
        });
        prop_oneof![
            prop::collection::vec(edges, 0..50),
            narrow,
            (any::<i64>(), 0_usize..100).prop_map(|(value, rows)| vec![value; rows]),
        ]
    }

    fn agrees(values: &[i64]) {
        [Wide::Packed, Wide::Halved].into_iter().for_each(|wide| agrees_where(values, wide));
    }

    fn agrees_where(values: &[i64], wide: Wide) {
        let bytes = encode_as(values, wide);
        let column = Column::open(&bytes, values.len()).unwrap();
        column.check().unwrap();
        assert_eq!(column.rows(), values.len());
        for (row, &value) in values.iter().enumerate() {
            assert_eq!(column.get(row), value);
            assert_eq!(column.value_of(column.code(row)), value);
            if value != MISSING {
                assert!(column.codes(value, value).is_some_and(|codes| codes.contains(&column.code(row))));
                assert!(column.codes(i64::MIN, value).is_some_and(|codes| codes.contains(&column.code(row))));
            }
            for (least, most) in [(MISSING, MISSING), (value.saturating_add(1), i64::MAX)] {
                assert!(
                    column.codes(least, most).is_none_or(|codes| !codes.contains(&column.code(row)))
                        || value == i64::MAX
                );
            }
        }
        assert_eq!(column.get(values.len()), MISSING);
        assert_eq!(column.get(usize::MAX), MISSING);
    }

    #[test]
    fn the_layout_is_pinned() {
        let bytes = encode_as(&[7, MISSING, 9], Wide::Packed);
        let mut expected = 7_i64.to_le_bytes().to_vec();
        expected.extend([2, 1, 0, 0, 0, 0, 0, 0, 0b101, 0, 0, 0, 0, 0, 0, 0, 0b100, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes, expected);
        let bytes = encode_as(&[7, MISSING, 107], Wide::Halved);
        let mut expected = 7_i64.to_le_bytes().to_vec();
        expected.extend([7, 1, 0, 0, 0, 0, 0, 0, 1, 0, 101]);
        assert_eq!(bytes, expected);
        let bytes = encode_as(&[7, MISSING, 600], Wide::Packed);
        let mut expected = 7_i64.to_le_bytes().to_vec();
        expected.extend([10, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0x20, 0x25, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes, expected);
        let bytes = encode_as(&[7, 0x0005_4321], Wide::Halved);
        let mut expected = 7_i64.to_le_bytes().to_vec();
        expected.extend([19, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x63, 0xA8, 0b01_0000, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn every_width_and_the_whole_span_survive() {
        for width in 0..=64 {
            let span = u64::MAX.checked_shr(64 - width).unwrap_or(0);
            for base in [0, -5, i64::MIN + 1] {
                let top = base.saturating_add_unsigned(span);
                agrees(&[base, top, base, base, top, top, base, top, base, base, top]);
                agrees(&[base, top, MISSING, base, MISSING]);
            }
        }
        agrees(&[i64::MIN + 1, i64::MAX]);
        agrees(&[i64::MIN + 1, MISSING, i64::MAX, 0]);
    }

    #[test]
    fn constant_and_missing_columns_cost_a_header() {
        for value in [0, 42, i64::MAX, MISSING] {
            let values = vec![value; 1000];
            agrees(&values);
            assert_eq!(encode_as(&values, Wide::Halved).len(), HEADER);
        }
        agrees(&[]);
    }

    proptest! {
        #[test]
        fn columns_round_trip(values in values(), start in 0_usize..250, end in 0_usize..250) {
            agrees(&values);
            let expected: Vec<i64> = values.iter().copied().take(end).skip(start).collect();
            for wide in [Wide::Packed, Wide::Halved] {
                let bytes = encode_as(&values, wide);
                let column = Column::open(&bytes, values.len()).unwrap();
                let mut decoded = vec![5];
                column.decode(start..end, &mut decoded);
                prop_assert_eq!(decoded.split_first(), Some((&5, expected.as_slice())));
            }
        }

        #[test]
        fn ranges_are_found_in_codes_of_every_width(
            width in 1u32..=57, seeds in prop::collection::vec(any::<u64>(), 0..200), a: u64, b: u64, halved: bool,
        ) {
            let limit = 1u64 << width;
            // The first and the last make the codes as wide as that; some lie close to one another, with the same high bits.
            let code = |seed: &u64| if seed.is_multiple_of(2) { (b % limit) ^ (seed % 16 % limit) } else { seed % limit };
            let values: Vec<i64> = [0, limit - 1].into_iter().chain(seeds.iter().map(code)).map(|code| code as i64).collect();
            let bytes = encode_as(&values, if halved { Wide::Halved } else { Wide::Packed });
            let column = Column::open(&bytes, values.len()).unwrap();
            let near = |seed: u64| if seed.is_multiple_of(3) { values[seed as usize % values.len()] as u64 } else { seed % limit };
            let range = near(a).min(near(b))..=near(a).max(near(b));
            for (row, value) in values.iter().enumerate() {
                let found = column.between(row / 64, &range) >> (row % 64) & 1 == 1;
                prop_assert_eq!(found, range.contains(&(*value as u64)), "row {}", row);
            }
        }

        #[test]
        fn lower_bound_finds_the_first_not_below(mut values in values(), value in any::<i64>(), at in any::<usize>()) {
            values.sort_unstable();
            let value = if values.is_empty() { value } else { values[at % values.len()] };
            let bytes = encode_as(&values, Wide::Halved);
            let column = Column::open(&bytes, values.len()).unwrap();
            let start = values.len() / 3;
            for value in [value, value.saturating_add(1)] {
                let expected = values.partition_point(|other| *other < value);
                prop_assert_eq!(column.lower_bound(0..values.len(), value), expected);
                prop_assert_eq!(column.lower_bound(start..values.len(), value), expected.max(start));
            }
        }

        /// Whatever passes the check is what the encoder writes; whatever does not is read without a panic.
        #[test]
        fn damage_is_found(values in values(), halved: bool, at in any::<prop::sample::Index>(), flip in 1_u8.., rows in 0_usize..4) {
            let wide = if halved { Wide::Halved } else { Wide::Packed };
            let mut bytes = encode_as(&values, wide);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let rows = values.len() + rows;
            if let Ok(column) = Column::open(&bytes, rows) {
                let mut decoded = Vec::new();
                column.decode(0..rows, &mut decoded);
                prop_assert!(column.check().is_err() || [Wide::Packed, Wide::Halved].iter().any(|wide| encode_as(&decoded, *wide) == bytes));
            }
        }

        #[test]
        fn any_bytes_open_or_fail(bytes in prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..64), rows in any::<usize>()) {
            for rows in [rows, rows % 64, 0] {
                if let Ok(column) = Column::open(&bytes, rows) {
                    for row in [0, 1, rows / 2, rows.wrapping_sub(1), rows, usize::MAX] { column.get(row); }
                    column.lower_bound(0..rows, 5);
                    // Columns of no width have as many rows as one likes.
                    if rows <= 64 { drop(column.check()); }
                }
            }
        }
    }
}
