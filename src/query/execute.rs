//! Choosing: a plan and a segment in, the way to its rows out.

use std::borrow::Cow;
use std::ops::Range;

use crate::calendar::Span;
use crate::error::Result;
use crate::filter::Condition;
use crate::schema::Clock;
use crate::segment::{MISSING, Segment};
use crate::store::{Live, Snapshot, bounds};

use super::Access;
use super::groups::{Digits, Keys, Member, NONE};
use super::plan::{Part, Plan};
use super::select::{Kept, Selector};

/// The steps of time of an execution, and the packing of its keys.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The first second of each step, and the end of the last; empty where no grain is asked for.
    pub(crate) steps: Vec<i64>,
    pub(crate) keys: Keys,
    /// What each value of a dimension, and last a missing one, adds to the place of a group among those of its unit; none
    /// where these are too many to have a place each.
    pub(super) places: Vec<Vec<usize>>,
    /// How many units there are.
    pub(super) units: usize,
}

impl Frame {
    /// The steps that the span and the clocks of the segments leave possible.
    pub(crate) fn new(plan: &Plan, snapshot: &Snapshot) -> Result<Self> {
        let steps = match &plan.grain {
            None => Vec::new(),
            Some(grain) => snapshot.calendar().steps(grain, reach(plan, snapshot)?),
        };
        let keys = Keys::new(plan.by.iter().map(|by| Digits::new(&by.groups)).collect(), steps.len())?;
        let places = plan.by.iter().enumerate().filter_map(|(number, dimension)| {
            let (places, digits) = (keys.places(number)?, keys.digits(number)?);
            let groups = dimension.groups.iter().copied().chain([NONE]);
            groups.map(|group| places.get(digits.digit(group) as usize).copied()).collect()
        });
        Ok(Self { places: places.collect(), units: snapshot.place().len(), steps, keys })
    }

    /// Where a step stands among those of a table, which has one where no grain is asked for.
    pub(super) fn place_of(&self, step: Member) -> Option<usize> {
        let within = |step: &usize| *step + 1 < self.steps.len();
        if self.steps.is_empty() { Some(0) } else { Some(step as usize).filter(within) }
    }

    /// The step that a time lies in.
    pub(super) fn step(&self, time: i64) -> Member {
        if time == MISSING {
            return NONE;
        }
        // Most steps are about as long as one another, so where one should lie tells where it is, give or take one.
        let near = self.expected(time).and_then(|near| {
            let is_in = |step: &usize| {
                self.steps.get(*step).is_some_and(|start| *start <= time)
                    && self.steps.get(step + 1).is_some_and(|end| time < *end)
            };
            [near, near + 1, near.wrapping_sub(1)].into_iter().find(is_in)
        });
        let step = near.or_else(|| self.steps.partition_point(|start| *start <= time).checked_sub(1));
        step.and_then(|step| u32::try_from(step).ok()).unwrap_or(NONE)
    }

    /// The step that a time would lie in if all were as long.
    fn expected(&self, time: i64) -> Option<usize> {
        let (first, end) = (*self.steps.first()?, *self.steps.last()?);
        let (at, all) = (time.checked_sub(first)?, end.checked_sub(first)?);
        let scaled = u64::try_from(at).ok()?.checked_mul(self.steps.len() as u64 - 1)?;
        usize::try_from(scaled.checked_div(u64::try_from(all).ok()?)?).ok()
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

/// Whether a span can hold a time between two, of which it may be either; an empty one holds none.
fn overlaps(span: Span, (first, last): (i64, i64)) -> bool {
    first.max(span.start()) < span.end() && last >= span.start()
}

/// What the bounds of a segment say of the times of its orders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Whether the span can hold any.
    pub(super) some: bool,
    /// Whether it holds all.
    pub(super) all: bool,
    /// The step that all lie in, where there is one; [`NONE`] without a grain.
    pub(super) step: Option<Member>,
}

/// A segment that may hold orders of the span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'s> {
    pub(super) live: &'s Live,
    pub(super) times: Times,
}

impl<'s> Asked<'s> {
    /// Those of a snapshot, by partition.
    pub(super) fn all(plan: &Plan, frame: &Frame, snapshot: &'s Snapshot) -> Vec<Self> {
        let on_created = plan.clock == Clock::Created && plan.span != Span::ALL;
        let entries =
            snapshot.index().iter().filter(|entry| !on_created || overlaps(plan.span, entry.created));
        let lives = entries.filter_map(|entry| snapshot.lives().get(entry.live));
        let asked = lives.map(|live| Self { live, times: Times::of(plan, frame, &live.segment) });
        asked.filter(|asked| asked.times.some).collect()
    }
}

