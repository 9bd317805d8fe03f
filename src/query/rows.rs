//! Counting what ranges do not tell: rows that a filter keeps, and what the groups need of single ones.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashSet;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::Result;
use crate::segment::{Directory, Segment};
use crate::store::{Live, Snapshot};

use super::execute::{Frame, SegmentPlan};
use super::groups::{Groups, Key, Member, NONE, member};
use super::plan::{Part, Plan};
use super::row_reader::RowReader;
use super::select::{Kept, Selector};
use super::tally::tally;

/// About how many rows have to be read before another thread is asked to help.
const ROWS_TO_SHARE: u64 = if cfg!(test) { 64 } else { 50_000 };
/// A row that is fetched alone takes as long as so many that follow one another.
const ALONE: u64 = 8;
/// So many rows are decided together in the time that one takes to be read.
const TOGETHER: u64 = 8;
/// With so many rows for every unit, what is counted for one should stay in the cache.
const ROWS_TO_STAY: u64 = if cfg!(test) { 4 } else { 1 << 15 };
const FEW_UNITS: usize = if cfg!(test) { 2 } else { 8 };

/// Which groups are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Those with fewer orders may be left out.
    pub(super) least: u64,
    /// Where set, only orders that are in a group not among these are counted, once and without unit and
    /// dimensions: the *others*.
    pub(super) top: Option<&'a HashSet<Key>>,
}

/// Where counted orders go.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    pub(super) groups: Groups,
    pub(super) top: Option<&'a HashSet<Key>>,
}

impl<'a> Sink<'a> {
    /// For about so many units and orders.
    fn new(plan: &Plan, frame: &Frame, wanted: Wanted<'a>, (units, orders): (usize, u64)) -> Self {
        let units = (units, frame.units);
        let groups = Groups::new(&plan.needs, &frame.keys, units, orders, plan.limit);
        Self { groups, top: wanted.top }
    }
}

/// A segment, and what of it is asked for.
pub(super) type Chosen<'s, 'p> = (&'s Live, SegmentPlan<'p>);

/// A segment and what of it is counted. Those with one number, which stand together, are counted by one thread.
type Task<'s> = (u32, &'s Live, &'s SegmentPlan<'s>);

/// Counts the orders of several segments, on the store's threads where that is worth it.
pub(super) fn count_all(
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    segments: &[Chosen<'_, '_>],
    wanted: Wanted<'_>,
) -> Result<Groups> {
    let units = units(segments)?;
    let reads = reads(plan, segments)?;
    let threads = if reads >= ROWS_TO_SHARE { snapshot.threads()? } else { None };
    let (of_units, cut);
    // Few units could not be shared among threads.
    let stays = !plan.needs.keys.is_empty() && units >= FEW_UNITS && reads / units as u64 >= ROWS_TO_STAY;
    let mut sink = Sink::new(plan, frame, wanted, (units, reads));
    if let Some(per_unit) =
        sink.groups.to_tally(&plan.needs).filter(|_| plan.is_single() && wanted.top.is_none())
    {
        sink.groups.adopt(tally(plan, frame, snapshot, segments, (per_unit, wanted.least), threads)?);
        return Ok(sink.groups);
    }
    let tasks: Vec<Task<'_>> = if stays {
        of_units = by_unit(segments)?;
        of_units.iter().map(|(unit, live, chosen)| (*unit, *live, chosen)).collect()
    } else {
        let shared = threads.filter(|_| plan.needs.adds_up());
        cut = shared.and_then(|threads| {
            pieces(segments, 2 * threads.current_num_threads(), ROWS_TO_SHARE as usize / 2)
        });
        let all = cut.as_deref().unwrap_or(segments);
        (0..).zip(all).map(|(number, (live, chosen))| (number, *live, chosen)).collect()
    };
    let tasks: Vec<&[Task<'_>]> = tasks.chunk_by(|a, b| a.0 == b.0).collect();
    let run = |task: &[Task<'_>], sink: &mut Sink<'_>| {
        task.iter().try_for_each(|(_, live, chosen)| count(plan, frame, live, chosen, sink))
    };
    let Some(threads) = threads.filter(|_| tasks.len() > 1) else {
        tasks.iter().try_for_each(|task| run(task, &mut sink))?;
        return Ok(sink.groups);
    };
    let next = AtomicUsize::new(0);
    let work = |_| -> Result<Groups> {
        let mut sink = Sink::new(plan, frame, wanted, (units, reads));
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            run(task, &mut sink)?;
        }
        // What one thread can do for itself before groups are merged.
        sink.groups.facts.settle();
        Ok(sink.groups)
    };
    let counted: Vec<Result<Groups>> =
        threads.install(|| (0..threads.current_num_threads()).into_par_iter().map(work).collect());
    counted.into_iter().try_for_each(|groups| sink.groups.merge(groups?))?;
    Ok(sink.groups)
}

/// The same segments unit by unit: of each, every segment in turn.
fn by_unit<'s, 'p>(segments: &[Chosen<'s, 'p>]) -> Result<Vec<(Member, &'s Live, SegmentPlan<'p>)>> {
    let mut of_units = Vec::new();
    for (live, chosen) in segments {
        for part in &chosen.ranges {
            for (unit, rows) in PartRuns::new(part, &live.segment)?.units() {
                of_units.push((unit, *live, chosen.within(&rows)));
            }
        }
    }
    of_units.sort_by_key(|(unit, ..)| *unit);
    Ok(of_units)
}

