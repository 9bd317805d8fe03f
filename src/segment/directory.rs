//! The unit directory: which units have rows in a segment, and where they start, once for every level.
//!
//! The directory of a level has one entry for every run of rows under the same unit of that level. Orders on
//! units above the level have runs of their own, so that the runs of a level partition the rows, in the order
//! of the tree. Zooming to a level walks its directory and never looks at what lies below.
//!
//! ```text
//! runs u32 · form of the starts u32 · bytes of units u64 · units, by run: a column · zeros up to a multiple of 64
//! starts, form 0: the first row of every run, and the number of rows: a column
//! starts, form 1: one bit a row, set where a run starts, with running counts
//! ```
//!
//! The starts of many short runs have form 1: so the unit of any row is found by counting the starts before it, which is quicker than
//! to search for it. Those of the deepest level always have it, and orders need no column for their place.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::error::Corruption;
use crate::tree::{Node, Tree};

use super::bits::{self, Bits};
use super::column::{self, Column, MISSING};
use super::words::Words;

/// The runs of one level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'a> {
    units: Column<'a>,
    starts: Starts<'a>,
    /// The rows of the segment: no run reaches beyond them.
    rows: u32,
}

/// Where runs start.
#[derive(Debug, Clone, Copy)]
enum Starts<'a> {
    /// The first row of every run, and the number of rows after the last.
    List(Column<'a>),
    /// A bit for every row.
    Marks(Bits<'a>),
}

const HEADER: usize = 16;
/// To search among so many starts takes longer than to count marks.
const MANY: usize = if cfg!(test) { 4 } else { 1024 };
/// Runs of so many rows on average are short. For longer ones, marks would take too much room.
const SHORT: usize = if cfg!(test) { 2 } else { 256 };
/// To search for the run of a row takes about as long as to read the starts of so many runs.
const RUNS_AHEAD: usize = if cfg!(test) { 2 } else { 64 };
/// What a cache line holds, and the words of marks are read by.
const ALIGNMENT: usize = 64;

/// Finds the runs of rows.
#[derive(Debug)]
pub(crate) struct Finder<'a> {
    directory: Directory<'a>,
    /// The first of the runs whose starts were read ahead.
    first: usize,
    starts: Vec<i64>,
}

impl Finder<'_> {
    /// The run that holds a row.
    #[inline]
    pub(crate) fn run_of(&self, row: u32) -> usize {
        if self.starts.is_empty() {
            return self.directory.run_of(row);
        }
        let begun = self.starts.partition_point(|start| *start <= i64::from(row));
        self.first.saturating_add(begun).saturating_sub(1)
    }
}

/// Finds where the runs of ascending rows start.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    directory: Directory<'a>,
    /// Where starts are marked, the 64 rows that were looked at last: the first of them, their marks, and the last start before.
    from: u32,
    marks: u64,
    before: u32,
    /// Where starts are listed, the run that was looked at last.
    run: Range<u32>,
}

impl Walk<'_> {
    /// Finds the first row of the run of each row; rows ascend from one call to the next.
    pub(crate) fn starts_of(&mut self, rows: &[u32], found: &mut [u32]) {
        let Starts::Marks(marks) = self.directory.starts else {
            return found.iter_mut().zip(rows).for_each(|(start, row)| *start = self.listed(*row));
        };
        for (start, row) in found.iter_mut().zip(rows) {
            if row & !63 != self.from {
                self.go_to(row & !63, marks);
            }
            let started = self.marks.unbounded_shl(63 ^ (row & 63));
            *start = if started == 0 { self.before } else { row.wrapping_sub(started.leading_zeros()) };
        }
    }

    fn go_to(&mut self, from: u32, marks: Bits<'_>) {
        let last = |first: u32, marks: u64| (first | 63).wrapping_sub(marks.leading_zeros());
        let index = |first: u32| (first >> 6) as usize;
        let mut between =
            (index(self.from)..index(from)).skip(1).rev().map(|index| (index, marks.word(index)));
        self.before = match between.find(|(_, marks)| *marks != 0) {
            Some((index, marks)) => last((index as u32) << 6, marks),
            None if self.marks != 0 => last(self.from, self.marks),
            None => self.before,
        };
        (self.from, self.marks) = (from, marks.word(index(from)));
    }

    fn listed(&mut self, row: u32) -> u32 {
        if !self.run.contains(&row) {
            let run = self.directory.run_of(row);
            self.run = self.directory.start(run)..self.directory.start(run.saturating_add(1));
        }
        self.run.start
    }
}

/// The runs of a level before they are encoded: their units, and where each starts, with the end of the last.
pub(super) struct Runs {
    pub(super) units: Vec<i64>,
    pub(super) starts: Vec<i64>,
    /// Whether starts are marked rather than listed.
    pub(super) marked: bool,
}

