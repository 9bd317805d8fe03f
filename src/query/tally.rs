//! Counting unit by unit, where units have more groups together than are kept side by side.
//!
//! The orders of a unit lie together in every segment. So the counts of its groups stay in the cache, and groups with too few
//! orders are never written down.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::{Error, Result};
use crate::schema::Field;
use crate::segment::NodeRuns;
use crate::store::{Live, Snapshot};
use crate::tree::{Node, Tree};

use super::answer::RowKind;
use super::assemble::row_kind;
use super::execute::{Frame, SegmentPlan};
use super::groups::{Member, NONE};
use super::plan::Plan;
use super::row_reader::RowReader;
use super::rows::{Chosen, PartRuns, largest};
use super::select::{Kept, Selector};
use super::several::groups;

/// Into so many pieces for each thread units are cut, so that none waits long for another.
const PIECES: usize = 4;
/// About so many rows are cut off at a time, so that few are listed at once.
const MOST_LISTED: usize = if cfg!(test) { 16 } else { 1 << 20 };

/// So many orders are looked at together.
const TOGETHER: usize = 64;

/// A group of a unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tallied {
    /// The unit; none for orders on no node.
    pub(super) node: Option<Node>,
    /// Where it stands among those that a unit can have.
    pub(super) place: u32,
    pub(super) orders: u64,
    /// What its row stands for.
    pub(super) kind: RowKind,
}

/// A unit, where a group stands among those that a unit can have, and the group's orders.
type Counted = (Member, u32, u64);

/// A segment and what of it is counted. Those with one number have all orders of their units.
type Piece<'s, 'p> = (u32, &'s Live, SegmentPlan<'p>);

/// Counts the groups with at least so many orders, of units that can have `per_unit` each: unit by unit, in the order of the tree.
pub(super) fn tally(
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    segments: &[Chosen<'_, '_>],
    (per_unit, least): (usize, u64),
    threads: Option<&ThreadPool>,
) -> Result<Vec<Tallied>> {
    let pieces = threads.map_or(1, |threads| PIECES * threads.current_num_threads());
    let pieces = cut(plan, snapshot.place(), segments, pieces)?;
    let tasks: Vec<&[Piece<'_, '_>]> = pieces.chunk_by(|a, b| a.0 == b.0).collect();
    let found = AtomicU64::new(0);
    let count = |pieces: &[Piece<'_, '_>]| {
        let counted = match pieces {
            [(_, live, chosen)] => count_one(plan, frame, live, chosen, (per_unit, least)),
            pieces => count_several(plan, frame, snapshot.place(), pieces, least),
        }?;
        let groups = found.fetch_add(counted.len() as u64, Ordering::Relaxed) + counted.len() as u64;
        if groups > plan.limit {
            Err(Error::TooManyGroups { groups, limit: plan.limit })
        } else {
            let tallied = |(unit, place, orders)| {
                let node = snapshot.place().get(unit);
                Tallied { node, place, orders, kind: row_kind(plan, snapshot, node) }
            };
            Ok(counted.into_iter().map(tallied).collect::<Vec<_>>())
        }
    };
    let Some(threads) = threads.filter(|_| tasks.len() > 1) else {
        return Ok(tasks.iter().map(|task| count(task)).collect::<Result<Vec<_>>>()?.concat());
    };
    let next = AtomicUsize::new(0);
    let work = |_| -> Result<Vec<(usize, Vec<Tallied>)>> {
        let mut counted = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(number) else { return Ok(counted) };
            counted.push((number, count(task)?));
        }
    };
    let counted = threads.install(|| {
        (0..threads.current_num_threads()).into_par_iter().map(work).collect::<Result<Vec<_>>>()
    })?;
    let mut counted: Vec<(usize, Vec<Tallied>)> = counted.into_iter().flatten().collect();
    counted.sort_by_key(|(number, _)| *number);
    let mut all = Vec::with_capacity(counted.iter().map(|(_, counted)| counted.len()).sum());
    counted.iter().for_each(|(_, counted)| all.extend_from_slice(counted));
    Ok(all)
}

