//! Wide codes side by side, of which 64 are compared at a time.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::RangeInclusive;

/// Which of the 64 rows from 64 × `index` on have a code of a range; none where not all of them are there, or the width is not
/// one of those that are common.
pub(super) fn between(codes: &[u8], width: usize, index: usize, range: &RangeInclusive<u64>) -> Option<u64> {
    // A width that is known when this is compiled makes every shift a constant.
    macro_rules! of_width {
        ($($width:literal)*) => {
            match width {
                $($width => block::<$width>(codes, index, range),)*
                _ => None,
            }
        };
    }
    of_width!(9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

fn block<const WIDTH: usize>(codes: &[u8], index: usize, range: &RangeInclusive<u64>) -> Option<u64> {
    let (first, further) = (*range.start(), range.end().wrapping_sub(*range.start()));
    let start = index.checked_mul(WIDTH.wrapping_mul(8))?;
    let codes = codes.get(start..start.checked_add(WIDTH.wrapping_mul(8))?.checked_add(8)?)?;
    let mut word = 0;
    for eight in 0..8usize {
        let start = eight.wrapping_mul(WIDTH);
        let codes = codes.get(start..start.wrapping_add(WIDTH).wrapping_add(8))?;
        for row in 0..8usize {
            let bit = row.wrapping_mul(WIDTH);
            let bytes = codes.get(bit >> 3..)?.first_chunk::<8>()?;
            let code = (u64::from_le_bytes(*bytes) >> (bit & 7)) & !(u64::MAX.unbounded_shl(WIDTH as u32));
            let is_between = code.wrapping_sub(first) <= further;
            word |= u64::from(is_between) << eight.wrapping_mul(8).wrapping_add(row);
        }
    }
    Some(word)
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
            let near = |seed: u64| if seed.is_multiple_of(3) { values[seed as usize % values.len()] as u64 } else { seed % limit };
            let range = near(a).min(near(b))..=near(a).max(near(b));
            for (row, value) in values.iter().enumerate() {
                let found = column.between(row / 64, &range) >> (row % 64) & 1 == 1;
                prop_assert_eq!(found, range.contains(&(*value as u64)), "row {}", row);
            }
        }
    }
}
