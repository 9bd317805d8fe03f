//! Counting by ranges: what runs of rows add up to, without looking at a row.
//!
//! A unit is one range of rows, and what lies in it is one subtraction: of records of a view where there is one, else of
//! row numbers and of ranks in a counter's bits. What has died since is taken out.

use std::sync::Arc;

use crate::error::Result;
use crate::segment::{Column, ColumnId, Deaths, Fact, Grid, MISSING, Records, SectionId, present};
use crate::store::{FEW_DEAD, Live, Page, Snapshot};

use super::cover::{Cover, Days, Lines, Runs, clock_of_days, under};
use super::execute::Frame;
use super::facts::add;
use super::groups::{Member, NONE, member};
use super::number::Number;
use super::plan::{Part, Plan};
use super::table::Table;

/// Adds up ranges of segments.
pub(super) struct Ranges<'a> {
    pub(super) plan: &'a Plan,
    pub(super) frame: &'a Frame,
    pub(super) snapshot: &'a Snapshot,
    pub(super) table: Table,
    /// Reused for every segment: the first cell of each unit.
    pub(super) cells: Vec<usize>,
    /// Reused for every block: its page for each part.
    pub(super) pages: Vec<(Part, Arc<Page>)>,
}

impl<'a> Ranges<'a> {
    pub(super) fn new(plan: &'a Plan, frame: &'a Frame, snapshot: &'a Snapshot) -> Self {
        let table = Table::new(&plan.needs, frame.steps.len().saturating_sub(1));
        Self { plan, frame, snapshot, table, cells: Vec::new(), pages: Vec::new() }
    }

    /// Adds a segment; says whether the table has room for it.
    pub(super) fn add(&mut self, live: &Live, cover: &Cover<'_>) -> Result<bool> {
        let units = match cover {
            Cover::Whole { parts, .. } => parts.iter().map(Runs::units).sum(),
            Cover::Days { parts, .. } => parts.iter().map(Lines::units).sum(),
        };
        if !self.table.has_room(units) {
            return Ok(false);
        }
        match cover {
            Cover::Whole { step, parts } => {
                for runs in parts {
                    self.place_runs(runs);
                    self.cells.iter_mut().for_each(|cell| *cell += step);
                    self.count(live, runs)?;
                    for deaths in &live.deaths {
                        self.take_out(live, deaths, runs)?;
                    }
                }
            }
            Cover::Days { days, parts } => {
                for lines in parts {
                    self.add_lines(lines, days);
                    for deaths in &live.deaths {
                        self.take_out_of_days(live, deaths, lines, days)?;
                    }
                }
            }
        }
        Ok(true)
    }

    /// Finds the cells of units that come in tree order, or the one cell of a part that is one unit.
    pub(super) fn place(&mut self, part: Part, units: impl ExactSizeIterator<Item = Member>) {
        let place = self.snapshot.place();
        if units.len() == 0 {
            self.cells.clear();
        } else if part.level.is_some() {
            self.table.cells(place, units, &mut self.cells);
        } else {
            self.table.cells(place, std::iter::once(member(part.base)), &mut self.cells);
        }
    }

    fn place_runs(&mut self, runs: &Runs<'_>) {
        let unit = |run| runs.directory.unit(run).unwrap_or(NONE);
        self.place(runs.part, runs.range.clone().map(unit));
    }

    fn count(&mut self, live: &Live, runs: &Runs<'_>) -> Result<()> {
        if let Some(view) = &runs.view {
            self.count_view(view, runs.first(), add, i128::saturating_add);
            return Ok(());
        }
        let facts = &mut self.table.facts;
        let orders = &mut facts.orders;
        let starts = runs.starts();
        let start = |unit: usize| starts.get(unit).copied().unwrap_or_default();
        grow((0, 1), &self.cells, |unit| start(unit).into(), |cell, more| add(&mut orders[cell], more));
        for (counts, number) in facts.counters.iter_mut().zip(&self.plan.needs.counters) {
            let Some(bits) = live.segment.counter(*number)? else { continue };
            let rank = |unit| u64::from(bits.rank(start(unit)));
            grow((0, 1), &self.cells, rank, |cell, more| add(&mut counts[cell], more));
        }
        Ok(())
    }

