//! Gives any bytes to the decoders of sections, for [`crate::fuzz`].

#![expect(clippy::panic, reason = "a panic is how a target says that something is wrong")]

use roaring::RoaringBitmap;

use super::bitmap::Bitmap;
use super::bits::Bits;
use super::column::{Column, Wide};
use super::directory::Directory;
use super::grid::Grid;
use super::ids::Ids;
use super::lists::Lists;
use super::node_runs::NodeRuns;
use super::records::{Fact, Records};
use super::row_mask::RowMask;
use super::sets::Sets;
use super::text::Texts;
use crate::tree::Tree;

/// A bitmap of rows below 200,000. One that passes its check holds what the roaring crate reads.
pub(crate) fn bitmap(bytes: &[u8]) {
    const ROWS: u32 = 200_000;
    let Ok(bitmap) = Bitmap::open(bytes) else { return };
    let mut mask = RowMask::new(ROWS);
    bitmap.insert_into(&mut mask);
    let Ok(size) = bitmap.check(ROWS) else { return };
    let read = RoaringBitmap::deserialize_from(&bytes[..size]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(bitmap.len(), read.len());
    assert!(mask.iter(0..ROWS).eq(&read));
    let mut written = Vec::new();
    super::bitmap::encode(&read, &mut written);
    assert_eq!(RoaringBitmap::deserialize_from(&written[..]).ok(), Some(read));
}

/// A section of a segment of `rows` rows.
pub(crate) fn section(kind: u8, rows: u32, bytes: &[u8]) {
    let some = [0, 1, rows / 2, rows.saturating_sub(1), rows, u32::MAX];
    match kind {
        1 => drop(Directory::open(bytes, rows).map(|directory| {
            let place = Tree::new("place", vec!["city".to_owned()]);
            let _ = directory.check(&place);
            for row in some {
                directory.run_of(row);
                directory.start(row as usize);
                directory.unit(row as usize);
                directory.runs(row..rows).take(100).for_each(drop);
                let finder = directory.finder(directory.runs_of(row..rows), usize::MAX);
                directory.unit(finder.run_of(row));
                directory.walk(row).starts_of(&[row, rows], &mut [0; 2]);
            }
        })),
        2 => drop(Column::open(bytes, rows as usize).map(|column| {
            let mut values = Vec::new();
            column.decode(0..usize::MAX, &mut values);
            assert_eq!(values.len(), rows as usize);
            for row in some {
                let value = column.get(row as usize);
                column.lower_bound(0..rows as usize, value);
            }
            // What passes is written as it was.
            if column.check().is_ok() {
                let written =
                    [Wide::Packed, Wide::Halved].map(|wide| super::column::encode_as(&values, wide));
                assert!(written.iter().any(|written| written == bytes));
            }
        })),
        3 | 4 => drop(Sets::open(bytes, rows).map(|sets| {
            let sound = sets.check().is_ok();
            for set in sets.iter().take(100) {
                assert!(!sound || set.is_ok());
                let Ok((value, set)) = set else { continue };
                let mut mask = RowMask::new(rows);
                set.insert_into(&mut mask);
                if sound {
                    assert_eq!(set.len(), mask.count(0..rows));
                    let found = sets.of(&[value]);
                    assert!(found.iter().all(|found| found.is_ok()) && found.rows() == set.len());
                }
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
            let ones: Vec<u32> = (0..rows).filter(|row| bits.get(*row)).collect();
            some.iter().for_each(|row| _ = (bits.get(*row), bits.rank(*row), bits.count(0..*row)));
            if bits.check().is_ok() {
                assert_eq!(super::bits::encode(rows, ones), bytes);
            }
        })),
        9 => drop(Records::open(bytes).map(|records| {
            let facts = [Fact::Orders, Fact::Counter(0), Fact::Counter(1), Fact::Having(0), Fact::Sum(0)];
            for lane in facts.into_iter().filter_map(|fact| records.lane(fact)) {
                some.iter().for_each(|row| _ = lane.at(*row as usize));
            }
            let _ = records.check();
        })),
        10 | 11 => drop(Grid::open(bytes).map(|grid| {
            let tree = Tree::new("topic", vec!["theme".to_owned()]);
            let sound = grid.check(None).is_ok();
            let starts = grid.starts();
            assert!(!sound || starts.is_sorted());
            for fact in [Fact::Orders, Fact::Counter(0), Fact::Counter(1)] {
                let Some(sums) = grid.sums(fact) else { continue };
                let all = sums.before(0..grid.lines(), grid.days());
                let by_line = (0..grid.lines()).map(|line| sums.before(line..line + 1, grid.days()));
                assert!(!sound || all == by_line.fold(0, u64::wrapping_add));
                some.iter()
                    .for_each(|row| _ = (grid.node(&tree, *row as usize), sums.before(0..*row as usize, 1)));
            }
        })),
        12 => drop(NodeRuns::open(bytes, rows).map(|runs| {
            let kept = RowMask::full(rows);
            for row in some {
                let mut counted = 0;
                runs.with(&kept, row..rows, 1, |_, orders| counted += orders);
                assert_eq!(counted, u64::from(rows.saturating_sub(row)));
                runs.with(&kept, 0..row.min(rows), 3, |found, orders| assert!(found < rows && orders >= 3));
            }
        })),
        _ => drop(Ids::open(bytes, rows).map(|ids| {
            let sound = ids.check().is_ok();
            for row in some {
                let Ok(id) = ids.get(row) else { continue };
                let found = ids.find(&id);
                assert!(!sound || found.is_ok_and(|rows| rows.contains(&row)));
            }
        })),
    }
}
