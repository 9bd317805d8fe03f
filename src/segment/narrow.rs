//! Numbers side by side, each in as few whole bytes as the greatest needs.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use crate::Corruption;
use crate::cursor::Cursor;

/// The bytes that hold numbers up to `max`: 1 to 16.
pub(super) fn width(max: u128) -> u8 {
    // At most 16.
    u128::BITS.saturating_sub(max.leading_zeros()).div_ceil(8).max(1) as u8
}

/// Appends a number in `width` bytes.
pub(super) fn push(to: &mut Vec<u8>, number: u128, width: u8) {
    to.extend(number.to_le_bytes().iter().take(usize::from(width)));
}

/// Numbers of one width, read in place.
#[derive(Debug, Clone)]
pub(super) struct Narrow<'a> {
    bytes: &'a [u8],
    width: usize,
    /// Where the first begins in its section.
    offset: usize,
}

impl<'a> Narrow<'a> {
    /// Takes the next `len` numbers of `width` bytes.
    pub(super) fn take(cursor: &mut Cursor<'a>, len: usize, width: u8) -> Result<Self, Corruption> {
        if !(1..=16).contains(&width) {
            return Err(cursor.corrupt(format!("numbers of {width} bytes, they have 1 to 16")));
        }
        let (width, offset) = (usize::from(width), cursor.offset());
        Ok(Self { bytes: cursor.take(len.saturating_mul(width))?, width, offset })
    }

    /// A number by its position.
    pub(super) fn word(&self, at: usize) -> Result<u128, Corruption> {
        let start = at.saturating_mul(self.width);
        let bytes = self.bytes.get(start..start.saturating_add(self.width));
        let bytes = bytes.ok_or_else(|| self.corrupt(at, "there is no such position"))?;
        let mut word = [0; 16];
        word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(u128::from_le_bytes(word))
    }

    /// A number that has to fit what it stands for: a row, a position, a value.
    pub(super) fn get<T: TryFrom<u128>>(&self, at: usize) -> Result<T, Corruption> {
        T::try_from(self.word(at)?).map_err(|_| self.corrupt(at, "the number is too great"))
    }

    /// Damage at a position.
    pub(super) fn corrupt(&self, at: usize, reason: &str) -> Corruption {
        Corruption::new(self.offset.saturating_add(at.saturating_mul(self.width)), reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn widths_are_as_small_as_they_can_be() {
        for (max, bytes) in [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 3), (u128::from(u64::MAX), 8)]
        {
            assert_eq!(width(max), bytes, "{max}");
        }
        assert_eq!((width(1 << 64), width(u128::MAX)), (9, 16));
    }

    proptest! {
        #[test]
        fn numbers_come_back(numbers in prop::collection::vec((any::<u128>(), 0u32..128), 0..20)) {
            let numbers: Vec<u128> = numbers.into_iter().map(|(number, shift)| number >> shift).collect();
            let width = width(numbers.iter().copied().max().unwrap_or(0));
            let mut bytes = Vec::new();
            numbers.iter().for_each(|number| push(&mut bytes, *number, width));
            let narrow = Narrow::take(&mut Cursor::new(&bytes), numbers.len(), width).unwrap();
            for (at, number) in numbers.iter().enumerate() {
                prop_assert_eq!(narrow.word(at).unwrap(), *number);
                prop_assert_eq!(narrow.get::<u32>(at).ok(), u32::try_from(*number).ok());
            }
            prop_assert!(narrow.word(numbers.len()).is_err() && narrow.word(usize::MAX).is_err());
        }
    }
}