/// The same segments in so many pieces or more, each of which has all orders of its units, and not many.
fn cut<'s, 'p>(
    plan: &Plan,
    place: &Tree,
    segments: &[Chosen<'s, 'p>],
    wanted: usize,
) -> Result<Vec<Piece<'s, 'p>>> {
    let rows: usize = segments.iter().map(|(_, chosen)| chosen.hull().len()).sum();
    let wanted = wanted.max(rows / MOST_LISTED);
    let mut labels = Vec::new();
    // The highest level of all units: what is cut there, is cut everywhere.
    let level = plan.parts.iter().map(|part| part.level).min().flatten();
    let Some((level, (live, chosen))) = level.zip(largest(segments)) else {
        return Ok(segments.iter().map(|(live, chosen)| (0, *live, chosen.within(&chosen.hull()))).collect());
    };
    let directory = live.segment.directory(level)?;
    for row in chosen.hull().step_by(chosen.hull().len().div_ceil(wanted)).skip(1) {
        labels.push(place.label_at(directory.unit(directory.run_of(row)).unwrap_or(NONE)));
    }
    let mut pieces = Vec::new();
    for (live, chosen) in segments {
        let directory = live.segment.directory(level)?;
        let mut start = 0;
        let ends = labels.iter().map(|label| directory.start_from(place, *label));
        for (number, end) in (0..).zip(ends.chain([u32::MAX])) {
            let piece = chosen.within(&(start..end));
            pieces.extend((!piece.ranges.is_empty()).then_some((number, *live, piece)));
            start = end;
        }
    }
    pieces.sort_by_key(|(number, ..)| *number);
    Ok(pieces)
}

/// The level of the first tree's nodes, where groups are these by units of the deepest level.
fn nodes_of_units(plan: &Plan) -> Option<usize> {
    let deepest = plan.schema().place.levels.len().checked_sub(1);
    let of_units = plan.grain.is_none() && plan.parts.iter().all(|part| part.level == deepest);
    match plan.by.as_slice() {
        [by] if of_units && by.field == Field::Tree(0) => by.level,
        _ => None,
    }
}

/// Counts a piece that is all there is of its units.
fn count_one(
    plan: &Plan,
    frame: &Frame,
    live: &Live,
    chosen: &SegmentPlan<'_>,
    (per_unit, least): (usize, u64),
) -> Result<Vec<Counted>> {
    let runs = nodes_of_units(plan).map_or(Ok(None), |level| live.segment.node_runs(level))?;
    if let Some(runs) = runs {
        return count_runs(runs, plan, frame, live, chosen, least);
    }
    let (mut tally, mut counted) = (Tally::new(per_unit, least), Vec::new());
    let parts = visit(plan, frame, live, chosen, |starts, places| tally.add(starts, places))?;
    tally.finish(|start, place, orders| counted.push((unit_of(&parts, start), place, orders)));
    Ok(counted)
}

/// Counts a piece whose groups are runs of rows.
fn count_runs(
    runs: NodeRuns<'_>,
    plan: &Plan,
    frame: &Frame,
    live: &Live,
    chosen: &SegmentPlan<'_>,
    least: u64,
) -> Result<Vec<Counted>> {
    let segment = live.segment.as_ref();
    let selector = Selector::new(segment, chosen.hull(), plan.access);
    let reader = RowReader::open(plan, frame, segment, &selector)?;
    let kept = chosen.kept(plan, live)?.marked(segment.rows(), chosen.hull());
    let mut counted = Vec::new();
    for part in &chosen.ranges {
        let part = PartRuns::new(part, segment)?;
        let (mut rows, mut of_rows) = (Vec::new(), Vec::new());
        runs.with(&kept, part.rows.clone(), least, |row, orders| {
            rows.push(row);
            of_rows.push(orders);
        });
        // Each step is done for all of them, so that the memory fetches what several need at a time.
        let units: Vec<Member> = rows.iter().map(|row| part.unit_of(*row)).collect();
        let mut places = vec![0; rows.len()];
        reader.places(&rows, &mut places);
        let groups = units.into_iter().zip(places).zip(of_rows);
        counted.extend(groups.map(|((unit, place), orders)| (unit, place, orders)));
    }
    Ok(counted)
}

/// Counts pieces of several segments.
fn count_several(
    plan: &Plan,
    frame: &Frame,
    place: &Tree,
    pieces: &[Piece<'_, '_>],
    least: u64,
) -> Result<Vec<Counted>> {
    let (mut all, mut visited) = (Vec::new(), Vec::new());
    for (_, live, chosen) in pieces {
        visited.clear();
        let parts = visit(plan, frame, live, chosen, |starts, places| {
            visited.extend(starts.iter().copied().zip(places.iter().copied()));
        })?;
        for of_unit in visited.chunk_by(|a, b| a.0 == b.0) {
            let unit = unit_of(&parts, of_unit[0].0);
            all.extend(of_unit.iter().map(|(_, place)| (unit, *place)));
        }
    }
    let found = groups(&mut all, least).into_iter();
    let mut counted: Vec<Counted> = found.map(|((unit, place), orders)| (unit, place, orders)).collect();
    counted.sort_by_cached_key(|(unit, ..)| place.label_at(*unit));
    Ok(counted)
}

