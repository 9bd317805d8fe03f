//! Which rows have which value of a dimension: a set of rows per value id.
//!
//! ```text
//! rows u32 · values u32 · bytes of bitmaps u64
//! per value, ascending: value u32 · how many rows u32 · where they are u64, the top bit set for a bitmap
//! bitmaps: portable roaring, in the order of their values
//! lists: rows in 1 to 4 bytes each, in the order of their values                                3 zero bytes
//! ```
//!
//! A value's rows are a list, which is read sooner, unless a bitmap takes less than three quarters of its bytes. Most values
//! have few rows, and a bitmap of a few rows is mostly header; a value that is everywhere, or in runs, is a bitmap. Where
//! rows are is said from the start of the bitmaps or the lists. Nothing is aligned: the containers in a bitmap are not either.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use roaring::RoaringBitmap;

use super::bitmap::{self, Bitmap};
use super::row_set::{RowList, RowSet, row_width};
use crate::counting;
use crate::error::Corruption;

const HEADER: usize = 16;
const ENTRY: usize = 16;
const IS_BITMAP: u64 = 1 << 63;

/// Collects which rows have which value.
#[derive(Debug)]
pub(crate) struct SetsBuilder {
    rows: u32,
    /// Values, and rows that have them.
    pairs: Vec<(u32, u32)>,
}

impl SetsBuilder {
    /// Sets of a segment of `rows` rows.
    pub(crate) fn new(rows: u32) -> Self {
        Self { rows, pairs: Vec::new() }
    }

    /// Adds `row` to the rows of `value`, best in ascending order. A row beyond the last one is left out.
    #[inline]
    pub(crate) fn push(&mut self, value: u32, row: u32) {
        if row < self.rows {
            self.pairs.push((value, row));
        }
    }

    /// The sets as bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        let width = row_width(self.rows);
        let pairs = counting::sort(self.pairs, |(value, _)| u64::from(*value));
        let (mut directory, mut bitmaps, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        let (mut values, mut rows) = (0_u32, Vec::new());
        for pairs in pairs.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((value, _)) = pairs.first() else { continue };
            values = values.saturating_add(1);
            rows.clear();
            rows.extend(pairs.iter().map(|(_, row)| *row));
            if !rows.is_sorted_by(|a, b| a < b) {
                rows.sort_unstable();
                rows.dedup();
            }
            directory.extend(value.to_le_bytes());
            directory.extend((rows.len() as u32).to_le_bytes());
            let list_size = rows.len().saturating_mul(width);
            let smaller = bitmap_size(&rows).saturating_mul(4) < list_size.saturating_mul(3);
            let set = if smaller { RoaringBitmap::from_sorted_iter(rows.iter().copied()).ok() } else { None };
            let place = if let Some(mut set) = set {
                let start = bitmaps.len() as u64;
                set.optimize();
                bitmap::encode(&set, &mut bitmaps);
                start | IS_BITMAP
            } else {
                let start = lists.len() as u64;
                lists.extend(rows.iter().flat_map(|row| row.to_le_bytes().into_iter().take(width)));
                start
            };
            directory.extend(place.to_le_bytes());
        }
        let mut bytes = Vec::new();
        bytes.extend(self.rows.to_le_bytes());
        bytes.extend(values.to_le_bytes());
        bytes.extend((bitmaps.len() as u64).to_le_bytes());
        bytes.extend(directory);
        bytes.extend(bitmaps);
        bytes.extend(lists);
        bytes.extend([0; RowList::PADDING]);
        bytes
    }
}

/// About how many bytes ascending rows take as a bitmap: a few bytes a container more or less do not matter.
fn bitmap_size(rows: &[u32]) -> usize {
    let container = |rows: &[u32]| {
        let breaks = rows.iter().zip(rows.iter().skip(1)).filter(|(a, b)| a.wrapping_add(1) != **b).count();
        let runs = breaks.wrapping_add(1);
        8_usize.saturating_add(rows.len().saturating_mul(2).min(runs.saturating_mul(4)).min(8192))
    };
    rows.chunk_by(|a, b| a >> 16 == b >> 16).map(container).sum()
}

/// Sets read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sets<'a> {
    rows: u32,
    directory: &'a [[u8; ENTRY]],
    bitmaps: &'a [u8],
    lists: &'a [u8],
}

