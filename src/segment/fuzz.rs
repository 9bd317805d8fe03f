//! Gives any bytes to the decoders of sections, for [`crate::fuzz`].

use roaring::RoaringBitmap;

use super::bitmap::Bitmap;
use super::bits::Bits;
use super::column::Column;
use super::directory::Directory;
use super::ids::Ids;
use super::lists::Lists;
use super::row_mask::RowMask;
use super::sets::Sets;
use super::text::Texts;
use crate::tree::Tree;

/// Where ranges begin and end.
const EDGES: [u32; 8] = [0, 1, 63, 100, 4096, 65_535, 65_536, 200_000];

/// A bitmap. One that passes its check holds what the roaring crate reads.
pub(crate) fn bitmap(bytes: &[u8]) {
    let Ok(bitmap) = Bitmap::open(bytes) else { return };
    let values: Vec<u32> = bitmap.iter().take(100_000).collect();
    let mut counts = Vec::new();
    bitmap.counts(EDGES, |count| counts.push(count));
    let mut mask = RowMask::new(200_000);
    bitmap.insert_into(&mut mask);
    bitmap.and_count(&bitmap);
    for pair in EDGES.windows(2) {
        let [start, end] = [pair[0], pair[1]];
        bitmap.count(start..end);
        bitmap.iter_range(start..end).take(100_000).for_each(drop);
        bitmap.contains(start);
    }
    if bitmap.check().is_err() {
        return;
    }
    let ranges = EDGES.windows(2).map(|pair| pair[0]..pair[1]);
    assert_eq!(counts, ranges.clone().map(|range| bitmap.count(range)).collect::<Vec<_>>());
    let read = bitmap.to_roaring().unwrap_or_else(|damage| panic!("{damage}"));
    assert_eq!(bitmap.len(), read.len());
    assert_eq!(bitmap.and_count(&bitmap), read.len());
    assert!(values.iter().copied().eq(read.iter().take(100_000)));
    for range in ranges {
        assert_eq!(bitmap.count(range.clone()), read.range_cardinality(range.clone()));
        assert_eq!(mask.count(range.clone()), read.range_cardinality(range.clone()));
        assert!(bitmap.iter_range(range.clone()).eq(read.range(range)));
    }
    let mut written = Vec::new();
    super::bitmap::encode(&read, &mut written);
    assert_eq!(RoaringBitmap::deserialize_from(&written[..]).ok(), Some(read));
}

/// A section of a segment of `rows` rows.
pub(crate) fn section(kind: u8, rows: u32, bytes: &[u8]) {
    let some = [0, 1, rows / 2, rows.saturating_sub(1), rows, u32::MAX];
    match kind {
        1 => drop(Directory::open(bytes).map(|directory| {
            let place = Tree::new("place", vec!["city".to_owned()]);
            let _ = directory.check(&place, rows);
            for row in some {
                directory.run_of(row);
                directory.rows(row as usize);
                directory.unit(&place, row as usize);
            }
        })),
        2 => drop(Column::open(bytes, rows as usize).map(|column| {
            let mut values = Vec::new();
            column.decode(0..usize::MAX, &mut values);
            assert_eq!(values.len(), rows as usize);
            for row in some {
                let value = column.get(row as usize);
                column.code_of(value);
                column.lower_bound(0..rows as usize, value);
            }
            // What passes is written as it was.
            if column.check().is_ok() {
                assert_eq!(super::column::encode(&values), bytes);
            }
        })),
        3 | 4 => drop(Sets::open(bytes, rows).map(|sets| {
            let sound = sets.check().is_ok();
            let mut mask = RowMask::new(rows);
            for (value, count) in sets.values().take(100) {
                let Ok(Some(set)) = sets.get(value) else { continue };
                let length = set.iter().take(100_000).count();
                set.counts([0, 1, rows / 2, rows], |_| ());
                some.iter().for_each(|row| _ = set.contains(*row));
                set.insert_into(&mut mask);
                set.count(0..rows);
                set.iter_range(rows / 2..rows).take(100_000).for_each(drop);
                assert!(!sound || length == count as usize);
            }
        })),
        5 => drop(Lists::open(bytes, rows).map(|lists| {
            let sound = lists.check().is_ok();
            let read: Result<Vec<_>, _> = (0..rows).map(|row| lists.get(row)).collect();
            assert!(!sound || read.is_ok());
        })),
        6 => drop(Texts::open(bytes, rows).map(|texts| {
            let sound = texts.check().is_ok();
            let read: Result<Vec<_>, _> = texts.rows(0..rows).collect();
            assert!(!sound || read.is_ok());
            some.iter().for_each(|row| drop(texts.get(*row)));
        })),
        7 => drop(Bits::open(bytes, rows).map(|bits| {
            let ones: Vec<u32> = bits.ones(0..rows).collect();
            some.iter().for_each(|row| _ = (bits.get(*row), bits.rank(*row), bits.count(0..*row)));
            if bits.check().is_ok() {
                assert_eq!(super::bits::encode(rows, ones), bytes);
            }
        })),
        _ => drop(Ids::open(bytes, rows).map(|ids| {
            let sound = ids.check().is_ok();
            let _ = ids.bounds();
            for row in some {
                let Ok(id) = ids.get(row) else { continue };
                let found = ids.find(&id);
                assert!(!sound || found.is_ok_and(|rows| rows.contains(&row)));
            }
        })),
    }
}
