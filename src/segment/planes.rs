//! Narrow codes as planes: the same bit of 64 rows lies in one word, so that a condition is decided for 64 rows at once
//! (O'Neil and Quass, *Improved query performance with variant indexes*, 1997).
//!
//! ```text
//! for every 64 rows: one word per bit of the codes, the lowest bit first
//! ```
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

/// The widest codes that are kept as planes. To read the code of one row takes a step for each bit, and to decide a set as many as
/// there are codes.
pub(super) const WIDEST: u32 = 4;

/// The bytes of the codes of so many rows, unless the machine cannot address as many.
pub(super) fn size(rows: usize, width: u32) -> Option<usize> {
    rows.div_ceil(64).checked_mul(width as usize)?.checked_mul(size_of::<u64>())
}

/// The planes of codes.
pub(super) fn encode(codes: impl Iterator<Item = u64>, width: u32, bytes: &mut Vec<u8>) {
    let mut planes = [0u64; WIDEST as usize];
    let mut row = 0u32;
    let mut write = |planes: &mut [u64; WIDEST as usize]| {
        bytes.extend(planes.iter().take(width as usize).flat_map(|plane| plane.to_le_bytes()));
        planes.fill(0);
    };
    for code in codes {
        for (bit, plane) in planes.iter_mut().enumerate() {
            *plane |= ((code >> bit) & 1) << row;
        }
        row = row.wrapping_add(1) & 63;
        if row == 0 {
            write(&mut planes);
        }
    }
    if row > 0 {
        write(&mut planes);
    }
}

/// Planes read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes<'a> {
    words: &'a [[u8; 8]],
    width: usize,
}

impl<'a> Planes<'a> {
    /// The planes that `bytes` are.
    pub(super) fn new(bytes: &'a [u8], width: usize) -> Self {
        Self { words: bytes.as_chunks::<8>().0, width }
    }

    /// The planes of the rows from 64 × `index` on; none beyond the last.
    #[inline]
    fn of(&self, index: usize) -> &'a [[u8; 8]] {
        let first = index.wrapping_mul(self.width);
        self.words.get(first..first.wrapping_add(self.width)).unwrap_or(&[])
    }

    /// The code of a row; 0 beyond the last.
    #[inline]
    pub(crate) fn code(&self, row: usize) -> u64 {
        let bit = |plane: [u8; 8]| (u64::from_le_bytes(plane) >> (row & 63)) & 1;
        match *self.of(row >> 6) {
            [only] => bit(only),
            [low, high] => bit(low) | bit(high) << 1,
            [low, middle, high] => bit(low) | bit(middle) << 1 | bit(high) << 2,
            [lowest, low, middle, high] => bit(lowest) | bit(low) << 1 | bit(middle) << 2 | bit(high) << 3,
            _ => 0,
        }
    }

    /// Calls `each` with the codes of rows.
    #[inline]
    pub(super) fn for_each(&self, rows: Range<usize>, mut each: impl FnMut(u64)) {
        let mut start = rows.start;
        while start < rows.end {
            let end = (start | 63).saturating_add(1).min(rows.end);
            let mut words = [0; WIDEST as usize];
            for (word, plane) in words.iter_mut().zip(self.of(start >> 6)) {
                *word = u64::from_le_bytes(*plane);
            }
            for row in start..end {
                let bits = words.iter().rev();
                each(bits.fold(0, |code, word| code << 1 | (word >> (row & 63)) & 1));
            }
            start = end;
        }
    }

    /// How many codes the width has room for.
    pub(crate) fn codes(&self) -> u64 {
        1u64.unbounded_shl(self.width as u32)
    }

    /// Which of the 64 rows from 64 × `index` on have a code of a set. Rows beyond the last have the code 0.
    #[inline(always)]
    pub(crate) fn among(&self, index: usize, set: &CodeSet) -> u64 {
        let of_one = |words: [u64; 2], plane| choose::<2, 1>(words, plane)[0];
        let of_two = |words: [u64; 4], [low, high]: [[u8; 8]; 2]| of_one(choose(words, low), high);
        let of_three = |words: [u64; 8], [low, rest @ ..]: [[u8; 8]; 3]| of_two(choose(words, low), rest);
        let [zero, one, two, three, four, five, six, seven, ..] = set.0;
        match *self.of(index) {
            [] => zero,
            [plane] => of_one([zero, one], plane),
            [low, high] => of_two([zero, one, two, three], [low, high]),
            [low, middle, high] => {
                of_three([zero, one, two, three, four, five, six, seven], [low, middle, high])
            }
            [lowest, low, middle, high] => of_three(choose(set.0, lowest), [low, middle, high]),
            _ => 0,
        }
    }
}

/// A set of narrow codes: all ones for each that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeSet([u64; 1 << WIDEST]);

impl CodeSet {
    pub(crate) fn new(codes: impl Iterator<Item = u64>) -> Self {
        let mut set = [0; 1 << WIDEST];
        for code in codes {
            if let Some(leaf) = usize::try_from(code).ok().and_then(|code| set.get_mut(code)) {
                *leaf = u64::MAX;
            }
        }
        Self(set)
    }

    #[inline]
    pub(crate) fn contains(&self, code: u64) -> bool {
        usize::try_from(code).ok().and_then(|code| self.0.get(code)).is_some_and(|leaf| *leaf != 0)
    }

    /// How many codes it holds.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().filter(|leaf| **leaf != 0).count() as u64
    }
}

/// Of every two words, for each bit the one that a plane chooses: where it has the bit, the second.
#[inline]
fn choose<const N: usize, const HALF: usize>(words: [u64; N], plane: [u8; 8]) -> [u64; HALF] {
    let plane = u64::from_le_bytes(plane);
    let mut chosen = [0; HALF];
    for (chosen, [first, second]) in chosen.iter_mut().zip(words.as_chunks::<2>().0) {
        *chosen = first ^ (plane & (first ^ second));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_pinned() {
        let mut bytes = Vec::new();
        encode([1, 2, 3].into_iter().chain([0; 61]).chain([2]), 2, &mut bytes);
        let words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        assert_eq!(words, [0b101, 0b110, 0, 1]);
    }

    proptest! {
        #[test]
        fn codes_come_back_and_sets_are_found(
            (width, codes) in (0u32..=WIDEST).prop_flat_map(|width| (Just(width), prop::collection::vec(0u64..1 << width, 0..200))),
            asked in any::<u16>(), from in 0usize..150,
        ) {
            let mut bytes = Vec::new();
            encode(codes.iter().copied(), width, &mut bytes);
            prop_assert_eq!(Some(bytes.len()), size(codes.len(), width));
            let planes = Planes::new(&bytes, width as usize);
            let is_asked = |code: u64| asked >> code & 1 == 1;
            let set = CodeSet::new((0..1 << width).filter(|code| is_asked(*code)));
            let mut some = Vec::new();
            planes.for_each(from.min(codes.len())..codes.len(), |code| some.push(code));
            prop_assert_eq!(&some, &codes[from.min(codes.len())..]);
            for (row, code) in codes.iter().enumerate() {
                prop_assert_eq!(planes.code(row), *code);
                prop_assert_eq!(set.contains(*code), is_asked(*code));
                prop_assert_eq!(planes.among(row / 64, &set) >> (row % 64) & 1 == 1, is_asked(*code));
            }
        }
    }
}
