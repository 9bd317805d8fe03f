//! Counting: a plan and the segments of a snapshot in, groups out.

use std::ops::Range;

use crate::calendar::Span;
use crate::error::Result;
use crate::filter::Condition;
use crate::schema::Clock;
use crate::segment::{Directory, MISSING, RowMask, Segment};
use crate::store::{Live, Snapshot, bounds};

use super::Access;
use super::groups::{Groups, Keys, Member, NONE, member};
use super::plan::{Part, Plan};
use super::rows::{CounterRows, RowReader, Sink};
use super::select::Selector;

/// The steps of time of an execution, and the packing of its keys.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The first second of each step, and the end of the last; empty where no grain is asked for.
    pub(crate) steps: Vec<i64>,
    pub(crate) keys: Keys,
}

impl Frame {
    /// The steps that the span and the clocks of the segments leave possible.
    pub(crate) fn new(plan: &Plan, snapshot: &Snapshot) -> Result<Self> {
        let steps = match plan.grain {
            None => Vec::new(),
            Some(grain) => snapshot.calendar().steps(grain, reach(plan, snapshot)?),
        };
        let sizes = plan.by.iter().map(|by| by.groups.iter().max().map_or(0, |most| *most as usize + 1));
        let keys = Keys::new(sizes, steps.len())?;
        Ok(Self { steps, keys })
    }

    /// The step that a time lies in.
    pub(super) fn step(&self, time: i64) -> Member {
        if time == MISSING {
            return NONE;
        }
        let step = self.steps.partition_point(|start| *start <= time);
        step.checked_sub(1).and_then(|step| u32::try_from(step).ok()).unwrap_or(NONE)
    }
}

/// The span, with its open sides bounded by the first and the last time of the clock of any order.
fn reach(plan: &Plan, snapshot: &Snapshot) -> Result<Span> {
    if plan.span.start() != Span::ALL.start() && plan.span.end() != Span::ALL.end() {
        return Ok(plan.span);
    }
    let Some((first, last)) = bounds(snapshot.lives(), plan.clock) else {
        return Span::new(plan.span.start(), plan.span.start());
    };
    let start = if plan.span.start() == Span::ALL.start() { first } else { plan.span.start() };
    let end = if plan.span.end() == Span::ALL.end() { last.saturating_add(1) } else { plan.span.end() };
    Span::new(start.min(end), end)
}

fn clock_bounds(segment: &Segment, clock: Clock) -> Option<(i64, i64)> {
    let summary = segment.summary();
    match clock {
        Clock::Created => summary.created,
        Clock::Other(number) => summary.clocks.get(number).copied().flatten(),
    }
}

/// How the rows of a segment are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None of its orders is asked for.
    Pruned,
    By(Access),
}

/// What was asked of a segment, and how it is answered.
#[derive(Debug)]
pub(crate) struct SegmentPlan {
    pub(crate) reach: Reach,
    /// The rows of each part.
    pub(crate) ranges: Vec<(Part, Range<u32>)>,
    /// What the rows have to fulfil; none for all.
    pub(crate) filter: Option<Condition>,
    /// Whether rows are read one by one, rather than counted in ranges.
    by_row: bool,
}

impl SegmentPlan {
    /// The rows from the first asked for to the last.
    pub(crate) fn hull(&self) -> Range<u32> {
        let start = self.ranges.iter().map(|(_, range)| range.start).min().unwrap_or(0);
        start..self.ranges.iter().map(|(_, range)| range.end).max().unwrap_or(0)
    }
}

/// Chooses how to answer from a segment.
pub(crate) fn plan_segment(
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    live: &Live,
) -> Result<SegmentPlan> {
    let segment = live.segment.as_ref();
    let pruned = || SegmentPlan { reach: Reach::Pruned, ranges: Vec::new(), filter: None, by_row: false };
    let open = plan.span == Span::ALL;
    let bounds = clock_bounds(segment, plan.clock);
    let may_hold = bounds.is_some_and(|(first, last)| first < plan.span.end() && last >= plan.span.start());
    if segment.rows() == 0 || (!open && !may_hold) {
        return Ok(pruned());
    }
    let ranges = ranges(plan, snapshot, segment)?;
    if ranges.is_empty() {
        return Ok(pruned());
    }
    // `created` is never missing, so its bounds say whether the span holds all; other clocks may be missing.
    let within = bounds.is_some_and(|(first, last)| plan.span.contains(first) && plan.span.contains(last));
    let whole = open || (plan.clock == Clock::Created && within);
    let mut conditions = Vec::new();
    conditions.extend((!plan.filter.is_always()).then(|| plan.filter.clone()));
    conditions.extend((!whole).then(|| plan.span_condition()));
    conditions.extend(live.visibility());
    let filter = (!conditions.is_empty()).then_some(Condition::And(conditions));
    let one_step = plan.grain.is_none()
        || (plan.clock == Clock::Created
            && bounds.is_some_and(|(first, last)| frame.step(first) == frame.step(last)));
    let scan = plan.access == Some(Access::Scan);
    let by_row = scan || !one_step || !plan.by.is_empty() || !plan.needs.only_counts();
    let mut chosen = SegmentPlan { reach: Reach::By(Access::Scan), ranges, filter, by_row };
    let selector = Selector::new(segment, chosen.hull(), plan.access);
    match &chosen.filter {
        None if !by_row => chosen.reach = Reach::By(Access::Views),
        Some(filter) if selector.uses_bitmaps(filter)? => chosen.reach = Reach::By(Access::Bitmaps),
        _ => {}
    }
    Ok(chosen)
}

