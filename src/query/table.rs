//! Groups that come in the order of the place tree: a table of units by steps of time.
//!
//! The runs of every segment stand in tree order, and nearly all segments have the same units. So adding a segment is one
//! walk along both, without a hash and without memory for each group.

use std::iter::zip;

use crate::tree::Tree;

use super::facts::{Facts, Needs};
use super::groups::{Member, NONE};

/// The most cells that a table has; what has more is mostly empty, and better hashed.
const MOST_CELLS: usize = 1 << 22;
/// To look at so many units takes about as long as to search among all.
const NEAR: usize = 8;

/// What was counted for units in every step of time; without steps, in one cell for each unit.
#[derive(Debug)]
pub(super) struct Table {
    /// In tree order.
    units: Vec<Unit>,
    steps: usize,
    pub(super) facts: Facts,
}

#[derive(Debug, Clone, Copy)]
struct Unit {
    member: Member,
    /// Which one it was when it came.
    number: u32,
}

impl Table {
    pub(super) fn new(needs: &Needs, steps: usize) -> Self {
        Self { units: Vec::new(), steps: steps.max(1), facts: Facts::new(needs) }
    }

    /// Whether there is room for so many more units.
    pub(super) fn has_room(&self, units: usize) -> bool {
        (self.units.len() + units).saturating_mul(self.steps) <= MOST_CELLS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Puts the first cells of units that come in tree order into `cells`; those of further steps follow each.
    pub(super) fn cells(
        &mut self,
        place: &Tree,
        units: impl ExactSizeIterator<Item = Member>,
        cells: &mut Vec<usize>,
    ) {
        cells.clear();
        cells.reserve(units.len());
        let mut at = 0;
        let mut fresh: Vec<(usize, Unit)> = Vec::new();
        let mut number = self.units.len() as u32;
        for member in units {
            // Mostly it is the next one, or one of those behind it.
            let behind = self.units.get(at..).unwrap_or_default();
            let near = behind.iter().take(NEAR).position(|unit| unit.member == member);
            at += near.unwrap_or_else(|| {
                if behind.is_empty() {
                    return 0;
                }
                let own = label(place, member);
                behind.partition_point(|unit| label(place, unit.member) < own)
            });
            let found = self.units.get(at).filter(|unit| unit.member == member);
            let number = match found {
                Some(unit) => {
                    at += 1;
                    unit.number
                }
                None => {
                    let unit = Unit { member, number };
                    if fresh.is_empty() && at == self.units.len() {
                        self.units.push(unit);
                        at += 1;
                    } else {
                        fresh.push((at, unit));
                    }
                    number += 1;
                    number - 1
                }
            };
            cells.push(number as usize * self.steps);
        }
        self.facts.grow(number as usize * self.steps);
        self.insert(fresh);
    }

    /// Inserts units, each before the one at a position of the old list.
    fn insert(&mut self, fresh: Vec<(usize, Unit)>) {
        if fresh.is_empty() {
            return;
        }
        let old = std::mem::take(&mut self.units);
        self.units.reserve(old.len() + fresh.len());
        let mut taken = 0;
        for (at, unit) in fresh {
            self.units.extend_from_slice(&old[taken..at]);
            self.units.push(unit);
            taken = at;
        }
        self.units.extend_from_slice(&old[taken..]);
    }

    /// The units in tree order, each with its first cell.
    pub(super) fn units(&self) -> impl ExactSizeIterator<Item = (Member, usize)> + '_ {
        self.units.iter().map(|unit| (unit.member, unit.number as usize * self.steps))
    }

    /// Whether a unit has orders in any step.
    pub(super) fn has_orders(&self, cell: usize) -> bool {
        self.facts.orders[cell..cell + self.steps].iter().any(|orders| *orders > 0)
    }

    /// Cells with orders: unit, step and cell.
    pub(super) fn filled(&self) -> impl Iterator<Item = (Member, u32, usize)> + '_ {
        self.units().flat_map(move |(member, first)| {
            zip(0.., first..first + self.steps)
                .filter(|(_, cell)| self.facts.orders[*cell] > 0)
                .map(move |(step, cell)| (member, step, cell))
        })
    }
}

/// Where a unit stands in the tree; what has no place stands before all.
pub(super) fn label(place: &Tree, member: Member) -> u64 {
    if member == NONE { 0 } else { place.label_at(member) }
}
