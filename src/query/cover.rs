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
    /// Those of some days.
    Days { days: Days, parts: Vec<Lines<'s>> },
}

/// Days of a view by days, step by step.
#[derive(Debug, Clone)]
pub(super) struct Days {
    /// The first step.
    pub(super) step: usize,
    /// The day with which it begins, and the ends of it and of each step behind it; at least one.
    pub(super) edges: Vec<usize>,
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
    pub(super) part: Part,
    pub(super) view: SectionId,
    pub(super) grid: Grid<'s>,
    pub(super) range: Range<usize>,
    /// How many of them count for one unit: one, or all.
    pub(super) per_unit: usize,
}

impl<'s> Runs<'s> {
    /// Those of a part, without a view.
    pub(super) fn new(snapshot: &Snapshot, segment: &'s Segment, part: Part) -> Result<Self> {
        let place = snapshot.place();
        let level = level_of(snapshot, part);
        let directory = segment.directory(level)?;
        let range = match part.base {
            None => 0..directory.len(),
            Some(base) => directory.under(place, base),
        };
        let per_unit = if part.level.is_some() { 1 } else { range.len() };
        Ok(Self { part, level, directory, view: None, range, per_unit })
    }

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

impl<'s> Lines<'s> {
    pub(super) fn new(
        plan: &Plan,
        snapshot: &Snapshot,
        part: Part,
        (view, grid): (SectionId, Grid<'s>),
    ) -> Self {
        let range = match (view, under(plan), part.base) {
            (SectionId::NodeDays(tree, _), Some((_, node)), _) => {
                grid.under(&snapshot.forest().trees[tree], node)
            }
            (_, _, Some(base)) => grid.under(snapshot.place(), base),
            (_, _, None) => 0..grid.lines(),
        };
        let per_unit = if part.level.is_some() { 1 } else { range.len() };
        Self { part, view, grid, range, per_unit }
    }

    /// How many units there are.
    pub(super) fn units(&self) -> usize {
        self.range.len().checked_div(self.per_unit).unwrap_or(0)
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
        let unit = |level: usize| snapshot.place().levels().get(level);
        match self {
            Self::Whole { parts, .. } => unit(parts.iter().find(|runs| runs.view.is_some())?.level).cloned(),
            Self::Days { parts, .. } => match parts.first()?.view {
                SectionId::NodeDays(tree, level) => {
                    let tree = &snapshot.forest().trees[tree];
                    Some(format!("{} of {} by day", tree.levels().get(level)?, tree.name()))
                }
                SectionId::UnitDays(Clock::Created, level) => Some(format!("{} by day", unit(level)?)),
                SectionId::UnitDays(clock, level) => {
                    let clock = snapshot.schema().clock_name(clock);
                    Some(format!("{} by day of {clock}", unit(level)?))
                }
                _ => None,
            },
        }
    }

    fn whole(plan: &Plan, snapshot: &Snapshot, segment: &'s Segment, step: usize) -> Result<Option<Self>> {
        for counter in &plan.needs.counters {
            if segment.counter(*counter)?.is_none() {
                return Ok(None);
            }
        }
        let views = plan.access != Some(Access::Bitmaps);
        let runs = |part: &Part| {
            let runs = Runs::new(snapshot, segment, *part)?;
            let view = if views { segment.level(runs.level)? } else { None };
            Ok(Runs { view, ..runs })
        };
        let parts = plan.parts.iter().map(runs).collect::<Result<Vec<_>>>()?;
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
            let Some(lines) = lines(plan, snapshot, segment, *part)? else { return Ok(None) };
            parts.push(lines);
        }
        let bounds = segment.summary().times(clock_of_days(plan));
        let (Some(first), Some(bounds)) = (parts.first(), bounds) else { return Ok(None) };
        Ok(Days::of(plan, frame, bounds, &first.grid).map(|days| Self::Days { days, parts }))
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

/// The lines of a view by days that are a part's, or the node's that the filter asks for.
fn lines<'s>(
    plan: &Plan,
    snapshot: &Snapshot,
    segment: &'s Segment,
    part: Part,
) -> Result<Option<Lines<'s>>> {
    for view in views_by_days(plan, snapshot, part) {
        if let Some(grid) = segment.grid(view)?.filter(|grid| is_counted(plan, grid)) {
            return Ok(Some(Lines::new(plan, snapshot, part, (view, grid))));
        }
    }
    Ok(None)
}

/// The tree and the node that the filter asks for, where all places are asked for as one.
pub(super) fn under(plan: &Plan) -> Option<(usize, Node)> {
    let as_one = |part: &Part| part.base.is_none() && part.level.is_none();
    plan.under.filter(|_| plan.parts.iter().all(as_one))
}

impl Days {
    /// Those of orders whose clock lies between two times; none where a step or the span begins or ends within a day that has
    /// orders on both sides.
    pub(super) fn of(plan: &Plan, frame: &Frame, (first, last): (i64, i64), grid: &Grid<'_>) -> Option<Self> {
        let starts = grid.starts();
        // The day that begins at an instant, looked for from another one on.
        let day = |instant: i64, behind: usize| {
            if instant <= first {
                return Some(0);
            }
            if instant > last {
                return Some(grid.days());
            }
            let at = behind + starts.get(behind..)?.iter().take_while(|start| **start < instant).count();
            (starts.get(at) == Some(&instant)).then_some(at)
        };
        let (begin, end) = (plan.span.start(), plan.span.end());
        if plan.grain.is_none() {
            return Some(Self { step: 0, edges: vec![day(begin, 0)?, day(end, 0)?] });
        }
        let step = frame.steps.partition_point(|start| *start <= first).saturating_sub(1);
        let mut behind = day(frame.steps.get(step).copied()?.max(begin), 0)?;
        let ends = frame.steps.get(step + 1..)?;
        // As long as steps are days, one is behind the other.
        let daily = ends.iter().zip(starts.get(behind + 1..)?);
        let daily = daily.take_while(|(step, start)| step == start && **step <= end).count();
        let mut edges: Vec<usize> = (behind..=behind + daily).collect();
        behind += daily;
        for step in &ends[daily..] {
            if behind == grid.days() {
                break;
            }
            behind = day((*step).min(end), behind)?;
            edges.push(behind);
        }
        Some(Self { step, edges })
    }
}
