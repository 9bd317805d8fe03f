//! The numbers that single rows have: columns, and the time between two clocks.

use std::ops::Range;

use crate::error::Result;
use crate::schema::{Clock, MeasureSource, Schema, Unit};
use crate::segment::{Column, ColumnId, MISSING, Segment, elapsed, present};

use super::select::Kept;

/// Rows whose values are read at once.
pub(super) const AT_ONCE: usize = 1024;

/// A number that every row has or lacks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number<'a> {
    /// A column; where the segment has none, every row lacks it.
    Column(Option<Column<'a>>),
    /// The whole units of time between two clocks.
    Elapsed { from: Option<Column<'a>>, to: Option<Column<'a>>, unit: i64 },
}

impl<'a> Number<'a> {
    /// The values of a measure.
    pub(crate) fn measure(segment: &'a Segment, schema: &Schema, measure: usize) -> Result<Self> {
        match schema.measures.get(measure).map(|measure| &measure.source) {
            Some(&MeasureSource::Between { from, to, unit }) => Self::elapsed(segment, from, to, unit),
            _ => segment.column(ColumnId::Measure(measure)).map(Self::Column),
        }
    }

    /// The time between two clocks.
    pub(crate) fn elapsed(segment: &'a Segment, from: Clock, to: Clock, unit: Unit) -> Result<Self> {
        let (from, to) = (segment.column(from.into())?, segment.column(to.into())?);
        Ok(Self::Elapsed { from, to, unit: unit.seconds() })
    }

    /// The value of a row, units of time rounded down; [`MISSING`] where there is none.
    pub(crate) fn get(&self, row: u32) -> i64 {
        let value =
            |column: &Option<Column<'_>>| column.as_ref().map_or(MISSING, |column| column.get(row as usize));
        match self {
            Self::Column(column) => value(column),
            Self::Elapsed { from, to, unit } => elapsed(value(from), value(to), *unit),
        }
    }

    /// Visits the values of the kept rows of a run, those that have one.
    pub(super) fn each(&self, kept: &Kept, run: Range<u32>, mut visit: impl FnMut(i64)) {
        let (Self::Column(Some(column)), Kept::All) = (self, kept) else {
            return kept.for_each(run, |row| {
                if let Some(value) = present(self.get(row)) {
                    visit(value);
                }
            });
        };
        let mut values = Vec::with_capacity(AT_ONCE);
        for start in (run.start as usize..run.end as usize).step_by(AT_ONCE) {
            values.clear();
            column.decode(start..(run.end as usize).min(start + AT_ONCE), &mut values);
            values.iter().copied().filter_map(present).for_each(&mut visit);
        }
    }
}