    /// Adds a view, or takes it out.
    pub(super) fn count_view(
        &mut self,
        view: &Records<'_>,
        runs: (usize, usize),
        change: impl Fn(&mut u64, u64),
        change_sum: impl Fn(i128, i128) -> i128,
    ) {
        let facts = &mut self.table.facts;
        let needs = &self.plan.needs;
        let counters = needs.counters.iter().map(|number| Fact::Counter(*number));
        let counts = std::iter::once(&mut facts.orders).chain(&mut facts.counters);
        for (counts, fact) in counts.zip(std::iter::once(Fact::Orders).chain(counters)) {
            let Some(lane) = view.lane(fact) else { continue };
            grow(runs, &self.cells, |run| lane.at(run), |cell, more| change(&mut counts[cell], more));
        }
        for (sums, number) in facts.sums.iter_mut().zip(&needs.sums) {
            let lanes = view.lane(Fact::Having(*number)).zip(view.lane(Fact::Sum(*number)));
            let Some((having, sum)) = lanes else { continue };
            let base = i128::from(sum.base);
            grow(
                runs,
                &self.cells,
                |run| sum.at(run),
                |cell, more| {
                    sums[cell].0 = change_sum(sums[cell].0, more.into());
                },
            );
            grow(
                runs,
                &self.cells,
                |run| having.at(run),
                |cell, more| {
                    sums[cell].0 = change_sum(sums[cell].0, base * i128::from(more));
                    change(&mut sums[cell].1, more);
                },
            );
        }
    }

    /// Adds some days of a view by days.
    pub(super) fn add_lines(&mut self, lines: &Lines<'_>, days: &Days) {
        let place = self.snapshot.place();
        self.place(lines.part, lines.range.clone().map(|line| member(lines.grid.node(place, line))));
        self.count_days(&lines.grid, lines, days, add);
    }

    /// Adds some days of a view by days, or takes them out, in the cells of the lines' units.
    fn count_days(
        &mut self,
        grid: &Grid<'_>,
        lines: &Lines<'_>,
        days: &Days,
        change: impl Fn(&mut u64, u64),
    ) {
        let Some((first, ends)) = days.edges.split_first() else { return };
        let facts = &mut self.table.facts;
        let counters = self.plan.needs.counters.iter().map(|number| Fact::Counter(*number));
        let counts = std::iter::once(&mut facts.orders).chain(&mut facts.counters);
        for (counts, fact) in counts.zip(std::iter::once(Fact::Orders).chain(counters)) {
            let Some(sums) = grid.sums(fact) else { continue };
            let mut line = lines.range.start;
            for cell in &self.cells {
                let unit = line..line + lines.per_unit;
                line = unit.end;
                let mut before = sums.before(unit.clone(), *first);
                for (count, end) in counts[cell + days.step..].iter_mut().zip(ends) {
                    let here = sums.before(unit.clone(), *end);
                    change(count, here.saturating_sub(before));
                    before = here;
                }
            }
        }
    }

    /// Takes out versions that have ended. In a damaged segment a run may count fewer than its dead.
    fn take_out(&mut self, live: &Live, deaths: &Deaths, runs: &Runs<'_>) -> Result<()> {
        if deaths.len() <= FEW_DEAD {
            let step = |_| Some(0);
            return self.take_rows(live, deaths, runs, step);
        }
        if runs.view.is_some() {
            let section = SectionId::Level(runs.level);
            let bytes = deaths.view(section, &live.segment, self.plan.schema(), self.snapshot.forest())?;
            let view = live.segment.placed(section, Records::open(&bytes))?;
            self.count_view(&view, runs.first(), take, i128::saturating_sub);
            return Ok(());
        }
        for (&cell, ends) in self.cells.iter().zip(runs.starts().windows(2)) {
            let rows = ends[0]..ends[1].max(ends[0]);
            take(&mut self.table.facts.orders[cell], deaths.count(rows.clone()));
            for (counts, number) in self.table.facts.counters.iter_mut().zip(&self.plan.needs.counters) {
                take(&mut counts[cell], deaths.counted(*number, rows.clone()));
            }
        }
        Ok(())
    }

