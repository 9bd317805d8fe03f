//! A column of integers in as few bits as its largest needs, with O(1) random access.
//!
//! ```text
//! min i64 · width u8 · nullable u8 · 6 zero bytes ·
//! width up to 8: codes as planes
//! else: codes, `width` bits each, lowest bit first · 8 zero bytes
//! ```
//!
//! A value's code is its distance from the smallest value; where rows are missing, 0 means missing and the codes
//! of values start at 1. A code of up to 57 bits lies, at any bit offset, within eight bytes, and the eight bytes
//! at the end let every code be read with one unaligned load: so widths of 58 to 63 are stored as 64, and nothing
//! else needs a special case.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::{Range, RangeInclusive};

use super::bits::Bits;
use super::packed;
use super::planes::{self, Planes};
use crate::error::Corruption;

/// What a column holds where a row has no value. It sorts before every value.
pub(crate) const MISSING: i64 = i64::MIN;

const HEADER: usize = 16;
const PADDING: usize = 8;
/// The widest code that one eight-byte load covers at any bit offset.
const WIDEST_PACKED: u32 = 57;

/// A column of `values`, [`MISSING`] where there is none.
pub(crate) fn encode(values: &[i64]) -> Vec<u8> {
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
    let mut bytes = Vec::with_capacity(size(values.len(), width).unwrap_or_default());
    bytes.extend_from_slice(&min.to_le_bytes());
    bytes.extend_from_slice(&[width as u8, u8::from(nullable), 0, 0, 0, 0, 0, 0]);

    let codes = values.iter().map(|value| if *value == MISSING { 0 } else { code(*value, min, nullable) });
    if width <= planes::WIDEST {
        planes::encode(codes, width, &mut bytes);
        return bytes;
    }
    // What of a code has no room in a word begins the next one.
    let (mut word, mut used) = (0_u64, 0_u32);
    for code in codes {
        word |= code.checked_shl(used).unwrap_or(0);
        used = used.wrapping_add(width);
        if used >= u64::BITS {
            bytes.extend_from_slice(&word.to_le_bytes());
            used = used.wrapping_sub(u64::BITS);
            word = code.checked_shr(width.wrapping_sub(used)).unwrap_or(0);
        }
    }
    let rest = used.div_ceil(8) as usize;
    bytes.extend(word.to_le_bytes().iter().take(rest));
    bytes.extend_from_slice(&[0; PADDING]);
    bytes
}

/// How far `value` is from a smaller or equal `min`, one more where 0 means missing. As `min` is never [`MISSING`],
/// this fits in 64 bits.
fn code(value: i64, min: i64, nullable: bool) -> u64 {
    (value.wrapping_sub(min) as u64).wrapping_add(u64::from(nullable))
}

fn stored_width(largest_code: u64) -> u32 {
    match u64::BITS.wrapping_sub(largest_code.leading_zeros()) {
        width if width <= WIDEST_PACKED => width,
        _ => u64::BITS,
    }
}

/// The bytes of a column of `rows`, unless the machine cannot address as many bits.
fn size(rows: usize, width: u32) -> Option<usize> {
    if width <= planes::WIDEST {
        return planes::size(rows, width)?.checked_add(HEADER);
    }
    rows.checked_mul(width as usize)?.div_ceil(8).checked_add(HEADER)?.checked_add(PADDING)
}

