//! What the runs of a level add up to in several segments together, less what has ended.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Corruption, Result};
use crate::schema::Schema;
use crate::tree::{Forest, Node, Tree};

use super::bits::Bits;
use super::column::MISSING;
use super::deaths::Deaths;
use super::directory::Directory;
use super::format::SectionId;
use super::reader::Segment;
use super::records::{self, Fact, Lane, Records, Running};
use super::rows::position;
use super::views;

/// The rows of a segment without a view are read where there are at most so many; of more, only what row numbers and
/// counters tell is summed.
pub(super) const FEW_ROWS: u32 = if cfg!(test) { 8 } else { 4096 };

/// Units in tree order, and a record for each and one behind the last.
#[derive(Debug)]
pub(crate) struct Totals {
    units: Vec<i64>,
    bytes: Vec<u8>,
}

/// What is added up.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    /// A segment, and which of its versions have ended.
    Segment(&'a Segment, &'a [Arc<Deaths>]),
    Totals(&'a Totals),
}

/// A source, cut into the units of a level.
struct Part<'a> {
    sums: Sums<'a>,
    /// Views of what has ended, with the same runs.
    less: Vec<Arc<Vec<u8>>>,
    /// Of each run, which unit it is; units ascend.
    units: Vec<usize>,
}

/// Where a part's running sums stand.
enum Sums<'a> {
    Read(Records<'a>),
    /// Made from all rows of a segment that has the counters.
    Made(Vec<u8>, &'a Segment),
    /// Row numbers, and the bits of counters.
    Rows(Directory<'a>, &'a Segment),
}

/// The running sums of one fact of a part.
enum Lines<'a> {
    Lane(Lane<'a>),
    Starts(Directory<'a>),
    Ranks(Directory<'a>, Bits<'a>),
}

impl Totals {
    /// Adds up sources by the units of a level: orders, and what all sources have of the schema's counters and measures.
    pub(crate) fn of(sources: &[Source<'_>], level: usize, schema: &Schema, forest: &Forest) -> Result<Self> {
        let mut parts = Vec::with_capacity(sources.len());
        let mut all: Vec<(u64, i64)> = Vec::new();
        let mut of_parts = Vec::with_capacity(sources.len());
        for source in sources {
            let (part, units) = Part::new(source, level, schema, forest)?;
            let placed: Vec<_> = units.iter().map(|unit| (position(&forest.place, *unit), *unit)).collect();
            all.extend_from_slice(&placed);
            of_parts.push(placed);
            parts.push(part);
        }
        // The runs of each source ascend already, and a stable sort merges them.
        all.sort();
        all.dedup();
        for (part, placed) in parts.iter_mut().zip(of_parts) {
            let mut at = 0usize;
            part.units.extend(placed.iter().map(|unit| {
                at = at.saturating_add(
                    all.get(at..).unwrap_or(&[]).iter().take_while(|other| *other < unit).count(),
                );
                at
            }));
        }
        let units: Vec<i64> = all.into_iter().map(|(_, unit)| unit).collect();
        let mut facts = Vec::new();
        let mut push = |fact, base, sums: Option<Vec<u64>>| {
            let running = sums.and_then(|sums| {
                let mut total = 0u64;
                let running = sums.iter().map(|sum| {
                    total = total.checked_add(*sum)?;
                    Some(total)
                });
                std::iter::once(Some(0)).chain(running).collect::<Option<Vec<u64>>>()
            });
            facts.extend(running.map(|sums| Running { fact, base, sums }));
        };
        for fact in std::iter::once(Fact::Orders).chain((0..schema.counters.len()).map(Fact::Counter)) {
            push(fact, 0, counted(&parts, fact, units.len())?);
        }
        for number in 0..schema.measures.len() {
            let Some((base, having, sums)) = measured(&parts, number, units.len())? else { continue };
            push(Fact::Having(number), 0, Some(having));
            push(Fact::Sum(number), base, Some(sums));
        }
        Ok(Self { units, bytes: records::encode(&facts) })
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

    /// How many bytes it takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len().saturating_add(size_of_val(self.units.as_slice()))
    }
}

impl<'a> Part<'a> {
    /// The part that a source is, and the units of its runs.
    fn new(source: &Source<'a>, level: usize, schema: &Schema, forest: &Forest) -> Result<(Self, Vec<i64>)> {
        let (segment, deaths) = match *source {
            Source::Totals(totals) => {
                let sums = Sums::Read(totals.records()?);
                return Ok((Self { sums, less: Vec::new(), units: Vec::new() }, totals.units.clone()));
            }
            Source::Segment(segment, deaths) => (segment, deaths),
        };
        let directory = segment.directory(level)?;
        let section = SectionId::Level(level);
        let sums = match segment.level(level)? {
            Some(view) => Sums::Read(view),
            None if segment.rows() <= FEW_ROWS => {
                let rows: Vec<u32> = (0..segment.rows()).collect();
                let made = views::of_some(section, segment, &rows, usize::MAX, schema, forest)?;
                Sums::Made(made.unwrap_or_default(), segment)
            }
            None => Sums::Rows(directory, segment),
        };
        let less = deaths.iter().map(|deaths| deaths.view(section, segment, schema, forest));
        let less = less.collect::<Result<_>>()?;
        let unit = |run| directory.unit(run).map_or(MISSING, i64::from);
        Ok((Self { sums, less, units: Vec::new() }, (0..directory.len()).map(unit).collect()))
    }

    /// The running sums of a fact; none where the source does not know.
    fn running(&self, fact: Fact) -> Result<Option<Lines<'_>>> {
        let has = |segment: &Segment| match fact {
            Fact::Counter(number) => Ok(segment.counter(number)?.is_some()),
            _ => Ok::<_, crate::error::Error>(true),
        };
        Ok(match (&self.sums, fact) {
            (Sums::Read(view), _) => view.lane(fact).map(Lines::Lane),
            (Sums::Made(bytes, segment), _) if has(segment)? => {
                Records::open(bytes)?.lane(fact).map(Lines::Lane)
            }
            (Sums::Rows(directory, _), Fact::Orders) => Some(Lines::Starts(*directory)),
            (Sums::Rows(directory, segment), Fact::Counter(number)) => {
                segment.counter(number)?.map(|bits| Lines::Ranks(*directory, bits))
            }
            _ => None,
        })
    }

    /// The units with how much each grows by running sums.
    fn grown<'b>(&'b self, before: impl Fn(usize) -> u64 + 'b) -> impl Iterator<Item = (usize, u64)> + 'b {
        let mut last = before(0);
        (1usize..).zip(&self.units).map(move |(after, unit)| {
            let here = before(after);
            let more = here.saturating_sub(last);
            last = here;
            (*unit, more)
        })
    }

    /// The views of what has ended.
    fn less(&self) -> impl Iterator<Item = Result<Records<'_>, Corruption>> {
        self.less.iter().map(|bytes| Records::open(bytes))
    }
}

/// How many orders each unit has, or how many a counter counts; none where a source does not know.
fn counted(parts: &[Part<'_>], fact: Fact, units: usize) -> Result<Option<Vec<u64>>> {
    let mut sums = vec![0u64; units];
    for part in parts {
        let mut add = |(unit, more): (usize, u64)| {
            if let Some(sum) = sums.get_mut(unit) {
                *sum = sum.saturating_add(more);
            }
        };
        match part.running(fact)? {
            None => return Ok(None),
            Some(Lines::Lane(lane)) => part.grown(|run| lane.at(run)).for_each(&mut add),
            Some(Lines::Starts(directory)) => {
                part.grown(|run| directory.start(run).into()).for_each(&mut add);
            }
            Some(Lines::Ranks(directory, bits)) => {
                part.grown(|run| bits.rank(directory.start(run)).into()).for_each(&mut add);
            }
        }
        for less in part.less() {
            let Some(lane) = less?.lane(fact) else { return Ok(None) };
            for (unit, ended) in part.grown(|run| lane.at(run)) {
                if let Some(sum) = sums.get_mut(unit) {
                    *sum = sum.saturating_sub(ended);
                }
            }
        }
    }
    Ok(Some(sums))
}

/// The base of a measure, how many orders of each unit have it, and what they have beyond; none where a source has no
/// sums, or they are beyond 64 bits.
type Measured = Option<(i64, Vec<u64>, Vec<u64>)>;

fn measured(parts: &[Part<'_>], number: usize, units: usize) -> Result<Measured> {
    let mut had = vec![0u64; units];
    let mut totals = vec![0i128; units];
    let mut base = i64::MAX;
    for part in parts {
        let lanes = part.running(Fact::Having(number))?.zip(part.running(Fact::Sum(number))?);
        let Some((Lines::Lane(having), Lines::Lane(sum))) = lanes else { return Ok(None) };
        base = base.min(sum.base);
        let mut change = |having: Lane<'_>, sum: Lane<'_>, ended: bool| {
            let both = part.grown(|run| having.at(run)).zip(part.grown(|run| sum.at(run)));
            for ((unit, count), (_, beyond)) in both {
                let (Some(had), Some(total)) = (had.get_mut(unit), totals.get_mut(unit)) else { continue };
                let more = i128::from(sum.base).saturating_mul(count.into()).saturating_add(beyond.into());
                if ended {
                    (*had, *total) = (had.saturating_sub(count), total.saturating_sub(more));
                } else {
                    (*had, *total) = (had.saturating_add(count), total.saturating_add(more));
                }
            }
        };
        change(having, sum, false);
        for less in part.less() {
            let less = less?;
            let lanes = less.lane(Fact::Having(number)).zip(less.lane(Fact::Sum(number)));
            let Some((having, sum)) = lanes else { return Ok(None) };
            change(having, sum, true);
        }
    }
    let beyond = had.iter().zip(&totals).map(|(had, total)| {
        let least = i128::from(base).saturating_mul((*had).into());
        u64::try_from(total.saturating_sub(least)).ok()
    });
    Ok(beyond.collect::<Option<Vec<u64>>>().map(|beyond| (base, had, beyond)))
}
