//! A view of nodes by days: what the orders of any run of nodes in any run of days add up to.
//!
//! ```text
//! lines u32 · days u32 · bytes of the nodes u32 · bytes of the starts u32 ·
//! column of nodes, one a line, in tree order · 0 to a multiple of 8 ·
//! column of the first instants of the days, and the end of the last · 0 to a multiple of 8 ·
//! records, (lines + 1) × (days + 1)
//! ```
//!
//! The record of a line and a day holds the sums over the lines before in the days before, so that a rectangle of lines and
//! days is four of them (Ho, Agrawal, Megiddo and Srikant, *Range queries in OLAP data cubes*, 1997). The days are
//! those of the calendar of the schema at sealing; a question whose days begin at other instants is answered from rows.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::cursor::Cursor;
use crate::error::Corruption;
use crate::tree::{Node, Tree};

use super::column::{self, Column, MISSING};
use super::records::{self, Fact, Lane, Records, Running};
use super::rows::position;

/// More days than there are in the years 1900 to 2200.
const MOST_DAYS: usize = 120_000;

/// What lines and days are, and in which cell each row counts.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    nodes: Vec<i64>,
    starts: Vec<i64>,
    /// Per row the first record that it counts in: the one behind its line and its day; one that there is not for none.
    cells: Vec<u32>,
}

impl Shape {
    /// For rows that count in these lines and days; without a day, in none.
    pub(super) fn new(
        nodes: Vec<i64>,
        starts: Vec<i64>,
        rows: impl Iterator<Item = (u32, Option<u32>)>,
    ) -> Self {
        let width = starts.len() as u32;
        let cell = |(line, day): (u32, Option<u32>)| {
            let cell = |day: u32| line.wrapping_add(1).wrapping_mul(width).wrapping_add(day).wrapping_add(1);
            day.map_or(u32::MAX, cell)
        };
        Self { nodes, starts, cells: rows.map(cell).collect() }
    }

    /// The running sums of what each row adds.
    pub(super) fn running(&self, values: impl Iterator<Item = u64>) -> Vec<u64> {
        let width = self.starts.len().max(1);
        let mut sums = vec![0u64; self.nodes.len().saturating_add(1).saturating_mul(width)];
        for (cell, value) in self.cells.iter().zip(values) {
            if let Some(sum) = sums.get_mut(*cell as usize) {
                *sum = sum.saturating_add(value);
            }
        }
        // Along the days of each line, then along the lines.
        for line in sums.chunks_mut(width) {
            line.iter_mut().fold(0u64, |before, sum| {
                *sum = sum.saturating_add(before);
                *sum
            });
        }
        for at in width..sums.len() {
            let above = at.checked_sub(width).and_then(|above| sums.get(above)).copied().unwrap_or(0);
            if let Some(sum) = sums.get_mut(at) {
                *sum = sum.saturating_add(above);
            }
        }
        sums
    }

    /// How many records it has.
    pub(super) fn cells(&self) -> usize {
        self.nodes.len().saturating_add(1).saturating_mul(self.starts.len())
    }

    /// For every record of this shape, which of a grid has what the grid adds to it: along the lines, and along the days. None
    /// where the days of the grid begin at other instants.
    pub(super) fn within(&self, grid: &Grid<'_>, tree: &Tree) -> Option<(Vec<usize>, Vec<usize>)> {
        let ends = self.nodes.iter().map(|node| position(tree, *node)).chain([u64::MAX]);
        let lines = ends.map(|end| grid.first_from(tree, end)).collect();
        let starts = grid.starts();
        let days: Vec<usize> =
            self.starts.iter().map(|start| starts.partition_point(|before| before < start)).collect();
        let first = self.starts.partition_point(|start| Some(start) < starts.first());
        let same = self.starts.get(first..)?.starts_with(&starts);
        same.then(|| (lines, days.into_iter().map(|day| day.min(grid.days())).collect()))
    }