/// A column read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    codes: &'a [u8],
    rows: usize,
    width: usize,
    mask: u64,
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
        let (width, nullable, codes) = match rest {
            [width, nullable @ (0 | 1), 0, 0, 0, 0, 0, 0, codes @ ..] => {
                (u32::from(*width), *nullable == 1, codes)
            }
            _ => return Err(Corruption::new(8, "a column's header is not one")),
        };
        if min == MISSING {
            return Err(Corruption::new(0, "a column's smallest value is the mark for missing"));
        }
        if width > WIDEST_PACKED && width != u64::BITS {
            return Err(Corruption::new(8, format!("a column's codes cannot have {width} bits")));
        }
        if size(rows, width) != Some(bytes.len()) {
            let reason = format!("{} bytes cannot be a column of {rows} rows of {width} bits", bytes.len());
            return Err(Corruption::new(0, reason));
        }
        let mask = u64::MAX.checked_shr(u64::BITS.wrapping_sub(width)).unwrap_or(0);
        let base = min.wrapping_sub(i64::from(nullable));
        Ok(Self { codes, rows, width: width as usize, mask, base, nullable, runs: None })
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
        match self.narrow() {
            Some(planes) => planes.code(at),
            None => self.packed(at),
        }
    }

    /// The code at a position of packed ones.
    #[inline]
    fn packed(&self, at: usize) -> u64 {
        // No overflow for rows that exist: `open` has computed the end. Others fall out of the bytes or read padding.
        let bit = at.wrapping_mul(self.width);
        let word = self.codes.get(bit >> 3..).and_then(<[u8]>::first_chunk::<PADDING>);
        word.map_or(0, |word| (u64::from_le_bytes(*word) >> (bit & 7)) & self.mask)
    }

    /// The planes of the rows' codes; none where these are too wide, or lie in runs.
    pub(crate) fn planes(&self) -> Option<Planes<'a>> {
        self.narrow().filter(|_| self.runs.is_none())
    }

    /// Which of the 64 rows from 64 × `index` on have a code of a range. What it says of rows beyond the last is without meaning.
    #[inline]
    pub(crate) fn between(&self, index: usize, codes: &RangeInclusive<u64>) -> u64 {
        let packed = self.runs.is_none().then(|| packed::between(self.codes, self.width, index, codes));
        packed.flatten().unwrap_or_else(|| {
            let first = index.wrapping_mul(64);
            (0..64usize).fold(0, |word, row| {
                word | u64::from(codes.contains(&self.code(first.wrapping_add(row)))) << row
            })
        })
    }

    #[inline]
    fn narrow(&self) -> Option<Planes<'a>> {
        let narrow = self.width <= planes::WIDEST as usize;
        narrow.then(|| Planes::new(self.codes, self.width))
    }

    /// The value that `code` stands for.
    #[inline]
    pub(crate) fn value_of(&self, code: u64) -> i64 {
        if self.nullable && code == 0 { MISSING } else { self.base.wrapping_add(code as i64) }
    }

    /// Between which values all values lie, as far as the width of their codes tells.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        (self.value_of(u64::from(self.nullable)), self.value_of(self.mask))
    }

    /// The codes of the values from `least` to `most`, both included; none where the column can hold none of them.
    pub(crate) fn codes(&self, least: i64, most: i64) -> Option<RangeInclusive<u64>> {
        let code = |value: i64| i128::from(value).saturating_sub(i128::from(self.base));
        let low = code(least).max(i128::from(self.nullable));
        let high = code(most).min(i128::from(self.mask));
        Some(u64::try_from(low).ok()?..=u64::try_from(high).ok()?).filter(|codes| !codes.is_empty())
    }

    /// The largest code that the width has room for.
    pub(crate) fn largest_code(&self) -> u64 {
        self.mask
    }

    /// Whether rows are missing: their code is 0.
    pub(crate) fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// Appends the values of the rows of `range`, as far as there are any.
    pub(crate) fn decode(&self, range: Range<usize>, values: &mut Vec<i64>) {
        let range = range.start..range.end.min(self.rows);
        if self.narrow().is_some() || self.runs.is_some() {
            return values.extend(range.map(|row| self.value_of(self.code(row))));
        }
        // Each loop knows what it has not to look at.
        if self.nullable {
            values.extend(range.map(|row| match self.packed(row) {
                0 => MISSING,
                code => self.base.wrapping_add(code as i64),
            }));
        } else {
            values.extend(range.map(|row| self.base.wrapping_add(self.packed(row) as i64)));
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
        if stored_width(largest) as usize != self.width {
            return header("a column's codes are wider than they need");
        }
        if i128::from(self.base).wrapping_add(i128::from(largest)) > i128::from(i64::MAX) {
            return header("a column's largest value is beyond 64 bits");
        }
        if let Some(planes) = self.narrow() {
            let behind = self.rows..self.rows.next_multiple_of(64);
            return match behind.into_iter().find(|row| planes.code(*row) != 0) {
                Some(row) => {
                    Err(Corruption::new(HEADER, format!("there is a code for row {row}, behind the last")))
                }
                None => Ok(()),
            };
        }
        let end = self.rows.wrapping_mul(self.width);
        let mut tail = self.codes.get(end >> 3..).unwrap_or_default().iter();
        let partial = if end & 7 == 0 { 0 } else { tail.next().map_or(0, |byte| byte >> (end & 7)) };
        if partial != 0 || tail.any(|byte| *byte != 0) {
            return Err(Corruption::new(HEADER.wrapping_add(end >> 3), "a column's padding is not zero"));
        }
        Ok(())
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
        let bytes = encode(values);
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
        let bytes = encode(&[7, MISSING, 9]);
        let mut expected = 7_i64.to_le_bytes().to_vec();
        expected.extend([2, 1, 0, 0, 0, 0, 0, 0, 0b101, 0, 0, 0, 0, 0, 0, 0, 0b100, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes, expected);
        let bytes = encode(&[7, MISSING, 600]);
        let mut expected = 7_i64.to_le_bytes().to_vec();
        expected.extend([10, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0x20, 0x25, 0, 0, 0, 0, 0, 0, 0, 0]);
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
            assert_eq!(encode(&values).len(), HEADER);
        }
        agrees(&[]);
    }

    proptest! {
        #[test]
        fn columns_round_trip(values in values(), start in 0_usize..250, end in 0_usize..250) {
            agrees(&values);
            let bytes = encode(&values);
            let column = Column::open(&bytes, values.len()).unwrap();
            let expected: Vec<i64> = values.iter().copied().take(end).skip(start).collect();
            let mut decoded = vec![5];
            column.decode(start..end, &mut decoded);
            prop_assert_eq!(decoded.split_first(), Some((&5, expected.as_slice())));
        }

        #[test]
        fn lower_bound_finds_the_first_not_below(mut values in values(), value in any::<i64>(), at in any::<usize>()) {
            values.sort_unstable();
            let value = if values.is_empty() { value } else { values[at % values.len()] };
            let bytes = encode(&values);
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
        fn damage_is_found(values in values(), at in any::<prop::sample::Index>(), flip in 1_u8.., rows in 0_usize..4) {
            let mut bytes = encode(&values);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let rows = values.len() + rows;
            if let Ok(column) = Column::open(&bytes, rows) {
                let mut decoded = Vec::new();
                column.decode(0..rows, &mut decoded);
                prop_assert!(column.check().is_err() || encode(&decoded) == bytes);
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