/// The sets of some values, found but not read.
#[derive(Clone, Debug)]
pub(crate) struct SetsOf<'a> {
    sets: Sets<'a>,
    entries: Vec<(usize, Entry)>,
}

impl<'a> SetsOf<'a> {
    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.entries.iter().map(|(_, entry)| u64::from(entry.count)).sum()
    }

    /// The rows of each value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<RowSet<'a>, Corruption>> + '_ {
        self.entries.iter().map(|(index, entry)| self.sets.read(*index, *entry))
    }
}

/// What the directory says of a value.
#[derive(Clone, Copy, Debug)]
struct Entry {
    value: u32,
    count: u32,
    place: u64,
}

impl Entry {
    #[inline]
    fn read(bytes: &[u8; ENTRY]) -> Self {
        let number = u128::from_le_bytes(*bytes);
        Self { value: number as u32, count: (number >> 32) as u32, place: (number >> 64) as u64 }
    }

    fn is_bitmap(self) -> bool {
        self.place & IS_BITMAP != 0
    }

    fn start(self) -> usize {
        usize::try_from(self.place & !IS_BITMAP).unwrap_or(usize::MAX)
    }
}

impl<'a> Sets<'a> {
    /// The sets of `rows` rows that `bytes` are, all of them.
    ///
    /// # Errors
    /// Where the header makes no sense, or what it announces is not there. The sets are not looked at.
    pub(crate) fn open(bytes: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(Corruption::new(0, "sets of rows are shorter than their header"));
        };
        let Entry { value: own_rows, count: values, place: bitmap_bytes } = Entry::read(header);
        if own_rows != rows {
            return Err(Corruption::new(0, format!("sets of {own_rows} rows are in a segment of {rows}")));
        }
        let (directory, rest) = rest.as_chunks::<ENTRY>().0.split_at_checked(values as usize).map_or_else(
            || Err(Corruption::new(4, format!("a directory of {values} values is cut off"))),
            |(directory, _)| {
                Ok((directory, rest.get(directory.len().wrapping_mul(ENTRY)..).unwrap_or_default()))
            },
        )?;
        let parts = usize::try_from(bitmap_bytes).ok().and_then(|size| rest.split_at_checked(size));
        match parts {
            Some((bitmaps, lists)) if lists.len() >= RowList::PADDING => {
                Ok(Self { rows, directory, bitmaps, lists })
            }
            _ => Err(Corruption::new(8, format!("{bitmap_bytes} bytes of bitmaps are cut off"))),
        }
    }

    /// The values that have rows, ascending, and the rows.
    pub(crate) fn iter(self) -> impl Iterator<Item = Result<(u32, RowSet<'a>), Corruption>> + 'a {
        let entries = self.directory.iter().map(Entry::read).enumerate();
        entries.map(move |(index, entry)| Ok((entry.value, self.read(index, entry)?)))
    }

    /// The sets of those of `values`, which ascend, that have rows.
    pub(crate) fn of(self, values: &[u32]) -> SetsOf<'a> {
        let mut entries = Vec::with_capacity(values.len());
        entries.extend(self.entries(values));
        SetsOf { sets: self, entries }
    }

    /// What the directory says of `values`, which ascend and mostly follow one another. As its own ascend too, one stands at
    /// most as many places before its number as there are values without rows.
    fn entries<'v>(self, values: &'v [u32]) -> impl Iterator<Item = (usize, Entry)> + use<'a, 'v> {
        let directory = self.directory;
        let most = directory.last().map_or(0, |last| Entry::read(last).value as usize);
        let without_rows = most.saturating_add(1).saturating_sub(directory.len());
        let mut at = 0_usize;
        values.iter().filter_map(move |value| {
            let entry = |at: usize| directory.get(at).map(Entry::read);
            if entry(at).is_some_and(|entry| entry.value < *value) {
                let end = (*value as usize).saturating_add(1).min(directory.len());
                at = (*value as usize).saturating_sub(without_rows).min(end);
                let near = directory.get(at..end).unwrap_or_default();
                at = at.saturating_add(near.partition_point(|bytes| Entry::read(bytes).value < *value));
            }
            let found = entry(at).filter(|entry| entry.value == *value).map(|entry| (at, entry));
            at = at.saturating_add(usize::from(found.is_some()));
            found
        })
    }

    fn read(&self, index: usize, entry: Entry) -> Result<RowSet<'a>, Corruption> {
        let set = if entry.is_bitmap() {
            let bytes = self.bitmaps.get(entry.start()..);
            bytes.and_then(|bytes| Bitmap::open(bytes).ok()).map(RowSet::Bitmap)
        } else {
            let bytes = self.lists.get(entry.start()..);
            let list =
                bytes.and_then(|bytes| RowList::open(bytes, entry.count as usize, row_width(self.rows)));
            list.map(RowSet::List)
        };
        set.ok_or_else(|| damaged(index, entry, "are not where they should be"))
    }

    /// Reads everything.
    ///
    /// # Errors
    /// Where values or rows are out of order, rows beyond the last one, or not as many as said, or anything lies
    /// elsewhere than where the last one ended.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        let (mut bitmaps, mut lists, mut least) = (0_usize, 0_usize, Some(0));
        for (index, entry) in self.directory.iter().map(Entry::read).enumerate() {
            let damaged = |what: &str| damaged(index, entry, what);
            if least.is_none_or(|least| entry.value < least) {
                return Err(damaged("are out of order"));
            }
            least = entry.value.checked_add(1);
            let start = if entry.is_bitmap() { &mut bitmaps } else { &mut lists };
            if entry.start() != *start {
                return Err(damaged("are not behind the ones before"));
            }
            let set = self.read(index, entry)?;
            let size =
                set.check(self.rows).map_err(|found| damaged(&format!("are damaged: {}", found.reason)))?;
            if entry.count == 0 || set.len() != u64::from(entry.count) {
                return Err(damaged("are not as many as they should"));
            }
            *start = start.saturating_add(size);
        }
        if bitmaps != self.bitmaps.len() {
            return Err(Corruption::new(8, "there are bytes behind the last bitmap"));
        }
        if self.lists.get(lists..) != Some(&[0; RowList::PADDING]) {
            return Err(Corruption::new(8, "there are bytes behind the last list of rows"));
        }
        Ok(())
    }
}

