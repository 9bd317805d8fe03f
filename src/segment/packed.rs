//! Wide codes side by side, of which 64 are compared at a time.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::RangeInclusive;

/// Codes of one width, lowest bit first, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a> {
    codes: &'a [u8],
    width: usize,
}

impl<'a> Packed<'a> {
    /// The codes that `codes` are: each lies within eight bytes that are there.
    pub(super) fn new(codes: &'a [u8], width: usize) -> Self {
        Self { codes, width }
    }

    /// Which of the 64 rows from 64 × `index` on have a code of a range. What it says of rows beyond the last is without
    /// meaning.
    pub(crate) fn between(&self, index: usize, range: &RangeInclusive<u64>) -> u64 {
        // A width that is known when this is compiled makes every shift a constant.
        macro_rules! of_width {
            ($($width:literal)*) => {
                match self.width {
                    $($width => self.block::<$width>(index, range),)*
                    _ => None,
                }
            };
        }
        let whole = of_width!(9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
        whole.unwrap_or_else(|| {
            let first = index.wrapping_mul(64).wrapping_mul(self.width);
            (0..64usize).fold(0, |word, row| {
                let bit = first.wrapping_add(row.wrapping_mul(self.width));
                let bytes = self.codes.get(bit >> 3..).unwrap_or(&[]);
                word | u64::from(range.contains(&code(bytes, bit & 7, self.width))) << row
            })
        })
    }

    /// The same where all 64 rows are there.
    fn block<const WIDTH: usize>(&self, index: usize, range: &RangeInclusive<u64>) -> Option<u64> {
        let (first, further) = (*range.start(), range.end().wrapping_sub(*range.start()));
        let start = index.checked_mul(WIDTH.wrapping_mul(8))?;
        let bytes = self.codes.get(start..start.checked_add(WIDTH.wrapping_mul(8))?.checked_add(8)?)?;
        let mut word = 0;
        for eight in 0..8usize {
            let start = eight.wrapping_mul(WIDTH);
            let bytes = bytes.get(start..start.wrapping_add(WIDTH).wrapping_add(8))?;
            for row in 0..8usize {
                let bit = row.wrapping_mul(WIDTH);
                let code = code(bytes.get(bit >> 3..)?, bit & 7, WIDTH);
                let is_between = code.wrapping_sub(first) <= further;
                word |= u64::from(is_between) << eight.wrapping_mul(8).wrapping_add(row);
            }
        }
        Some(word)
    }
}

/// The code that begins with a bit of the first byte; 0 where eight bytes are not there.
#[inline(always)]
fn code(bytes: &[u8], bit: usize, width: usize) -> u64 {
    let word = bytes.first_chunk::<8>().map_or(0, |word| u64::from_le_bytes(*word));
    (word >> bit) & !(u64::MAX.unbounded_shl(width as u32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::segment::column::{Column, encode};

    proptest! {
        #[test]
        fn ranges_are_found_in_codes_of_every_width(
            width in 9u32..=57, seeds in prop::collection::vec(any::<u64>(), 1..200), a in any::<u64>(), b in any::<u64>(),
        ) {
            let limit = 1u64 << width;
            // The first and the last make the codes as wide as that.
            let values: Vec<i64> = [0, limit - 1].into_iter().chain(seeds.iter().map(|seed| seed % limit)).map(|code| code as i64).collect();
            let bytes = encode(&values);
            let column = Column::open(&bytes, values.len()).unwrap();
            let packed = column.packed_codes().unwrap();
            let near = |seed: u64| if seed.is_multiple_of(3) { values[seed as usize % values.len()] as u64 } else { seed % limit };
            let range = near(a).min(near(b))..=near(a).max(near(b));
            for (row, value) in values.iter().enumerate() {
                let found = packed.between(row / 64, &range) >> (row % 64) & 1 == 1;
                prop_assert_eq!(found, range.contains(&(*value as u64)), "row {}", row);
            }
        }
    }
}
