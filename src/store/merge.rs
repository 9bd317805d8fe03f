//! Bringing the runs of a load together: ids that came twice, ids that the store has, runs of one partition.

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::order_id::OrderId;
use crate::segment::{ColumnId, Layout, Rows, Segment};

use super::Live;
use super::compact::LARGEST;
use super::load::{Repeated, Run};

/// Marks the rows whose id comes again in a later run, and reports them. May sort the hashes.
pub(super) fn drop_repeated(
    runs: &mut [Run],
    hashes: &mut [u64],
    repeated: &mut Vec<Repeated>,
) -> Result<()> {
    let bounds = |run: &Run| run.segment.summary().ids.clone();
    if are_apart(runs.iter().filter_map(bounds).collect()) {
        return Ok(());
    }
    let twice = twice(hashes);
    if twice.is_empty() {
        return Ok(());
    }
    let mut last: HashMap<OrderId, (usize, u32)> = HashMap::new();
    for number in 0..runs.len() {
        let rows = candidates(&runs[number].segment, &twice)?;
        for (id, row) in rows {
            if let Some((earlier, row)) = last.insert(id.clone(), (number, row)) {
                let created = runs[earlier].segment.column(ColumnId::Created)?;
                let created = created.map_or(0, |created| created.get(row as usize));
                repeated.push(Repeated { id: id.to_string(), created });
                runs[earlier].dropped.insert(row);
            }
        }
    }
    Ok(())
}

/// Whether no two ranges have a common id.
fn are_apart(mut ranges: Vec<(OrderId, OrderId)>) -> bool {
    ranges.sort_unstable();
    ranges.is_sorted_by(|(_, last), (first, _)| last < first)
}

/// Whether it is plain to see that all ids are different: they ascend in each part, and the parts do not overlap.
pub(super) fn are_different<'a>(parts: impl Iterator<Item = &'a [OrderId]> + Clone) -> bool {
    let bounds = |ids: &[OrderId]| Some((ids.first()?.clone(), ids.last()?.clone()));
    parts.clone().all(|ids| ids.is_sorted_by(|one, next| one < next))
        && are_apart(parts.filter_map(bounds).collect())
}

/// The hashes that occur more than once. Sorts them.
pub(super) fn twice(hashes: &mut [u64]) -> HashSet<u64> {
    hashes.sort_unstable();
    hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect()
}

/// The rows of a run whose id has one of these hashes.
fn candidates(segment: &Segment, hashes: &HashSet<u64>) -> Result<Vec<(OrderId, u32)>> {
    let mut found = Vec::new();
    each_id(segment, |id, row| {
        if hashes.contains(&id.hash64()) {
            found.push((id, row));
        }
        Ok(())
    })?;
    Ok(found)
}

fn each_id(segment: &Segment, mut visit: impl FnMut(OrderId, u32) -> Result<()>) -> Result<()> {
    (0..segment.rows()).try_for_each(|row| visit(segment.id(row)?, row))
}

/// The rows of a sealed segment whose orders the load brings anew. Reads its ids only where it could have some.
pub(super) fn superseded(runs: &[Run], hashes: &[u64], live: &Live) -> Result<Vec<u32>> {
    let overlaps = |run: &&Run| match (&run.segment.summary().ids, &live.segment.summary().ids) {
        (Some((first, last)), Some((least, most))) => first <= most && least <= last,
        _ => false,
    };
    let overlapping: Vec<&Run> = runs.iter().filter(overlaps).collect();
    let new: u64 = overlapping.iter().map(|run| u64::from(run.segment.rows())).sum();
    let mut rows = Vec::new();
    if new < u64::from(live.segment.rows()) {
        for run in overlapping {
            each_id(&run.segment, |id, _| {
                rows.extend(live.find(&id)?);
                Ok(())
            })?;
        }
    } else {
        each_id(&live.segment, |id, row| {
            if hashes.binary_search(&id.hash64()).is_err() || live.death(row).is_some() {
                return Ok(());
            }
            for run in &overlapping {
                if !run.segment.find_all(&id)?.is_empty() {
                    rows.push(row);
                    break;
                }
            }
            Ok(())
        })?;
    }
    rows.sort_unstable();
    rows.dedup();
    Ok(rows)
}

/// The runs of a partition, as they are merged: so few together that their rows fit into memory.
pub(super) fn groups(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut groups: Vec<Vec<Run>> = Vec::new();
    let mut rows = 0;
    for run in runs {
        let own = u64::from(run.segment.rows()).saturating_sub(run.dropped.len() as u64);
        rows += own;
        match groups.last_mut().filter(|_| rows <= LARGEST) {
            Some(group) => group.push(run),
            None => {
                rows = own;
                groups.push(vec![run]);
            }
        }
    }
    groups
}

/// The rows of several runs, without those that were dropped.
pub(super) fn merge(runs: &[Run], layout: &Layout) -> Result<Rows> {
    let mut all = Rows::new(layout);
    for run in runs {
        let mut rows = run.segment.read_rows(layout)?;
        if !run.dropped.is_empty() {
            let kept: Vec<u32> = (0..run.segment.rows()).filter(|row| !run.dropped.contains(row)).collect();
            rows.select(&kept);
        }
        all.append(rows);
    }
    Ok(all)
}