    pub(super) fn encode(&self, facts: &[Running]) -> Vec<u8> {
        let (nodes, starts) = (column::encode(&self.nodes), column::encode(&self.starts));
        let mut bytes = Vec::new();
        for number in [self.nodes.len(), self.starts.len().saturating_sub(1), nodes.len(), starts.len()] {
            bytes.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
        for column in [nodes, starts] {
            bytes.extend(column);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        bytes.extend(records::encode(facts));
        bytes
    }
}

/// A view read in place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid<'a> {
    nodes: Column<'a>,
    starts: Column<'a>,
    records: Records<'a>,
}

impl<'a> Grid<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Corruption> {
        let mut cursor = Cursor::new(bytes);
        let (lines, days) = (cursor.u32()? as usize, cursor.u32()? as usize);
        let (nodes, starts) = (cursor.u32()? as usize, cursor.u32()? as usize);
        let mut column = |length: usize, rows: usize| {
            let column = Column::open(cursor.take(length)?, rows)?;
            cursor.take(length.next_multiple_of(8).saturating_sub(length)).map(|_| column)
        };
        let nodes = column(nodes, lines)?;
        let starts = column(starts, days.saturating_add(1))?;
        let records = Records::open(cursor.rest())?;
        if days > MOST_DAYS
            || lines.saturating_add(1).checked_mul(days.saturating_add(1)) != Some(records.len())
        {
            return Err(Corruption::new(0, "the records are not those of the lines and days"));
        }
        Ok(Self { nodes, starts, records })
    }

    pub(crate) fn lines(&self) -> usize {
        self.nodes.rows()
    }

    pub(crate) fn days(&self) -> usize {
        self.starts.rows().saturating_sub(1)
    }

    /// How many records there are.
    pub(super) fn cells(&self) -> usize {
        self.records.len()
    }

    /// The first instants of the days, and the end of the last.
    pub(crate) fn starts(&self) -> Vec<i64> {
        let mut starts = Vec::with_capacity(self.starts.rows().min(MOST_DAYS));
        self.starts.decode(0..self.starts.rows(), &mut starts);
        starts
    }

    /// The nodes of the lines.
    pub(super) fn nodes(&self) -> Vec<i64> {
        (0..self.lines()).map(|line| self.nodes.get(line)).collect()
    }

    /// The line in which the orders of a node count.
    pub(super) fn line_of(&self, tree: &Tree, node: i64, level: usize) -> usize {
        let node = u32::try_from(node).ok().and_then(|node| tree.get(node));
        let label = node.map_or(0, |node| tree.label(tree.ancestor(node, level)));
        self.first_from(tree, label)
    }

    /// The node of a line: of the view's level, or above it; none for orders on no node.
    pub(crate) fn node(&self, tree: &Tree, line: usize) -> Option<Node> {
        u32::try_from(self.nodes.get(line)).ok().and_then(|node| tree.get(node))
    }

    /// The lines at or under a node, as long as it is not below the view's level.
    pub(crate) fn under(&self, tree: &Tree, base: Node) -> Range<usize> {
        self.first_from(tree, tree.label(base))..self.first_from(tree, tree.end(base))
    }

    /// The first line whose node stands at or after a label.
    fn first_from(&self, tree: &Tree, label: u64) -> usize {
        let (mut low, mut high) = (0, self.lines());
        while low < high {
            let middle = low.midpoint(high);
            if position(tree, self.nodes.get(middle)) < label {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    /// The sums of a fact; none where it is not summed here.
    pub(crate) fn sums(&self, fact: Fact) -> Option<Sums<'a>> {
        Some(Sums { lane: self.records.lane(fact)?, width: self.starts.rows() })
    }

    /// Reads everything. `tree` is the one that the lines are nodes of.
    pub(crate) fn check(&self, tree: Option<&Tree>) -> Result<(), Corruption> {
        self.nodes.check()?;
        self.starts.check()?;
        let damage = |reason: &str| Err(Corruption::new(0, reason));
        let mut before: Option<u64> = None;
        for line in 0..self.lines() {
            let node = self.nodes.get(line);
            let Some(tree) = tree else { break };
            if node != MISSING && self.node(tree, line).is_none() {
                return damage("a line's node is not in its tree");
            }
            let here = position(tree, node);
            if before.is_some_and(|before| before >= here) {
                return damage("the lines do not ascend");
            }
            before = Some(here);
        }
        if (0..self.days()).any(|day| self.starts.get(day) >= self.starts.get(day.saturating_add(1))) {
            return damage("the days do not ascend");
        }
        self.records.check_lanes(|lane| self.is_sum(lane))
    }

    /// Whether no rectangle of one line and one day has less than nothing, and none before the first has anything.
    fn is_sum(&self, lane: &Lane<'_>) -> bool {
        let sums = Sums { lane: *lane, width: self.starts.rows() };
        let edges = (0..=self.lines()).all(|line| sums.at(line, 0) == 0)
            && (0..=self.days()).all(|day| sums.at(0, day) == 0);
        edges
            && (0..self.lines()).all(|line| {
                (0..self.days()).all(|day| {
                    let (below, after) = (line.saturating_add(1), day.saturating_add(1));
                    let plus = u128::from(sums.at(below, after)).saturating_add(sums.at(line, day).into());
                    plus >= u128::from(sums.at(below, day)).saturating_add(sums.at(line, after).into())
                })
            })
    }
}

/// The sums of one fact in a grid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums<'a> {
    lane: Lane<'a>,
    /// Records of a line.
    width: usize,
}

