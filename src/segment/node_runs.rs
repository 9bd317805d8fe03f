//! Where the runs of rows start that have one unit, and one node of a level of the first other tree: a bit for every row.
//!
//! Rows stand along the place tree and, within a unit, along that other tree. So the orders of a unit and a node follow one another,
//! and are counted 64 rows at a time.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use super::bits::{self, Bits};
use super::column::Column;
use super::row_mask::RowMask;
use super::rows::position;
use super::words::{Cut, Words};
use crate::error::Corruption;
use crate::tree::{Node, Tree};

/// Of so many kept rows in a run the last is found at once; of more, they are counted.
const AT_ONCE: u8 = 3;

/// Marks the starts of the runs of rows with these units, and nodes whose ancestors are of a level.
pub(super) fn encode(units: &[i64], nodes: &[i64], tree: &Tree, level: usize) -> Vec<u8> {
    let (mut before, mut run) = (None, None);
    let starts = (0..).zip(units.iter().zip(nodes)).filter_map(|(row, here)| {
        if before.replace(here) == Some(here) {
            return None;
        }
        let here = (*here.0, ancestor(tree, *here.1, level));
        let starts = run.replace(here) != Some(here);
        starts.then_some(row)
    });
    bits::encode(u32::try_from(nodes.len()).unwrap_or(u32::MAX), starts)
}

/// The ancestor of a node at a level, or the node itself where it is of none below.
fn ancestor(tree: &Tree, node: i64, level: usize) -> Option<Node> {
    let node = u32::try_from(node).ok().and_then(|node| tree.get(node));
    node.map(|node| tree.ancestor(node, level))
}

/// Runs read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeRuns<'a>(Bits<'a>);

impl<'a> NodeRuns<'a> {
    pub(super) fn open(bytes: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        Bits::open(bytes, rows).map(Self)
    }

    /// Calls `each` with every run of which at least so many rows are kept, one or more: one of its rows, and how many are. Of rows
    /// beside the range, none counts.
    pub(crate) fn with(&self, kept: &RowMask, range: Range<u32>, least: u64, mut each: impl FnMut(u32, u64)) {
        let Some(cut) = Cut::new(range) else { return };
        let mut each = |(row, orders): (u32, u64)| {
            if orders >= least {
                each(row, orders);
            }
        };
        let at_once = least.clamp(1, u64::from(AT_ONCE));
        let (mut open, mut carried) = (None, [0; AT_ONCE as usize]);
        for index in cut.first..=cut.last {
            let (mut kept, starts) = (kept.word(index), self.0.word(index));
            if index == cut.first {
                kept &= cut.head;
            }
            if index == cut.last {
                kept &= cut.tail;
            }
            if let Some((row, orders)) = open {
                let here = (row, kept_before(starts, kept).saturating_add(orders));
                open = Some(here).filter(|_| starts == 0);
                if open.is_none() {
                    each(here);
                }
            }
            // Those that are the last of so many kept rows of their run, or come after that.
            let (mut found, mut again) = (0, kept);
            for carried in carried.iter_mut().take(at_once as usize) {
                found = again;
                again = kept & behind(found, !starts, carried);
            }
            // Of every run, the first of them.
            found &= !again;
            while found != 0 {
                let row = (index as u32) << 6 | found.trailing_zeros();
                let later = u64::MAX.unbounded_shl((row & 63).saturating_add(1));
                let here = (row, kept_before(starts & later, kept & later).saturating_add(at_once));
                match starts & later {
                    0 => open = Some(here),
                    _ => each(here),
                }
                found &= found.wrapping_sub(1);
            }
        }
        open.into_iter().for_each(each);
    }

    /// Checks what counting relies on: the runs are those of the columns, and within a unit every ancestor of the level has one.
    pub(super) fn check(
        &self,
        (units, place): (Column<'_>, &Tree),
        (nodes, tree): (Column<'_>, &Tree),
        level: usize,
    ) -> Result<(), Corruption> {
        self.0.check()?;
        let mut before = None;
        for row in 0..nodes.rows() {
            let ancestor = ancestor(tree, nodes.get(row), level);
            let here = (position(place, units.get(row)), ancestor.map_or(0, |ancestor| tree.label(ancestor)));
            if self.0.get(row as u32) != (before != Some(here)) || before > Some(here) {
                return Err(Corruption::new(0, format!("row {row} is not in a run of its unit and node")));
            }
            before = Some(here);
        }
        Ok(())
    }
}

/// How many rows are kept before the first start of a run.
#[inline]
fn kept_before(starts: u64, kept: u64) -> u64 {
    let before = starts.wrapping_sub(1) & !starts;
    u64::from((kept & before).count_ones())
}

/// The rows that lie behind one of some rows in its run; those that are `within` a run have the row before them in it. What goes on into
/// the next 64 rows is carried there.
#[inline]
fn behind(some: u64, within: u64, carried: &mut u64) -> u64 {
    let next = (some << 1 | *carried) & within;
    // Adding carries each one on through the rest of its run.
    let behind = ((within.wrapping_add(next) ^ within) | next) & within;
    *carried = (some | behind) >> 63;
    behind
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_with_enough_kept_rows_are_found(
            lengths in prop::collection::vec(prop_oneof![1u32..4, 1u32..200], 1..60),
            kept in prop::collection::vec(prop::bool::weighted(0.4), 1..100),
            ends in any::<[prop::sample::Index; 2]>(),
            least in 1u64..6,
        ) {
            // Units with orders of two themes each, and under each theme of one topic or two.
            let mut tree = Tree::new("topic", vec!["theme".to_owned(), "topic".to_owned()]);
            let [a, b] = ["a", "b"].map(|theme| tree.intern(None, theme, None).unwrap());
            let topics = [(a, "x"), (a, "y"), (b, "x")].map(|(theme, topic)| tree.intern(Some(theme), topic, None).unwrap());
            let (mut units, mut nodes) = (Vec::new(), Vec::new());
            for (run, length) in (0..).zip(&lengths) {
                units.extend((0..*length).map(|_| run / 2));
                let topic = |row| if run % 2 == 1 { topics[2] } else { topics[(row * 2 / length) as usize] };
                nodes.extend((0..*length).map(|row| i64::from(topic(row).index())));
            }
            let rows = nodes.len() as u32;
            let mut mask = RowMask::new(rows);
            (0..rows).zip(kept.iter().cycle()).filter(|(_, kept)| **kept).for_each(|(row, _)| mask.insert(row));
            // A piece begins where a run does.
            let mut starts: Vec<u32> = lengths.iter().scan(0, |end, length| Some(std::mem::replace(end, *end + length))).collect();
            let range = *ends[0].get(&starts)..ends[1].index(rows as usize + 1) as u32;
            starts.push(rows);
            let naive: Vec<(u32, u64)> = starts.windows(2).filter_map(|run| {
                let kept = (run[0]..run[1]).filter(|row| range.contains(row) && mask.contains(*row)).count() as u64;
                (kept >= least).then_some((run[0], kept))
            }).collect();
            let bytes = encode(&units, &nodes, &tree, 0);
            let runs = NodeRuns::open(&bytes, rows).unwrap();
            let mut found = Vec::new();
            runs.with(&mask, range, least, |row, orders| {
                found.push((starts[starts.partition_point(|start| *start <= row) - 1], orders));
            });
            prop_assert_eq!(found, naive);
        }
    }
}