    /// Takes out versions that have ended of the days that were asked for, and of what lies under a node.
    fn take_out_of_days(
        &mut self,
        live: &Live,
        deaths: &Deaths,
        lines: &Lines<'_>,
        days: &Days,
    ) -> Result<()> {
        let (segment, forest) = (&live.segment, self.snapshot.forest());
        if deaths.len() > FEW_DEAD {
            let bytes = deaths.view(lines.view, segment, self.plan.schema(), forest)?;
            let grid = segment.placed(lines.view, Grid::open(&bytes))?;
            self.count_days(&grid, lines, days, take);
            return Ok(());
        }
        let times = segment.column(clock_of_days(self.plan).into())?;
        let under = under(self.plan);
        let node = under.map_or(Ok(None), |(tree, _)| segment.column(ColumnId::Tree(tree)))?;
        let value =
            |column: Option<Column<'_>>, row: u32| column.map_or(MISSING, |column| column.get(row as usize));
        let is_under = |row: u32| {
            under.is_none_or(|(tree, base)| {
                let tree = &forest.trees[tree];
                let node = u32::try_from(value(node, row)).ok().and_then(|node| tree.get(node));
                node.is_some_and(|node| tree.is_under(node, base))
            })
        };
        let (plan, frame) = (self.plan, self.frame);
        let step = |row| {
            let time = value(times, row);
            let step = frame.place_of(frame.step(time))?;
            (plan.span.contains(time) && is_under(row)).then_some(step)
        };
        // A line of a level's view is a run of the level.
        self.take_rows(live, deaths, &Runs::new(self.snapshot, segment, lines.part)?, step)
    }

    /// Takes out rows one by one, each of its unit and step.
    fn take_rows(
        &mut self,
        live: &Live,
        deaths: &Deaths,
        runs: &Runs<'_>,
        step: impl Fn(u32) -> Option<usize>,
    ) -> Result<()> {
        let (segment, needs) = (&live.segment, &self.plan.needs);
        let counters = needs.counters.iter().map(|number| segment.counter(*number));
        let counters = counters.collect::<Result<Vec<_>>>()?;
        let measures = needs.sums.iter().map(|number| Number::measure(segment, self.plan.schema(), *number));
        let measures = measures.collect::<Result<Vec<_>>>()?;
        let facts = &mut self.table.facts;
        let hull = runs.directory.start(runs.range.start)..runs.directory.start(runs.range.end);
        for row in deaths.rows(hull) {
            let run = runs.directory.run_of(row).checked_sub(runs.range.start);
            let cell = run.and_then(|run| self.cells.get(run / runs.per_unit.max(1)));
            let Some(cell) = cell.zip(step(row)).map(|(cell, step)| cell + step) else { continue };
            take(&mut facts.orders[cell], 1);
            for (counts, bits) in facts.counters.iter_mut().zip(&counters) {
                take(&mut counts[cell], u64::from(bits.is_some_and(|bits| bits.get(row))));
            }
            for (sums, measure) in facts.sums.iter_mut().zip(&measures) {
                if let Some(value) = present(measure.get(row)) {
                    sums[cell].0 = sums[cell].0.saturating_sub(value.into());
                    take(&mut sums[cell].1, 1);
                }
            }
        }
        Ok(())
    }
}

/// Calls `each` for the cell of every unit with how much a running sum grows within it; units begin at the first run and
/// have so many each.
fn grow(
    (first, per_unit): (usize, usize),
    cells: &[usize],
    sum: impl Fn(usize) -> u64,
    mut each: impl FnMut(usize, u64),
) {
    let mut at = first;
    let mut before = sum(at);
    for cell in cells {
        at += per_unit;
        let here = sum(at);
        each(*cell, here.saturating_sub(before));
        before = here;
    }
}

/// Takes from a count, as far as there is something.
fn take(count: &mut u64, less: u64) {
    *count = count.saturating_sub(less);
}
