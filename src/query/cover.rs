//! Which views cover a question, segment by segment.

use std::ops::Range;

use crate::calendar::Span;
use crate::error::Result;
use crate::schema::Clock;
use crate::segment::{Directory, Fact, Grid, Records, SectionId, Segment};
use crate::store::{Live, Snapshot};
use crate::tree::Node;

use super::Access;
use super::execute::{Frame, Times};
use super::plan::{Part, Plan};

/// How the orders of a segment are had from ranges.
#[derive(Debug)]
pub(super) enum Cover<'s> {
    /// All orders of the parts' units, which lie in one step.
    Whole { step: usize, parts: Vec<Runs<'s>> },
    /// Those of some days, for each step.
    Days { steps: Vec<(usize, Range<usize>)>, parts: Vec<Lines<'s>> },
}

/// The runs of a segment that count for one part of the question.
#[derive(Debug, Clone)]
pub(super) struct Runs<'s> {
    pub(super) part: Part,
    pub(super) level: usize,
    pub(super) directory: Directory<'s>,
    pub(super) view: Option<Records<'s>>,
    pub(super) range: Range<usize>,
    /// How many of them count for one unit: one, or all.
    pub(super) per_unit: usize,
}

/// The lines of a view by days that count for one part of the question.
#[derive(Debug, Clone)]
pub(super) struct Lines<'s> {
    pub(super) grid: Grid<'s>,
    pub(super) range: Range<usize>,
    pub(super) runs: Runs<'s>,
    /// The clock whose days they are.
    pub(super) clock: Clock,
    /// The tree and the node under which orders have to be, and the level of the view.
    pub(super) under: Option<(usize, Node, usize)>,
}

impl Runs<'_> {
    /// The first run, and how many count for one unit.
    pub(super) fn first(&self) -> (usize, usize) {
        (self.range.start, self.per_unit)
    }

    /// How many units there are.
    pub(super) fn units(&self) -> usize {
        if self.range.is_empty() { 0 } else { self.range.len() / self.per_unit.max(1) }
    }

    /// The first row of every unit, and the end of the last.
    pub(super) fn starts(&self) -> Vec<u32> {
        if self.per_unit == 1 {
            return self.directory.starts(self.range.clone());
        }
        vec![self.directory.start(self.range.start), self.directory.start(self.range.end)]
    }
}

impl Lines<'_> {
    /// The first line, and how many count for one unit: under a node of another tree all its lines, for the only unit.
    pub(super) fn first(&self) -> (usize, usize) {
        let per_unit = if self.under.is_some() { self.range.len() } else { self.runs.per_unit };
        (self.range.start, per_unit)
    }
}

impl<'s> Cover<'s> {
    /// How what is asked can be had from the ranges of a segment; none where rows have to be read.
    pub(super) fn of(
        plan: &Plan,
        frame: &Frame,
        snapshot: &Snapshot,
        live: &'s Live,
        times: &Times,
    ) -> Result<Option<Self>> {
        let additive = plan.by.is_empty() && plan.needs.adds_up();
        let ranges = plan.access != Some(Access::Scan);
        if !times.some || !additive || !ranges || live.visibility().is_some() {
            return Ok(None);
        }
        if times.all
            && plan.filter.is_always()
            && let Some(step) = times.step.and_then(|step| frame.place_of(step))
        {
            return Self::whole(plan, snapshot, &live.segment, step);
        }
        if is_by_days(plan) && plan.access != Some(Access::Bitmaps) {
            return Self::days(plan, frame, snapshot, &live.segment);
        }
        Ok(None)
    }

    /// What the view is called; none where row numbers and ranks tell.
    pub(super) fn name(&self, snapshot: &Snapshot) -> Option<String> {
        let unit = |runs: &Runs<'_>| snapshot.place().levels().get(runs.level).cloned();
        match self {
            Self::Whole { parts, .. } => unit(parts.iter().find(|runs| runs.view.is_some())?),
            Self::Days { parts, .. } => {
                let lines = parts.first()?;
                match lines.under {
                    None if lines.clock == Clock::Created => Some(format!("{} by day", unit(&lines.runs)?)),
                    None => {
                        let clock = snapshot.schema().clock_name(lines.clock);
                        Some(format!("{} by day of {clock}", unit(&lines.runs)?))
                    }
                    Some((tree, _, level)) => {
                        let tree = &snapshot.forest().trees[tree];
                        Some(format!("{} of {} by day", tree.levels().get(level)?, tree.name()))
                    }
                }
            }
        }
    }

    fn whole(plan: &Plan, snapshot: &Snapshot, segment: &'s Segment, step: usize) -> Result<Option<Self>> {
        for counter in &plan.needs.counters {
            if segment.counter(*counter)?.is_none() {
                return Ok(None);
            }
        }
        let parts = plan.parts.iter().map(|part| runs(plan, snapshot, segment, *part));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let sums = |view: &Records<'_>| {
            let lanes = |measure: &usize| [Fact::Having(*measure), Fact::Sum(*measure)];
            plan.needs.sums.iter().flat_map(lanes).all(|fact| view.lane(fact).is_some())
        };
        let summed = plan.needs.sums.is_empty()
            || parts.iter().all(|runs: &Runs<'_>| runs.view.as_ref().is_some_and(sums));
        Ok(summed.then_some(Self::Whole { step, parts }))
    }