/// The same segments in about so many pieces, of so many rows or more, where they are fewer.
pub(super) fn pieces<'s, 'p>(
    segments: &[Chosen<'s, 'p>],
    wanted: usize,
    least: usize,
) -> Option<Vec<Chosen<'s, 'p>>> {
    if segments.len() >= wanted {
        return None;
    }
    let rows: usize = segments.iter().map(|(_, chosen)| chosen.hull().len()).sum();
    let most = (rows / wanted).max(least);
    let mut pieces = Vec::new();
    for (live, chosen) in segments {
        for start in chosen.hull().step_by(most) {
            let piece = chosen.within(&(start..start.saturating_add(most as u32)));
            pieces.extend((!piece.ranges.is_empty()).then_some((*live, piece)));
        }
    }
    Some(pieces)
}

/// The segment of which the most rows are asked for; what it is like, the others are.
pub(super) fn largest<'s, 'p>(segments: &'s [Chosen<'s, 'p>]) -> Option<(&'s Live, &'s SegmentPlan<'p>)> {
    let largest = segments.iter().max_by_key(|(_, chosen)| chosen.hull().len());
    largest.map(|(live, chosen)| (*live, chosen))
}

/// About how many units have orders.
fn units(segments: &[Chosen<'_, '_>]) -> Result<usize> {
    let mut most = 1;
    let Some((live, chosen)) = largest(segments) else { return Ok(most) };
    for level in chosen.ranges.iter().filter_map(|(part, _)| part.level) {
        most = most.max(live.segment.directory(level)?.len());
    }
    Ok(most)
}

/// About how many rows take as long as what will be read, if the filter keeps as large a share of every segment as of the largest.
fn reads(plan: &Plan, segments: &[Chosen<'_, '_>]) -> Result<u64> {
    let all = segments.iter().map(|(_, chosen)| chosen.hull().len() as u64).sum();
    let Some((live, chosen)) = largest(segments).filter(|_| all >= ROWS_TO_SHARE) else { return Ok(all) };
    let Some(filter) = &chosen.filter else { return Ok(all) };
    let selector = Selector::new(&live.segment, chosen.hull(), plan.access);
    let kept = selector.estimate(filter)?;
    let of = (chosen.hull().len() as u64).max(1);
    let kept = if kept * ALONE <= of { kept * ALONE } else { kept };
    // Without sets, every row is looked at.
    let decided = if selector.uses_bitmaps(filter)? { 0 } else { of / TOGETHER };
    Ok(all.saturating_mul(kept + decided) / of)
}

/// Counts the orders of one segment.
fn count(
    plan: &Plan,
    frame: &Frame,
    live: &Live,
    chosen: &SegmentPlan<'_>,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let segment = live.segment.as_ref();
    let selector = Selector::new(segment, chosen.hull(), plan.access);
    let by_row = chosen.by_row || sink.top.is_some();
    let mut kept = chosen.filter.as_ref().map_or(Ok(Kept::All), |filter| selector.keep(filter))?;
    // Where ranges are counted whole, those that have ended are left to corrections.
    if by_row || !matches!(kept, Kept::All) {
        kept.leave_out_dead(live, chosen.hull());
    }
    let few = kept.len(chosen.hull());
    if few == 0 {
        return Ok(());
    }
    let reader = RowReader::open(plan, frame, segment, &selector)?;
    let parts: Vec<_> =
        chosen.ranges.iter().map(|part| PartRuns::new(part, segment)).collect::<Result<_>>()?;
    let runs: usize = parts.iter().map(|part| part.runs.len()).sum();
    // To come to a run and its rows takes about as long as to look up two rows.
    let is_listed = few < 2 * runs && !matches!(kept, Kept::All);
    match (is_listed, kept) {
        (true, kept) => {
            let mut list = kept.listed(chosen.hull());
            if chosen.ranges.len() > 1 {
                list.sort_unstable();
            }
            return reader.add_list(&list, &parts, sink);
        }
        (false, Kept::All) => kept = Kept::All,
        (false, some) => kept = Kept::Mask(some.marked(segment.rows(), chosen.hull())),
    }
    for part in &parts {
        for (unit, run) in part.units() {
            match &kept {
                Kept::All if !by_row => reader.count_range(live, unit, run, &mut sink.groups)?,
                Kept::Mask(mask) if !by_row => reader.count_mask(mask, unit, run, &mut sink.groups)?,
                _ => reader.add_run(&kept, run, unit, sink)?,
            }
        }
    }
    Ok(())
}

/// The rows of a part, and the runs of those that count for the same unit.
#[derive(Debug)]
pub(super) struct PartRuns<'s> {
    pub(super) part: Part,
    pub(super) rows: Range<u32>,
    /// None where all rows are of one unit.
    pub(super) directory: Option<Directory<'s>>,
    pub(super) runs: Range<usize>,
}

impl<'s> PartRuns<'s> {
    pub(super) fn new((part, rows): &(Part, Range<u32>), segment: &'s Segment) -> Result<Self> {
        let directory = part.level.map(|level| segment.directory(level)).transpose()?;
        let runs = directory.map_or(0..1, |directory| directory.runs_of(rows.clone()));
        Ok(Self { part: *part, rows: rows.clone(), directory, runs })
    }

    /// The unit of a row.
    #[inline]
    pub(super) fn unit_of(&self, row: u32) -> Member {
        match &self.directory {
            Some(directory) => directory.unit(directory.run_of(row)).unwrap_or(NONE),
            None => member(self.part.base),
        }
    }

    /// The units, and the rows of each. A directory that is coarser than the level (sealed before the level was added) has units
    /// above it.
    fn units(&self) -> Vec<(Member, Range<u32>)> {
        match self.directory {
            None => vec![(member(self.part.base), self.rows.clone())],
            Some(directory) => {
                let runs = directory.runs(self.rows.clone());
                runs.map(|(run, rows)| (directory.unit(run).unwrap_or(NONE), rows)).collect()
            }
        }
    }
}