fn damaged(index: usize, entry: Entry, what: &str) -> Corruption {
    let at = index.wrapping_mul(ENTRY).wrapping_add(HEADER);
    Corruption::new(at, format!("the rows of value {} {what}", entry.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::row_mask::RowMask;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    type Model = BTreeMap<u32, BTreeSet<u32>>;

    fn encode(rows: u32, model: &Model) -> Vec<u8> {
        let mut builder = SetsBuilder::new(rows);
        for (value, set) in model {
            set.iter().for_each(|row| builder.push(*value, *row));
        }
        builder.finish()
    }

    /// Values with no rows, few, many and runs of them; segments on both sides of each width of a row.
    fn model() -> impl Strategy<Value = (u32, Model)> {
        let rows = prop_oneof![
            1_u32..5,
            250_u32..260,
            65_530_u32..65_540,
            16_777_210_u32..16_777_220,
            Just(20_000_000),
            Just(u32::MAX),
        ];
        rows.prop_flat_map(|rows| {
            let row = prop_oneof![0..rows, Just(rows - 1), 0..rows.min(500)];
            let few = prop::collection::btree_set(row, 1..12);
            let run = (0..rows, 1_u32..3000).prop_map(move |(start, length)| {
                (start..start.saturating_add(length).min(rows)).collect::<BTreeSet<_>>()
            });
            let spread = (0..rows, 1_u32..9, 1_u32..5000).prop_map(move |(start, step, length)| {
                (start..start.saturating_add(length).min(rows))
                    .step_by(step as usize)
                    .collect::<BTreeSet<_>>()
            });
            let value = prop_oneof![0_u32..20, any::<u32>(), Just(u32::MAX)];
            let sets = prop::collection::btree_map(value, prop_oneof![few, run, spread], 0..12);
            sets.prop_map(move |model| (rows, model))
        })
    }

    /// As many rows as the masks of a test can bear.
    const LIMIT: u32 = 20_000_000;

    fn rows_of(set: &RowSet<'_>, rows: u32) -> RowMask {
        let mut mask = RowMask::new(rows.min(LIMIT));
        set.insert_into(&mut mask);
        mask
    }

    fn mask_of(set: &BTreeSet<u32>, rows: u32) -> RowMask {
        let mut mask = RowMask::new(rows.min(LIMIT));
        set.iter().for_each(|row| mask.insert(*row));
        mask
    }

    #[test]
    fn the_layout_is_pinned() {
        let mut builder = SetsBuilder::new(300);
        for row in 0..100 {
            builder.push(9, row);
        }
        for row in [257, 1, 1, 300] {
            builder.push(4, row);
        }
        let mut bitmap = Vec::new();
        let mut set = RoaringBitmap::from_iter(0..100);
        set.optimize();
        bitmap::encode(&set, &mut bitmap);
        let mut expected = vec![44, 1, 0, 0, 2, 0, 0, 0, bitmap.len() as u8, 0, 0, 0, 0, 0, 0, 0];
        expected.extend([4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([9, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]);
        expected.extend(bitmap);
        expected.extend([1, 0, 1, 1, 0, 0, 0]);
        assert_eq!(builder.finish(), expected);
    }

    #[test]
    fn no_rows_and_no_values_are_fine() {
        let bytes = SetsBuilder::new(0).finish();
        let sets = Sets::open(&bytes, 0).unwrap();
        sets.check().unwrap();
        assert_eq!(sets.iter().count(), 0);
        assert!(sets.of(&[0]).iter().next().is_none());
        assert!(Sets::open(&bytes, 1).is_err());
    }

    proptest! {
        #[test]
        fn sets_are_what_was_pushed((rows, model) in model()) {
            let bytes = encode(rows, &model);
            let sets = Sets::open(&bytes, rows).unwrap();
            sets.check().unwrap();
            prop_assert_eq!(sets.iter().count(), model.len());
            for (item, (value, model)) in sets.iter().zip(&model) {
                let (found, set) = item.unwrap();
                prop_assert_eq!(found, *value);
                prop_assert_eq!(set.len(), model.len() as u64);
                prop_assert!(rows_of(&set, rows) == mask_of(model, rows));
                prop_assert!(set.check(*model.last().unwrap()).is_err());
            }
            let some: Vec<u32> = model.keys().copied().chain([3, 7, 8]).collect::<BTreeSet<_>>().into_iter().step_by(2).collect();
            let chosen = || some.iter().filter_map(|value| model.get(value));
            prop_assert_eq!(sets.of(&some).rows(), chosen().map(|set| set.len() as u64).sum::<u64>());
            for (set, model) in sets.of(&some).iter().zip(chosen()) {
                let set = set.unwrap();
                for range in [0..u32::MAX, rows / 3..rows / 2, 100..66_000, 7..7] {
                    let mut visited = Vec::new();
                    set.for_each(range.clone(), |row| visited.push(row));
                    prop_assert!(visited.iter().eq(model.range(range)));
                }
            }
            for value in (0..25).chain(model.keys().copied()) {
                let found = sets.of(&[value]).iter().next().map(|set| rows_of(&set.unwrap(), rows));
                prop_assert!(found == model.get(&value).map(|set| mask_of(set, rows)));
            }
        }

        /// What passes the check is in order, and differs from what was written; the rest is read without a panic.
        #[test]
        fn damage_is_found(
            (rows, model) in model(), at in any::<prop::sample::Index>(), head in 0_usize..80, flip in 1_u8.., in_head in any::<bool>(),
        ) {
            let mut bytes = encode(rows, &model);
            let at = if in_head { head % bytes.len() } else { at.index(bytes.len()) };
            bytes[at] ^= flip;
            let Ok(sets) = Sets::open(&bytes, rows) else { return Ok(()) };
            let sound = sets.check().is_ok();
            let mut read = Vec::new();
            for (value, set) in sets.iter().flatten() {
                let mask = rows_of(&set, rows);
                if sound && rows <= LIMIT { prop_assert_eq!(set.len(), mask.count(0..rows)); }
                read.push((value, mask));
            }
            if sound {
                prop_assert!(read.is_sorted_by(|a, b| a.0 < b.0));
                // Masks end at the limit, and so does what they can tell apart.
                let before: Vec<_> = model.iter().map(|(value, set)| (*value, mask_of(set, rows))).collect();
                prop_assert!(rows > LIMIT || read != before);
            }
        }

        #[test]
        fn any_bytes_open_or_fail(bytes in prop::collection::vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..120), rows in 0_u32..3) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_chunk_mut::<4>() { *first = rows.to_le_bytes(); }
            if let Ok(sets) = Sets::open(&bytes, rows) {
                drop(sets.check());
                for (_, set) in sets.iter().flatten() { rows_of(&set, rows); }
            }
        }
    }
}