/// The runs of a level for rows that stand in the order of the tree.
pub(super) fn runs(units: &[i64], place: &Tree, level: usize) -> Runs {
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
    let deepest = level.saturating_add(1) == place.levels().len();
    let short = runs.len() >= MANY && runs.len().saturating_mul(SHORT) >= units.len();
    Runs { units: runs, starts, marked: deepest || short }
}

/// Encodes the directory of a level.
pub(super) fn encode(runs: &Runs) -> Vec<u8> {
    let rows = runs.starts.last().and_then(|rows| u32::try_from(*rows).ok()).unwrap_or(u32::MAX);
    let units = column::encode(&runs.units);
    let mut bytes = Vec::with_capacity(units.len().saturating_add(HEADER));
    bytes.extend_from_slice(&(runs.units.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&u32::from(runs.marked).to_le_bytes());
    bytes.extend_from_slice(&(units.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&units);
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes.extend_from_slice(&if runs.marked {
        bits::encode(rows, runs.starts.iter().filter_map(|start| u32::try_from(*start).ok()))
    } else {
        column::encode(&runs.starts)
    });
    bytes
}

fn node(place: &Tree, unit: i64) -> Option<Node> {
    u32::try_from(unit).ok().and_then(|unit| place.get(unit))
}

impl<'a> Directory<'a> {
    pub(crate) fn open(bytes: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let short = || Corruption::new(0, "the directory is too short");
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or_else(short)?;
        let [a, b, c, d, form @ .., e, f, g, h, i, j, k, l] = *header;
        let length = u64::from_le_bytes([e, f, g, h, i, j, k, l]);
        let runs = u32::from_le_bytes([a, b, c, d]);
        let length = usize::try_from(length).map_err(|_| short())?;
        if runs > rows {
            return Err(Corruption::new(0, format!("{rows} rows cannot be {runs} runs")));
        }
        let runs = runs as usize;
        let units = Column::open(rest.get(..length).ok_or_else(short)?, runs)?;
        let end = HEADER.checked_add(length).and_then(|end| end.checked_next_multiple_of(ALIGNMENT));
        let starts = end.and_then(|end| bytes.get(end..)).ok_or_else(short)?;
        let starts = match u32::from_le_bytes(form) {
            0 => Starts::List(Column::open(starts, runs.checked_add(1).ok_or_else(short)?)?),
            1 => Starts::Marks(Bits::open(starts, rows)?),
            _ => return Err(Corruption::new(4, "the starts of runs have no such form")),
        };
        Ok(Self { units, starts, rows })
    }

    /// The units of the rows, where the directory knows them all: that of the deepest level.
    pub(crate) fn column(&self) -> Option<Column<'a>> {
        match self.starts {
            Starts::Marks(marks) => Some(self.units.of_runs(marks, self.rows as usize)),
            Starts::List(_) => None,
        }
    }

    /// The runs from the one that holds the first row of a range to its last, and their rows within it.
    pub(crate) fn runs(&self, range: Range<u32>) -> impl Iterator<Item = (usize, Range<u32>)> + 'a {
        let (directory, end) = (*self, range.end.min(self.rows));
        let mut run = self.run_of(range.start);
        let mut marks = match self.starts {
            Starts::Marks(marks) => Some(marks.ones(range.start.saturating_add(1)..end)),
            Starts::List(_) => None,
        };
        let mut start = range.start;
        std::iter::from_fn(move || {
            // In a damaged directory, runs need not ascend.
            if start >= end || run >= directory.len() {
                return None;
            }
            let next = match &mut marks {
                Some(marks) => marks.next().unwrap_or(end),
                None => directory.start(run.saturating_add(1)).clamp(start, end),
            };
            let found = (run, start..next);
            (run, start) = (run.saturating_add(1), next);
            Some(found)
        })
    }

    /// How many runs there are.
    pub(crate) fn len(&self) -> usize {
        self.units.rows()
    }

    /// The number of the unit of a run: of this level, or above it; none for orders without place. In a damaged directory, it
    /// need not be a node's.
    #[inline]
    pub(crate) fn unit(&self, run: usize) -> Option<u32> {
        u32::try_from(self.units.get(run)).ok()
    }

    /// The first row of a run; one past the last run, the number of rows.
    pub(crate) fn start(&self, run: usize) -> u32 {
        match &self.starts {
            Starts::List(starts) => u32::try_from(starts.get(run)).unwrap_or(0).min(self.rows),
            Starts::Marks(marks) => marks.select(u32::try_from(run).unwrap_or(u32::MAX)),
        }
    }

    /// The first rows of runs, and the end of the last of them.
    pub(crate) fn starts(&self, runs: Range<usize>) -> Vec<u32> {
        let number = runs.len().saturating_add(1);
        let mut starts = Vec::with_capacity(number);
        match &self.starts {
            Starts::List(list) => {
                let mut listed = Vec::new();
                list.decode(runs.start..runs.end.saturating_add(1), &mut listed);
                starts.extend(listed.iter().map(|start| u32::try_from(*start).unwrap_or(0).min(self.rows)));
            }
            Starts::Marks(marks) => {
                starts.extend(marks.ones(self.start(runs.start)..self.rows).take(number));
            }
        }
        starts.resize(number, self.rows);
        starts
    }

    /// The runs at or under a unit, as long as the unit is not below the directory's level.
    pub(crate) fn under(&self, place: &Tree, base: Node) -> Range<usize> {
        let first = self.first_from(place, 0, place.label(base));
        first..self.first_from(place, first, place.end(base))
    }

    /// The first row whose unit stands at or after a label.
    pub(crate) fn start_from(&self, place: &Tree, label: u64) -> u32 {
        self.start(self.first_from(place, 0, label))
    }

    /// The run that holds a row.
    pub(crate) fn run_of(&self, row: u32) -> usize {
        match &self.starts {
            Starts::List(starts) => {
                starts.lower_bound(0..starts.rows(), i64::from(row).saturating_add(1)).saturating_sub(1)
            }
            Starts::Marks(marks) => marks.rank(row.saturating_add(1)).saturating_sub(1) as usize,
        }
    }

    /// The runs that hold the rows of a range.
    pub(crate) fn runs_of(&self, rows: Range<u32>) -> Range<usize> {
        let Some(last) = rows.end.checked_sub(1).filter(|last| *last >= rows.start) else { return 0..0 };
        let first = self.run_of(rows.start);
        first..self.run_of(last).max(first).saturating_add(1)
    }

    /// Finds which of some runs so many rows lie in.
    pub(crate) fn finder(&self, runs: Range<usize>, rows: usize) -> Finder<'a> {
        let mut ahead = Vec::new();
        if let Starts::List(starts) = &self.starts
            && runs.len() <= rows.saturating_mul(RUNS_AHEAD)
        {
            starts.decode(runs.clone(), &mut ahead);
        }
        Finder { directory: *self, first: runs.start, starts: ahead }
    }

    /// Finds where runs start, from a row where one does.
    pub(crate) fn walk(&self, start: u32) -> Walk<'a> {
        let marks = match self.starts {
            Starts::Marks(marks) => marks.word((start >> 6) as usize) & u64::MAX.unbounded_shl(start & 63),
            Starts::List(_) => 0,
        };
        Walk { directory: *self, from: start & !63, marks, before: start, run: start..start }
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
        match &self.starts {
            Starts::List(starts) => starts.check()?,
            Starts::Marks(marks) => marks.check()?,
        }
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
        if self.start(0) != 0 || self.start(self.len()) != self.rows {
            return Err(Corruption::new(0, "the runs do not cover the rows"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_lies_in_the_last_run_that_has_begun(
            lengths in prop::collection::vec(prop_oneof![1i64..4, 1i64..90], 1..60),
            marked: bool,
            ends in any::<[prop::sample::Index; 2]>(),
            few in 1usize..40,
        ) {
            let mut starts = vec![0];
            for length in &lengths {
                starts.push(starts.last().unwrap() + length);
            }
            let rows = *starts.last().unwrap() as u32;
            let bytes = encode(&Runs { units: (0..).take(lengths.len()).collect(), starts: starts.clone(), marked });
            let directory = Directory::open(&bytes, rows).unwrap();
            let naive = |row: u32| starts.iter().filter(|start| **start <= i64::from(row)).count() - 1;
            let [start, end] = ends.map(|end| end.index(rows as usize + 1) as u32);
            let range = start.min(end)..start.max(end);
            let runs = directory.runs_of(range.clone());
            prop_assert_eq!(runs.len(), range.clone().last().map_or(0, |last| naive(last) - naive(range.start) + 1));
            let ends: Vec<u32> = (runs.start..=runs.end).map(|run| starts[run] as u32).collect();
            prop_assert_eq!(directory.starts(runs.clone()), ends.clone());
            prop_assert_eq!(runs.clone().chain([runs.end]).map(|run| directory.start(run)).collect::<Vec<_>>(), ends);
            let finder = directory.finder(runs, few);
            for row in range.clone().chain(range.clone().rev()) {
                prop_assert_eq!((directory.run_of(row), finder.run_of(row)), (naive(row), naive(row)));
            }
            // Some rows of those from the start of a run on, at a few calls.
            let from = starts[naive(range.start.min(rows - 1))] as u32;
            let some: Vec<u32> = (from..rows).step_by(few).collect();
            let mut walk = directory.walk(from);
            for rows in some.chunks(3) {
                let mut found = [0; 3];
                walk.starts_of(rows, &mut found);
                for (row, start) in rows.iter().zip(found) {
                    prop_assert_eq!(start, starts[naive(*row)] as u32);
                }
            }
        }
    }
}