/// The unit of the run that starts at a row.
fn unit_of(parts: &[PartRuns<'_>], row: u32) -> Member {
    let part = parts.iter().find(|part| part.rows.contains(&row));
    part.map_or(NONE, |part| part.unit_of(row))
}

/// Calls `each` with the orders of a piece in the order of the tree, some at a time: where the run of each one's unit starts, and where
/// its group stands among those of a unit.
fn visit<'a>(
    plan: &Plan,
    frame: &Frame,
    live: &'a Live,
    chosen: &SegmentPlan<'_>,
    mut each: impl FnMut(&[u32], &[u32]),
) -> Result<Vec<PartRuns<'a>>> {
    let segment = live.segment.as_ref();
    let selector = Selector::new(segment, chosen.hull(), plan.access);
    let reader = RowReader::open(plan, frame, segment, &selector)?;
    let mut kept = chosen.kept(plan, live)?;
    if let Kept::List(list) = &mut kept {
        list.sort_unstable();
    }
    let parts: Vec<_> =
        chosen.ranges.iter().map(|part| PartRuns::new(part, segment)).collect::<Result<_>>()?;
    let mut places = [0; TOGETHER];
    for part in &parts {
        let mut starts = [part.rows.start; TOGETHER];
        let mut walk = part.directory.map(|directory| directory.walk(part.rows.start));
        some_at_a_time(&kept, part.rows.clone(), |rows| {
            if let Some(walk) = &mut walk {
                walk.starts_of(rows, &mut starts);
            }
            reader.places(rows, &mut places);
            each(&starts[..rows.len()], &places[..rows.len()]);
        });
    }
    Ok(parts)
}

/// Calls `each` with the rows of a range, which ascend.
fn some_at_a_time(kept: &Kept, range: Range<u32>, mut each: impl FnMut(&[u32])) {
    if let Kept::List(list) = kept {
        let before = |end: u32| list.partition_point(|row| *row < end);
        return list[before(range.start)..before(range.end)].chunks(TOGETHER).for_each(each);
    }
    let (mut rows, mut some) = ([0; TOGETHER], 0);
    kept.for_each(range, |row| {
        rows[some] = row;
        some += 1;
        if some == TOGETHER {
            each(&rows);
            some = 0;
        }
    });
    each(&rows[..some]);
}

/// Finds the groups with so many orders, unit by unit.
struct Tally {
    least: u64,
    /// Per place, the last unit with an order there.
    last: Vec<u32>,
    /// The orders that count, by unit and place: but for the first of each group, where one is too few.
    again: Vec<(u32, u32)>,
}

impl Tally {
    fn new(per_unit: usize, least: u64) -> Self {
        Self { least, last: vec![u32::MAX; per_unit], again: Vec::new() }
    }

    /// Adds orders by unit and place; all of a unit follow one another.
    #[inline]
    fn add(&mut self, units: &[u32], places: &[u32]) {
        let (mut end, all) = (self.again.len(), self.least < 2);
        self.again.resize(end + units.len(), (0, 0));
        for (unit, place) in units.iter().zip(places) {
            self.again[end] = (*unit, *place);
            // No branch hangs on whether it is the first.
            end += usize::from((std::mem::replace(&mut self.last[*place as usize], *unit) == *unit) | all);
        }
        self.again.truncate(end);
    }

    /// Calls `each` with the groups, and how many orders each has.
    fn finish(self, mut each: impl FnMut(u32, u32, u64)) {
        let first = u64::from(self.least > 1);
        let mut orders = vec![0; self.last.len()];
        for unit in self.again.chunk_by(|a, b| a.0 == b.0) {
            unit.iter().for_each(|(_, place)| orders[*place as usize] += 1);
            for (unit, place) in unit {
                let again = std::mem::take(&mut orders[*place as usize]);
                if again > 0 && again + first >= self.least {
                    each(*unit, *place, again + first);
                }
            }
        }
    }
}
