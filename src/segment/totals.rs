//! What the runs of a level add up to in several segments together.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use hashbrown::HashMap;

use crate::error::{Corruption, Result};
use crate::tree::{Node, Tree};

use super::column::MISSING;
use super::reader::Segment;
use super::records::{self, Fact, Records, Running};
use super::rows::position;

/// Units in tree order, and a record for each and one behind the last.
#[derive(Debug)]
pub(crate) struct Totals {
    units: Vec<i64>,
    bytes: Vec<u8>,
}

/// A segment, and for each of its runs which unit it is.
struct Part<'a> {
    segment: &'a Segment,
    units: Vec<usize>,
}

impl Totals {
    /// Adds up segments by the units of a level: orders, and what all of them have of so many counters and measures.
    pub(crate) fn of(
        segments: &[&Segment],
        level: usize,
        place: &Tree,
        counters: usize,
        measures: usize,
    ) -> Result<Self> {
        let mut numbers: HashMap<i64, usize> = HashMap::new();
        let mut parts = Vec::with_capacity(segments.len());
        for segment in segments {
            let directory = segment.directory(level)?;
            let unit = |run| {
                let next = numbers.len();
                *numbers
                    .entry(directory.unit(place, run).map_or(MISSING, |unit| unit.index().into()))
                    .or_insert(next)
            };
            parts.push(Part { segment, units: (0..directory.len()).map(unit).collect() });
        }
        let mut units: Vec<(i64, usize)> = numbers.into_iter().collect();
        units.sort_unstable_by_key(|(unit, _)| position(place, *unit));
        let mut facts = Vec::new();
        let mut push = |fact, base, sums: Option<Vec<u64>>| {
            let running = sums.and_then(|sums| {
                let mut total = 0u64;
                let running = units.iter().map(|(_, number)| {
                    total = total.checked_add(sums.get(*number).copied().unwrap_or(0))?;
                    Some(total)
                });
                std::iter::once(Some(0)).chain(running).collect::<Option<Vec<u64>>>()
            });
            facts.extend(running.map(|sums| Running { fact, base, sums }));
        };
        for fact in std::iter::once(Fact::Orders).chain((0..counters).map(Fact::Counter)) {
            push(fact, 0, counted(&parts, level, fact, units.len())?);
        }
        for number in 0..measures {
            let Some((base, having, sums)) = measured(&parts, level, number, units.len())? else { continue };
            push(Fact::Having(number), 0, Some(having));
            push(Fact::Sum(number), base, Some(sums));
        }
        Ok(Self { units: units.into_iter().map(|(unit, _)| unit).collect(), bytes: records::encode(&facts) })
    }

    /// The units.
    pub(crate) fn units(&self) -> &[i64] {
        &self.units
    }

    /// The units at or under a node.
    pub(crate) fn under(&self, place: &Tree, base: Node) -> Range<usize> {
        let before = |label: u64| self.units.partition_point(|unit| position(place, *unit) < label);
        before(place.label(base))..before(place.end(base))
    }

    /// What they add up to.
    pub(crate) fn records(&self) -> Result<Records<'_>, Corruption> {
        Records::open(&self.bytes)
    }
}

/// How many orders each unit has, or how many a counter counts; none where a segment does not know.
fn counted(parts: &[Part<'_>], level: usize, fact: Fact, units: usize) -> Result<Option<Vec<u64>>> {
    let mut sums = vec![0u64; units];
    for Part { segment, units } in parts {
        let directory = segment.directory(level)?;
        let lane = segment.level(level)?.and_then(|view| view.lane(fact));
        let bits = match fact {
            Fact::Counter(number) => segment.counter(number)?,
            _ => None,
        };
        let before = |run: usize| match (lane, bits, fact) {
            (Some(lane), _, _) => Some(lane.at(run)),
            (None, _, Fact::Orders) => Some(directory.start(run).into()),
            (None, Some(bits), _) => Some(bits.rank(directory.start(run)).into()),
            (None, None, _) => None,
        };
        for (run, unit) in units.iter().enumerate() {
            let (Some(first), Some(last)) = (before(run), before(run.saturating_add(1))) else {
                return Ok(None);
            };
            if let Some(sum) = sums.get_mut(*unit) {
                *sum = sum.saturating_add(last.saturating_sub(first));
            }
        }
    }
    Ok(Some(sums))
}

/// The base of a measure, how many orders of each unit have it, and what they have beyond; none where a segment has no
/// sums, or they are beyond 64 bits.
type Measured = Option<(i64, Vec<u64>, Vec<u64>)>;

fn measured(parts: &[Part<'_>], level: usize, number: usize, units: usize) -> Result<Measured> {
    let mut lanes = Vec::with_capacity(parts.len());
    for part in parts {
        let view = part.segment.level(level)?;
        let pair = view.and_then(|view| view.lane(Fact::Having(number)).zip(view.lane(Fact::Sum(number))));
        let Some(pair) = pair else { return Ok(None) };
        lanes.push(pair);
    }
    let base = lanes.iter().map(|(_, sum)| sum.base).min().unwrap_or(0);
    let (mut having, mut sums) = (vec![0u64; units], vec![0u64; units]);
    for (part, (had, sum)) in parts.iter().zip(&lanes) {
        let lift = i128::from(sum.base).saturating_sub(base.into());
        for (run, unit) in part.units.iter().enumerate() {
            let after = run.saturating_add(1);
            let more = had.at(after).saturating_sub(had.at(run));
            let beyond = i128::from(sum.at(after).saturating_sub(sum.at(run)));
            let beyond = lift.checked_mul(more.into()).and_then(|lifted| lifted.checked_add(beyond));
            let (Some(count), Some(total)) = (having.get_mut(*unit), sums.get_mut(*unit)) else { continue };
            let Some(beyond) = beyond.and_then(|beyond| u64::try_from(beyond).ok()) else { return Ok(None) };
            let Some(sum) = total.checked_add(beyond) else { return Ok(None) };
            (*count, *total) = (count.saturating_add(more), sum);
        }
    }
    Ok(Some((base, having, sums)))
}
