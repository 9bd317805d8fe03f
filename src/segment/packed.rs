//! Wide codes side by side, each at the bit where the one before it ends, the lowest bit first; then eight zero bytes.
//!
//! A code of up to 57 bits lies, at any bit offset, within eight bytes, and the eight bytes at the end let every code be read with
//! one unaligned load.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::{Range, RangeInclusive};

use crate::error::Corruption;

/// The widest codes but for those of 64 bits, which lie at whole bytes.
pub(super) const WIDEST: u32 = 57;

const PADDING: usize = 8;

/// The bytes of so many codes, unless the machine cannot address as many bits.
pub(super) fn size(rows: usize, width: u32) -> Option<usize> {
    rows.checked_mul(width as usize)?.div_ceil(8).checked_add(PADDING)
}

/// Appends codes.
pub(super) fn encode(codes: impl Iterator<Item = u64>, width: u32, bytes: &mut Vec<u8>) {
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
}

/// What is done for one of the common widths, which is then known when this is compiled, so that every shift is a constant; or else.
macro_rules! of_width {
    (@ $of:expr, $name:ident => $done:expr, $other:expr, $($width:literal)*) => {
        match $of {
            $($width => { const $name: usize = $width; $done })*
            _ => $other,
        }
    };
    ($of:expr, $name:ident => $done:expr, $other:expr) => {
        of_width!(@ $of, $name => $done, $other, 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
    };
}

/// Packed codes read in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a> {
    bytes: &'a [u8],
    width: u32,
    mask: u64,
}

impl<'a> Packed<'a> {
    /// The codes of so many bits that `bytes` are.
    pub(super) fn new(bytes: &'a [u8], width: u32) -> Self {
        Self { bytes, width, mask: largest(width) }
    }

    /// How many bits a code has.
    #[inline]
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// The code of a row; some code, or 0, beyond the last.
    #[inline]
    pub(super) fn code(&self, row: usize) -> u64 {
        // No overflow for rows that exist: their bits have been counted. Others fall out of the bytes or read padding.
        let bit = row.wrapping_mul(self.width as usize);
        let word = self.bytes.get(bit >> 3..).and_then(<[u8]>::first_chunk::<PADDING>);
        word.map_or(0, |word| (u64::from_le_bytes(*word) >> (bit & 7)) & self.mask)
    }

    /// Which of the 64 rows from 64 × `index` on have a code of a range; none where not all of them are there, or the width is not
    /// one of those that are common.
    pub(super) fn between(&self, index: usize, range: &RangeInclusive<u64>) -> Option<u64> {
        of_width!(self.width, WIDTH => self.between_of::<WIDTH>(index, range), None)
    }

    fn between_of<const WIDTH: usize>(&self, index: usize, range: &RangeInclusive<u64>) -> Option<u64> {
        let (first, further) = (*range.start(), range.end().wrapping_sub(*range.start()));
        let mut word = 0;
        for eight in 0..8usize {
            let codes = self.eight::<WIDTH>(index.wrapping_mul(8).wrapping_add(eight))?;
            for (row, code) in codes.iter().enumerate() {
                let is_between = code.wrapping_sub(first) <= further;
                word |= u64::from(is_between) << eight.wrapping_mul(8).wrapping_add(row);
            }
        }
        Some(word)
    }

    /// Calls `each` with the codes of rows.
    #[inline]
    pub(super) fn for_each(&self, rows: Range<usize>, mut each: impl FnMut(u64)) {
        let mut rest = rows.clone();
        of_width!(self.width, WIDTH => {
            let aligned = rows.start.next_multiple_of(8).min(rows.end);
            (rows.start..aligned).for_each(|row| each(self.code(row)));
            let whole = (aligned >> 3..rows.end >> 3).map_while(|group| self.eight::<WIDTH>(group));
            rest.start = aligned;
            for codes in whole {
                codes.into_iter().for_each(&mut each);
                rest.start = rest.start.wrapping_add(8);
            }
        }, ());
        rest.for_each(|row| each(self.code(row)));
    }

    /// The codes of the 8 rows from 8 × `group` on; none where not all of them are there.
    #[inline]
    fn eight<const WIDTH: usize>(&self, group: usize) -> Option<[u64; 8]> {
        let start = group.checked_mul(WIDTH)?;
        let bytes = self.bytes.get(start..start.checked_add(WIDTH)?.checked_add(PADDING)?)?;
        let mut codes = [0; 8];
        for (row, code) in codes.iter_mut().enumerate() {
            let bit = row.wrapping_mul(WIDTH);
            let bytes = bytes.get(bit >> 3..)?.first_chunk::<PADDING>()?;
            *code = (u64::from_le_bytes(*bytes) >> (bit & 7)) & largest(WIDTH as u32);
        }
        Some(codes)
    }

    /// Reads what lies behind the codes of so many rows, which begin at a byte of a column.
    ///
    /// # Errors
    /// Where it is not zero.
    pub(super) fn check(&self, rows: usize, begin: usize) -> Result<(), Corruption> {
        let end = rows.wrapping_mul(self.width as usize);
        let mut tail = self.bytes.get(end >> 3..).unwrap_or_default().iter();
        let partial = if end & 7 == 0 { 0 } else { tail.next().map_or(0, |byte| byte >> (end & 7)) };
        if partial != 0 || tail.any(|byte| *byte != 0) {
            return Err(Corruption::new(begin.saturating_add(end >> 3), "a column's padding is not zero"));
        }
        Ok(())
    }
}

/// The largest code of so many bits.
#[inline]
pub(super) fn largest(width: u32) -> u64 {
    u64::MAX.checked_shr(u64::BITS.wrapping_sub(width)).unwrap_or(0)
}