impl Sums<'_> {
    /// The sum over the lines before a line in the days before a day.
    #[inline]
    pub(super) fn at(&self, line: usize, day: usize) -> u64 {
        self.lane.at(line.wrapping_mul(self.width).wrapping_add(day))
    }

    /// The sum over some lines in the days before a day.
    #[inline]
    pub(crate) fn before(&self, lines: Range<usize>, day: usize) -> u64 {
        self.at(lines.end, day).saturating_sub(self.at(lines.start, day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Nodes, the starts of days, and rows: line, day, and what each adds.
    type Made = (Vec<i64>, Vec<i64>, Vec<((u32, u32), u64)>);

    fn made() -> impl Strategy<Value = Made> {
        (0usize..6, 0usize..5).prop_flat_map(|(lines, days)| {
            let row = ((0..lines.max(1) as u32, 0..days.max(1) as u32), 0u64..300);
            let rows = if lines * days == 0 { 0 } else { 30 };
            prop::collection::vec(row, 0..=rows).prop_map(move |rows| {
                let starts = (0..=days as i64).map(|day| day * 86_400 - 5).collect();
                ((0..lines as i64).collect(), starts, rows)
            })
        })
    }

    fn encode((nodes, starts, rows): &Made) -> Vec<u8> {
        let shape = Shape::new(
            nodes.clone(),
            starts.clone(),
            rows.iter().map(|((line, day), _)| (*line, Some(*day))),
        );
        let sums = shape.running(rows.iter().map(|(_, value)| *value));
        shape.encode(&[Running { fact: Fact::Orders, base: 0, sums }])
    }

    proptest! {
        #[test]
        fn every_rectangle_is_four_records(made in made(), edges in any::<[prop::sample::Index; 4]>()) {
            let bytes = encode(&made);
            let grid = Grid::open(&bytes).unwrap();
            grid.check(None).unwrap();
            let (nodes, starts, rows) = &made;
            prop_assert_eq!((grid.lines(), grid.days()), (nodes.len(), starts.len() - 1));
            let between = |a: prop::sample::Index, b: prop::sample::Index, most: usize| {
                let (a, b) = (a.index(most + 1), b.index(most + 1));
                a.min(b)..a.max(b)
            };
            let lines = between(edges[0], edges[1], grid.lines());
            let days = between(edges[2], edges[3], grid.days());
            let inside = |(line, day): &(u32, u32)| lines.contains(&(*line as usize)) && days.contains(&(*day as usize));
            let expected: u64 = rows.iter().filter(|(cell, _)| inside(cell)).map(|(_, value)| value).sum();
            let sums = grid.sums(Fact::Orders).unwrap();
            let found = sums.before(lines.clone(), days.end) - sums.before(lines, days.start);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(&grid.starts(), starts);
        }

        #[test]
        fn damage_is_found_or_harmless(made in made(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = encode(&made);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(grid) = Grid::open(&bytes) {
                let _ = grid.check(None);
                let sums = grid.sums(Fact::Orders);
                sums.map(|sums| sums.before(0..grid.lines(), grid.days()));
            }
        }
    }
}