    fn days(plan: &Plan, frame: &Frame, snapshot: &Snapshot, segment: &'s Segment) -> Result<Option<Self>> {
        let mut parts = Vec::with_capacity(plan.parts.len());
        for part in &plan.parts {
            let runs = runs(plan, snapshot, segment, *part)?;
            let Some(lines) = lines(plan, snapshot, segment, runs)? else { return Ok(None) };
            parts.push(lines);
        }
        let bounds = segment.summary().times(clock_of_days(plan));
        let (Some(first), Some(bounds)) = (parts.first(), bounds) else { return Ok(None) };
        Ok(steps(plan, frame, bounds, &first.grid).map(|steps| Self::Days { steps, parts }))
    }
}

/// Whether a question is one of days, and asks for nothing that a view by days lacks.
pub(super) fn is_by_days(plan: &Plan) -> bool {
    // Without a span, orders that lack the clock count as well, and have no day.
    let by_days = clock_of_days(plan) == Clock::Created || plan.span != Span::ALL;
    by_days && plan.needs.sums.is_empty() && (plan.filter.is_always() || under(plan).is_some())
}

/// The clock by whose days such a question is answered: where it is not about time, any will do.
pub(super) fn clock_of_days(plan: &Plan) -> Clock {
    if plan.span == Span::ALL && plan.grain.is_none() { Clock::Created } else { plan.clock }
}

/// The views by days that may answer a part of such a question, the smallest first.
pub(super) fn views_by_days(
    plan: &Plan,
    snapshot: &Snapshot,
    part: Part,
) -> impl Iterator<Item = SectionId> + use<> {
    let clock = clock_of_days(plan);
    let under = under(plan).filter(|_| clock == Clock::Created).map(|(number, node)| {
        let tree = &snapshot.forest().trees[number];
        (tree.level_of(node)..tree.levels().len()).map(move |level| SectionId::NodeDays(number, level))
    });
    let units = plan.filter.is_always().then(|| SectionId::UnitDays(clock, level_of(snapshot, part)));
    units.into_iter().chain(under.into_iter().flatten())
}

/// Whether a view by days has all that is counted.
pub(super) fn is_counted(plan: &Plan, grid: &Grid<'_>) -> bool {
    let counters = plan.needs.counters.iter().map(|counter| Fact::Counter(*counter));
    counters.chain([Fact::Orders]).all(|fact| grid.sums(fact).is_some())
}

/// The level whose units make up a part.
pub(super) fn level_of(snapshot: &Snapshot, part: Part) -> usize {
    part.level.or_else(|| part.base.map(|base| snapshot.place().level_of(base))).unwrap_or(0)
}

/// The runs of a part.
pub(super) fn runs<'s>(
    plan: &Plan,
    snapshot: &Snapshot,
    segment: &'s Segment,
    part: Part,
) -> Result<Runs<'s>> {
    let place = snapshot.place();
    let level = level_of(snapshot, part);
    let directory = segment.directory(level)?;
    let view = if plan.access == Some(Access::Bitmaps) { None } else { segment.level(level)? };
    let range = match part.base {
        None => 0..directory.len(),
        Some(base) => directory.under(place, base),
    };
    let per_unit = if part.level.is_some() { 1 } else { range.len() };
    Ok(Runs { part, level, directory, view, range, per_unit })
}

/// The lines of a view by days that are the runs of a part, or the node that the filter asks for.
fn lines<'s>(
    plan: &Plan,
    snapshot: &Snapshot,
    segment: &'s Segment,
    runs: Runs<'s>,
) -> Result<Option<Lines<'s>>> {
    let clock = clock_of_days(plan);
    for view in views_by_days(plan, snapshot, runs.part) {
        let Some(grid) = segment.grid(view)?.filter(|grid| is_counted(plan, grid)) else { continue };
        match (view, under(plan)) {
            (SectionId::NodeDays(number, level), Some((_, node))) => {
                let range = grid.under(&snapshot.forest().trees[number], node);
                return Ok(Some(Lines { grid, range, runs, clock, under: Some((number, node, level)) }));
            }
            // A line of the view is a run of the level.
            _ if grid.lines() == runs.directory.len() => {
                return Ok(Some(Lines { grid, range: runs.range.clone(), runs, clock, under: None }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The tree and the node that the filter asks for, where all places are asked for as one.
pub(super) fn under(plan: &Plan) -> Option<(usize, Node)> {
    let as_one = |part: &Part| part.base.is_none() && part.level.is_none();
    plan.under.filter(|_| plan.parts.iter().all(as_one))
}

/// The days of each step, of orders whose clock lies between two times; none where a step or the span begins or ends within a day
/// that has orders on both sides.
pub(super) fn steps(
    plan: &Plan,
    frame: &Frame,
    (first, last): (i64, i64),
    grid: &Grid<'_>,
) -> Option<Vec<(usize, Range<usize>)>> {
    let starts = grid.starts();
    let mut at = 0;
    // The day that begins at an instant; instants come ascending.
    let mut day = |instant: i64| {
        if instant <= first {
            return Some(0);
        }
        if instant > last {
            return Some(grid.days());
        }
        at += starts.get(at..)?.iter().take_while(|start| **start < instant).count();
        (starts.get(at) == Some(&instant)).then_some(at)
    };
    if plan.grain.is_none() {
        return Some(vec![(0, day(plan.span.start())?..day(plan.span.end())?)]);
    }
    let from = frame.steps.partition_point(|start| *start <= first).saturating_sub(1);
    let mut steps = Vec::with_capacity(grid.days());
    let mut begin = day(frame.steps.get(from).copied()?.max(plan.span.start()))?;
    for (step, end) in (from..).zip(frame.steps.get(from + 1..)?) {
        let behind = day((*end).min(plan.span.end()))?;
        if begin < behind {
            steps.push((step, begin..behind));
        }
        begin = behind;
        if begin == grid.days() {
            break;
        }
    }
    Some(steps)
}
