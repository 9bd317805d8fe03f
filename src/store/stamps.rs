//! When each commit was known: a list that grows by one with every commit.
//!
//! ```text
//! file    ┌──────────────────┬────────┬────────┬─
//!         │ magic "zonaltim" │ record │ record │ …      one record a flush
//!         └──────────────────┴────────┴────────┴─
//! record  ┌───────────┬──────────────────────┬───────┐
//!         │ count u32 │ count × seconds, i64 │ crc32 │
//!         └───────────┴──────────────────────┴───────┘
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use crate::cursor::Cursor;
use crate::error::Corruption;
use crate::tree::Chunks;

const MAGIC: &[u8; 8] = b"zonaltim";

/// The stamps of all commits; those of the first commit come first. Stamps never go back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stamps {
    list: Chunks<i64>,
}

impl Stamps {
    pub(crate) fn push(&mut self, stamp: i64) {
        self.list.push(stamp);
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// When a commit was known; none for a commit that does not exist.
    pub(crate) fn get(&self, commit: u64) -> Option<i64> {
        let index = u32::try_from(commit.checked_sub(1)?).ok()?;
        self.list.get(index).copied()
    }

    pub(crate) fn last(&self) -> Option<i64> {
        self.get(self.list.len() as u64)
    }

    /// The last commit that was known by a time; 0 where none was.
    pub(crate) fn at(&self, time: i64) -> u64 {
        let (mut low, mut high) = (0, self.list.len() as u64);
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle.saturating_add(1)).is_some_and(|stamp| stamp <= time) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    /// The record of the commits after `from`; before the first one stands the magic.
    pub(crate) fn encode(&self, from: usize) -> Vec<u8> {
        let mut bytes = if from == 0 { MAGIC.to_vec() } else { Vec::new() };
        let start = bytes.len();
        let new: Vec<i64> = self.list.iter().skip(from).copied().collect();
        bytes.extend(u32::try_from(new.len()).unwrap_or(u32::MAX).to_le_bytes());
        new.iter().for_each(|stamp| bytes.extend(stamp.to_le_bytes()));
        bytes.extend(crc32fast::hash(bytes.get(start..).unwrap_or(&[])).to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Corruption> {
        let mut stamps = Self::default();
        if bytes.is_empty() {
            return Ok(stamps);
        }
        let mut cursor = Cursor::new(bytes);
        if cursor.take(MAGIC.len())? != MAGIC {
            return Err(Corruption::new(0, "it does not begin like a list of commits"));
        }
        while !cursor.rest().is_empty() {
            let record = cursor.clone();
            let count = cursor.u32()?;
            for _ in 0..count {
                stamps.push(cursor.u64()?.cast_signed());
            }
            let covered = cursor.offset().saturating_sub(record.offset());
            let computed = crc32fast::hash(record.rest().get(..covered).unwrap_or(&[]));
            if cursor.u32()? != computed && !cfg!(fuzzing) {
                return Err(record.corrupt("its checksum does not agree"));
            }
        }
        Ok(stamps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_come_back_record_by_record_and_are_found_by_time() {
        let mut stamps = Stamps::default();
        let mut bytes = Vec::new();
        for (from, stamp) in [10, 20, 20, 30].into_iter().enumerate() {
            stamps.push(stamp);
            bytes.extend(stamps.encode(from));
        }
        let read = Stamps::decode(&bytes).unwrap();
        assert_eq!((read.len(), read.get(1), read.get(5), read.get(0)), (4, Some(10), None, None));
        assert_eq!([9, 10, 19, 20, 29, 30, 99].map(|time| read.at(time)), [0, 1, 1, 3, 3, 4, 4]);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Stamps::decode(&flipped).is_err(), "byte {at}");
        }
    }
}