impl Times {
    pub(super) fn of(plan: &Plan, frame: &Frame, segment: &Segment) -> Self {
        let open = plan.span == Span::ALL;
        let bounds = segment.summary().times(plan.clock);
        // `created` is never missing, so its bounds say whether the span holds all; other clocks may be missing.
        let bounds_of_all = bounds.filter(|_| plan.clock == Clock::Created);
        let within = |(first, last)| plan.span.contains(first) && plan.span.contains(last);
        let step = match plan.grain {
            None => Some(NONE),
            Some(_) => bounds_of_all
                .map(|(first, last)| (frame.step(first), frame.step(last)))
                .and_then(|(first, last)| (first == last).then_some(first)),
        };
        Self {
            some: segment.rows() > 0 && (open || bounds.is_some_and(|bounds| overlaps(plan.span, bounds))),
            all: open || bounds_of_all.is_some_and(within),
            step,
        }
    }
}

/// What of a segment is asked for.
#[derive(Debug)]
pub(crate) struct SegmentPlan<'p> {
    /// The rows of each part.
    pub(crate) ranges: Vec<(Part, Range<u32>)>,
    /// What the rows have to fulfil; none for all.
    pub(crate) filter: Option<Cow<'p, Condition>>,
    /// Whether rows are read one by one, rather than counted in ranges.
    pub(super) by_row: bool,
}

impl<'p> SegmentPlan<'p> {
    /// None where no order of the segment is asked for.
    pub(super) fn new(
        plan: &'p Plan,
        snapshot: &Snapshot,
        live: &Live,
        times: &Times,
    ) -> Result<Option<Self>> {
        let segment = live.segment.as_ref();
        if !times.some {
            return Ok(None);
        }
        let ranges = ranges(plan, snapshot, segment)?;
        let asked = (!plan.filter.is_always()).then_some(&plan.filter);
        let within = (!times.all).then(|| plan.span_condition());
        let filter = match (asked, within, live.visibility()) {
            (None, None, None) => None,
            (Some(asked), None, None) => Some(Cow::Borrowed(asked)),
            (asked, within, visible) => {
                let all = asked.cloned().into_iter().chain(within).chain(visible);
                Some(Cow::Owned(Condition::And(all.collect())))
            }
        };
        let scan = plan.access == Some(Access::Scan);
        let by_row = scan || times.step.is_none() || !plan.by.is_empty() || !plan.needs.only_counts();
        Ok((!ranges.is_empty()).then_some(Self { ranges, filter, by_row }))
    }

    /// The rows themselves, where a query has no groups.
    pub(super) fn kept(&self, plan: &Plan, live: &Live) -> Result<Kept> {
        let selector = Selector::new(&live.segment, self.hull(), plan.access);
        let mut kept = self.filter.as_ref().map_or(Ok(Kept::All), |filter| selector.keep(filter))?;
        kept.leave_out_dead(live, self.hull());
        Ok(kept)
    }

    /// The same for some of its rows.
    pub(super) fn within(&self, rows: &Range<u32>) -> Self {
        let clip = |range: &Range<u32>| range.start.max(rows.start)..range.end.min(rows.end);
        let ranges = self.ranges.iter().map(|(part, range)| (*part, clip(range)));
        let ranges = ranges.filter(|(_, range)| !range.is_empty()).collect();
        Self { ranges, filter: self.filter.clone(), by_row: self.by_row }
    }

    /// The rows from the first asked for to the last.
    pub(crate) fn hull(&self) -> Range<u32> {
        let start = self.ranges.iter().map(|(_, range)| range.start).min().unwrap_or(0);
        start..self.ranges.iter().map(|(_, range)| range.end).max().unwrap_or(0)
    }

    /// How its rows are reached.
    pub(super) fn access(&self, plan: &Plan, segment: &Segment) -> Result<Access> {
        Ok(match &self.filter {
            None if !self.by_row => Access::Views,
            Some(filter) if Selector::new(segment, self.hull(), plan.access).uses_bitmaps(filter)? => {
                Access::Bitmaps
            }
            _ => Access::Scan,
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_lies_in_the_last_step_that_has_begun(
            lengths in prop::collection::vec(prop_oneof![4 => Just(100i64), 1 => 1i64..2_000], 0..30),
            first in prop_oneof![Just(i64::MIN + 1), Just(i64::MAX - 100_000), -500i64..500],
            times in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        ) {
            let mut steps = vec![first];
            for length in lengths {
                steps.push(steps.last().unwrap() + length);
            }
            let around = (steps.last().unwrap() - first + 40) as usize;
            let frame = Frame { keys: Keys::new(Vec::new(), steps.len()).unwrap(), places: Vec::new(), units: 0, steps };
            for at in times {
                let time = (first + at.index(around) as i64).saturating_sub(20).max(i64::MIN + 1);
                let naive = (0..).zip(&frame.steps).filter(|(_, start)| **start <= time).last();
                prop_assert_eq!(frame.step(time), naive.map_or(NONE, |(step, _)| step));
            }
        }
    }
}
