//! The unit directory: which units have rows in a segment, and where they start, once for every level.
//!
//! The directory of a level has one entry for every run of rows under the same unit of that level. Orders on
//! units above the level have runs of their own, so that the runs of a level partition the rows, in the order
//! of the tree. Zooming to a level walks its directory and never looks at what lies below.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use crate::error::Corruption;
use crate::tree::{Node, Tree};

use super::column::{self, Column, MISSING};

/// The runs of one level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'a> {
    units: Column<'a>,
    /// First row of every run, and the number of rows after the last.
    starts: Column<'a>,
    /// The rows of the segment: no run reaches beyond them.
    rows: u32,
}

/// Encodes the directory of a level for rows that stand in the order of the tree.
pub(crate) fn encode(units: &[i64], place: &Tree, level: usize) -> Vec<u8> {
    let mut runs: Vec<i64> = Vec::new();
    let mut starts: Vec<i64> = Vec::new();
    let mut before = None;
    for (row, &unit) in (0i64..).zip(units) {
        if before == Some(unit) {
            continue;
        }
        before = Some(unit);
        let run = node(place, unit).map_or(MISSING, |unit| i64::from(place.ancestor(unit, level).index()));
        if runs.last() != Some(&run) {
            runs.push(run);
            starts.push(row);
        }
    }
    starts.push(units.len() as i64);
    let units = column::encode(&runs);
    let mut bytes = Vec::with_capacity(units.len().saturating_add(16));
    bytes.extend_from_slice(&(runs.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&(units.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&units);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend_from_slice(&column::encode(&starts));
    bytes
}

fn node(place: &Tree, unit: i64) -> Option<Node> {
    u32::try_from(unit).ok().and_then(|unit| place.get(unit))
}

impl<'a> Directory<'a> {
    pub(crate) fn open(bytes: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let short = || Corruption::new(0, "the directory is too short");
        let (runs, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
        let runs = usize::try_from(u64::from_le_bytes(*runs)).map_err(|_| short())?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
        if runs > rows as usize {
            return Err(Corruption::new(0, format!("{rows} rows cannot be {runs} runs")));
        }
        let padded = length.checked_next_multiple_of(8).ok_or_else(short)?;
        let units = Column::open(rest.get(..length).ok_or_else(short)?, runs)?;
        let starts = rest.get(padded..).ok_or_else(short)?;
        let starts = Column::open(starts, runs.checked_add(1).ok_or_else(short)?)?;
        Ok(Self { units, starts, rows })
    }

    /// How many runs there are.
    pub(crate) fn len(&self) -> usize {
        self.units.rows()
    }

    /// The unit of a run: of this level, or above it; none for orders without place.
    pub(crate) fn unit(&self, place: &Tree, run: usize) -> Option<Node> {
        node(place, self.units.get(run))
    }

    /// The first row of a run; one past the last run, the number of rows.
    pub(crate) fn start(&self, run: usize) -> u32 {
        u32::try_from(self.starts.get(run)).unwrap_or(0).min(self.rows)
    }

    /// The rows of a run.
    pub(crate) fn rows(&self, run: usize) -> Range<u32> {
        let start = self.start(run);
        start..self.start(run.saturating_add(1)).max(start)
    }

    /// The runs at or under a unit, as long as the unit is not below the directory's level.
    pub(crate) fn under(&self, place: &Tree, base: Node) -> Range<usize> {
        let first = self.first_from(place, 0, place.label(base));
        first..self.first_from(place, first, place.end(base))
    }

    /// The run that holds a row.
    pub(crate) fn run_of(&self, row: u32) -> usize {
        self.starts.lower_bound(0..self.starts.rows(), i64::from(row).saturating_add(1)).saturating_sub(1)
    }

    /// The first run from `from` on whose unit stands at or after a label.
    fn first_from(&self, place: &Tree, from: usize, label: u64) -> usize {
        let (mut low, mut high) = (from, self.len());
        while low < high {
            let middle = low.midpoint(high);
            let stands = super::rows::position(place, self.units.get(middle));
            if stands < label {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    /// Checks what a look-up relies on: units ascend, and the runs partition the rows.
    pub(crate) fn check(&self, place: &Tree) -> Result<(), Corruption> {
        self.units.check()?;
        self.starts.check()?;
        let mut before: Option<(u64, u32)> = None;
        for run in 0..self.len() {
            let unit = self.units.get(run);
            if unit != MISSING && node(place, unit).is_none() {
                return Err(Corruption::new(0, format!("unit {unit} is not in the place tree")));
            }
            let here = (super::rows::position(place, unit), self.start(run));
            if before.is_some_and(|before| before.0 >= here.0 || before.1 >= here.1) {
                return Err(Corruption::new(0, format!("run {run} does not stand after the one before it")));
            }
            before = Some(here);
        }
        if self.start(0) != 0 || self.starts.get(self.len()) != i64::from(self.rows) {
            return Err(Corruption::new(0, "the runs do not cover the rows"));
        }
        Ok(())
    }
}