/// The rows of each part, by the directory of the part's level.
fn ranges(plan: &Plan, snapshot: &Snapshot, segment: &Segment) -> Result<Vec<(Part, Range<u32>)>> {
    let place = snapshot.place();
    let mut ranges = Vec::new();
    for part in &plan.parts {
        let range = match part.base {
            None => 0..segment.rows(),
            Some(base) => {
                let directory = segment.directory(place.level_of(base))?;
                let runs = directory.under(place, base);
                directory.start(runs.start)..directory.start(runs.end)
            }
        };
        if !range.is_empty() {
            ranges.push((*part, range));
        }
    }
    Ok(ranges)
}

/// Counts the orders of one segment.
pub(crate) fn run_segment(
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    live: &Live,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let segment = live.segment.as_ref();
    let chosen = plan_segment(plan, frame, snapshot, live)?;
    if chosen.reach == Reach::Pruned {
        return Ok(());
    }
    let selector = Selector::new(segment, chosen.hull(), plan.access);
    let by_row = chosen.by_row || sink.top.is_some();
    let mask = mask(&chosen, &selector, live, by_row)?;
    let mut rows = RowReader::open(plan, frame, segment, &selector, by_row)?;
    let first_step = match (by_row, plan.grain, clock_bounds(segment, plan.clock)) {
        (false, Some(_), Some((first, _))) => frame.step(first),
        _ => NONE,
    };
    for (part, range) in &chosen.ranges {
        for (unit, run) in runs(snapshot, segment, *part, range.clone())? {
            if !by_row {
                count_range(
                    plan,
                    frame,
                    live,
                    &rows,
                    mask.as_ref(),
                    (unit, first_step),
                    run,
                    &mut sink.groups,
                )?;
                continue;
            }
            match &mask {
                None => run.clone().try_for_each(|row| rows.add(row, unit, sink))?,
                Some(mask) => mask.iter(run).try_for_each(|row| rows.add(row, unit, sink))?,
            }
        }
    }
    Ok(())
}

/// The rows that are asked for; none for all of the chosen ranges, where those that have ended are left to corrections.
pub(crate) fn mask(
    chosen: &SegmentPlan,
    selector: &Selector<'_>,
    live: &Live,
    by_row: bool,
) -> Result<Option<RowMask>> {
    let mut mask = chosen.filter.as_ref().map(|filter| selector.mask(filter)).transpose()?;
    let hull = chosen.hull();
    if (by_row || mask.is_some()) && live.dead(hull.clone()) > 0 {
        let alive = mask.get_or_insert_with(|| RowMask::full(live.segment.rows()));
        live.dead_rows(hull).for_each(|row| alive.remove(row));
    }
    Ok(mask)
}

/// The runs of rows that count for the same unit.
fn runs(
    snapshot: &Snapshot,
    segment: &Segment,
    part: Part,
    range: Range<u32>,
) -> Result<Vec<(Member, Range<u32>)>> {
    let Some(level) = part.level else { return Ok(vec![(member(part.base), range)]) };
    let directory: Directory<'_> = segment.directory(level)?;
    let place = snapshot.place();
    let first = directory.run_of(range.start);
    Ok((first..directory.len())
        .take_while(|run| directory.start(*run) < range.end)
        .map(|run| {
            // A directory that is coarser than the level (sealed before the level was added) has units above it.
            let rows = directory.rows(run);
            let rows = rows.start.max(range.start)..rows.end.min(range.end);
            (member(part.group(place, directory.unit(place, run))), rows)
        })
        // In a damaged directory, runs need not ascend.
        .filter(|(_, rows)| !rows.is_empty())
        .collect())
}

/// Counts the rows of a range without looking at each.
#[expect(clippy::too_many_arguments, reason = "the state of one loop, which lives in its caller")]
fn count_range(
    plan: &Plan,
    frame: &Frame,
    live: &Live,
    rows: &RowReader<'_>,
    mask: Option<&RowMask>,
    (unit, step): (Member, Member),
    range: Range<u32>,
    groups: &mut Groups,
) -> Result<()> {
    let orders = match mask {
        None => u64::from(range.end - range.start) - live.dead(range.clone()),
        Some(mask) => mask.count(range.clone()),
    };
    if orders == 0 {
        return Ok(());
    }
    debug_assert!(plan.by.is_empty(), "dimensions are counted row by row");
    let slot = groups.slot(frame.keys.pack(unit, &[], step))?;
    groups.facts.orders[slot] += orders;
    let counters = rows.counters.iter().zip(&plan.needs.counters);
    for (counts, (counter, number)) in groups.facts.counters.iter_mut().zip(counters) {
        let dead = if mask.is_none() { live.dead_counted(*number, range.clone()) } else { 0 };
        let counted = match (counter, mask) {
            (CounterRows::Bits(bits), None) => bits.count(range.clone()),
            (CounterRows::Bits(bits), Some(mask)) => mask.count_with(*bits, range.clone()),
            (CounterRows::Mask(counted), None) => counted.count(range.clone()),
            (CounterRows::Mask(counted), Some(mask)) => {
                mask.iter(range.clone()).filter(|row| counted.contains(*row)).count() as u64
            }
        };
        // In a damaged segment a counter may count fewer than its dead.
        counts[slot] += counted.saturating_sub(dead);
    }
    Ok(())
}
