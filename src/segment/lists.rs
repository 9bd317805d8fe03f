//! A short list of numbers per row: the tags of an order.
//!
//! ```text
//! ┌──────┬──────────────┬─────────────┬────────┬──────────────────────┬────────────────┐
//! │ rows │ offset width │ value width │ 0      │ offsets              │ values         │
//! │ u32  │ u8           │ u8          │ 2 bytes│ one per row, the end │ of all rows    │
//! └──────┴──────────────┴─────────────┴────────┴──────────────────────┴────────────────┘
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use super::narrow::{self, Narrow};
use crate::Corruption;
use crate::cursor::Cursor;

/// Writes a list per row, each strictly ascending.
pub(crate) fn encode<L: AsRef<[u32]>>(rows: impl IntoIterator<Item = L>) -> Vec<u8> {
    let mut ends = Vec::new();
    let mut values = Vec::new();
    for list in rows {
        ends.push(values.len() as u128);
        values.extend(list.as_ref().iter().copied().map(u128::from));
    }
    let offset_width = narrow::width(values.len() as u128);
    let value_width = narrow::width(values.iter().copied().max().unwrap_or(0));
    let mut section = (ends.len() as u32).to_le_bytes().to_vec();
    section.extend([offset_width, value_width, 0, 0]);
    ends.push(values.len() as u128);
    ends.into_iter().for_each(|end| narrow::push(&mut section, end, offset_width));
    values.into_iter().for_each(|value| narrow::push(&mut section, value, value_width));
    section
}

/// Lists per row, read in place.
#[derive(Debug, Clone)]
pub(crate) struct Lists<'a> {
    rows: u32,
    offsets: Narrow<'a>,
    values: Narrow<'a>,
}

impl<'a> Lists<'a> {
    pub(crate) fn open(section: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let mut cursor = Cursor::new(section);
        let found = cursor.u32()?;
        if found != rows {
            return Err(Corruption::new(0, format!("it has {found} rows, the segment {rows}")));
        }
        let (offset_width, value_width) = (cursor.u8()?, cursor.u8()?);
        if cursor.u16()? != 0 || value_width > 4 {
            return Err(Corruption::new(4, "the widths are not those of lists"));
        }
        let last = rows as usize;
        let offsets = Narrow::take(&mut cursor, last.saturating_add(1), offset_width)?;
        let values = Narrow::take(&mut cursor, offsets.get(last)?, value_width)?;
        if !cursor.rest().is_empty() {
            return Err(cursor.corrupt("more bytes than the lists have"));
        }
        Ok(Self { rows, offsets, values })
    }

    /// The values of a row, ascending.
    pub(crate) fn get(&self, row: u32) -> Result<Vec<u32>, Corruption> {
        let at = row as usize;
        let start: usize = self.offsets.get(at)?;
        let end: usize = self.offsets.get(at.saturating_add(1))?;
        if start > end {
            return Err(self.offsets.corrupt(at, "the list ends before it begins"));
        }
        (start..end).map(|at| self.values.get(at)).collect()
    }

    /// Reads everything.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        if self.offsets.word(0)? != 0 {
            return Err(self.offsets.corrupt(0, "the first list does not begin at the first value"));
        }
        for row in 0..self.rows {
            if !self.get(row)?.is_sorted_by(|a, b| a < b) {
                return Err(self.offsets.corrupt(row as usize, "the list is not ascending"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Opens a section with the number of rows that it says itself.
    fn reopen(section: &[u8]) -> Result<Lists<'_>, Corruption> {
        Lists::open(section, section.first_chunk().map_or(0, |rows| u32::from_le_bytes(*rows)))
    }

    fn lists() -> impl Strategy<Value = Vec<Vec<u32>>> {
        let value = prop_oneof![4 => 0u32..300, 1 => any::<u32>(), 1 => Just(u32::MAX)];
        let list = prop::collection::btree_set(value, 0..5).prop_map(|set| set.into_iter().collect());
        prop::collection::vec(list, 0..30)
    }

    #[test]
    fn the_layout_is_pinned() {
        let bytes = [2, 0, 0, 0, 1, 2, 0, 0, 0, 2, 2, 7, 0, 0, 1];
        assert_eq!(encode([vec![7, 256], vec![]]), bytes);
        assert_eq!(reopen(&bytes).unwrap().get(0).unwrap(), [7, 256]);
    }

    proptest! {
        #[test]
        fn lists_come_back(rows in lists()) {
            let section = encode(&rows);
            let lists = reopen(&section).unwrap();
            lists.check().unwrap();
            for (row, list) in (0..).zip(&rows) {
                prop_assert_eq!(&lists.get(row).unwrap(), list);
            }
            prop_assert!(lists.get(rows.len() as u32).is_err() && lists.get(u32::MAX).is_err());
            for cut in 0..section.len() {
                prop_assert!(reopen(&section[..cut]).is_err());
            }
        }

        #[test]
        fn damaged_lists_are_found_or_harmless(rows in lists(), at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut section = encode(&rows);
            let at = at.index(section.len());
            section[at] ^= 1u8 << bit;
            if let Ok(lists) = reopen(&section) {
                // What passes is other values, in lists that are whole.
                let read: Result<Vec<_>, _> = (0..lists.rows).map(|row| lists.get(row)).collect();
                if lists.check().is_ok() {
                    prop_assert_eq!(reopen(&encode(read.unwrap())).unwrap().rows, lists.rows);
                }
            }
        }

        #[test]
        fn any_bytes_open_or_are_corrupt(rows in 0u32..6, bytes in prop::collection::vec(0u8..6, 0..60)) {
            let bytes = [&rows.to_le_bytes()[..], &bytes].concat();
            if let Ok(lists) = reopen(&bytes) {
                let _ = lists.check();
                let _ = (lists.get(0), lists.get(1), lists.get(u32::MAX));
            }
        }
    }
}
