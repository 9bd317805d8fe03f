//! What nodes or units add up to by days in the segments of a partition together, less what has ended.
//!
//! The sums over the first lines and days of several views are the sums of theirs, so nothing is taken apart to be added up.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::Arc;

use crate::calendar::{Grain, Span};
use crate::error::Result;
use crate::schema::Schema;
use crate::tree::{Forest, Tree};

use super::deaths::Deaths;
use super::format::SectionId;
use super::grid::{Grid, Shape};
use super::reader::Segment;
use super::records::{Fact, Running};
use super::rows::position;
use super::totals::FEW_ROWS;
use super::views;

/// Of more cells, a view of each segment is read by itself.
const MOST_CELLS: usize = 20_000;

/// The rows of segments without a view are read where there are so many times fewer than those with one.
const FEWER: u32 = 4;

/// A segment's view by days.
enum View {
    /// As it was sealed, less what has ended, in the same cells.
    Sealed(Vec<Arc<Vec<u8>>>),
    /// Of what has not ended.
    Made(Vec<u8>),
}

/// A view by days of several segments, of which these versions have ended. None where segments without such a
/// view have many rows, or there are many cells.
pub(crate) fn day_totals(
    section: SectionId,
    segments: &[(&Segment, &[Arc<Deaths>])],
    schema: &Schema,
    forest: &Forest,
) -> Result<Option<Vec<u8>>> {
    let Some((_, tree, _)) = section.nodes(forest) else { return Ok(None) };
    let mut read = segments.iter().map(|(segment, _)| {
        Ok(if segment.grid(section)?.is_some() { (segment.rows(), 0) } else { (0, segment.rows()) })
    });
    let (viewed, read) = read.try_fold((0u32, 0u32), |sums, rows: Result<(u32, u32)>| {
        rows.map(|rows| (sums.0.saturating_add(rows.0), sums.1.saturating_add(rows.1)))
    })?;
    if read > FEW_ROWS.max(viewed / FEWER) {
        return Ok(None);
    }
    let mut views = Vec::with_capacity(segments.len());
    for (segment, deaths) in segments {
        views.push(match segment.grid(section)? {
            Some(grid) if grid.cells() <= MOST_CELLS => {
                let ended = deaths.iter().map(|deaths| deaths.view(section, segment, schema, forest));
                View::Sealed(ended.collect::<Result<_>>()?)
            }
            None => {
                let ended = |row: u32| deaths.iter().any(|deaths| deaths.find(row).is_some());
                let rows: Vec<u32> = (0..segment.rows()).filter(|row| !ended(*row)).collect();
                let made = views::of_some(section, segment, &rows, MOST_CELLS, schema, forest)?;
                let Some(made) = made else { return Ok(None) };
                View::Made(made)
            }
            Some(_) => return Ok(None),
        });
    }
    // The grids, each with whether it is taken out, and of which segment it is.
    let mut grids: Vec<(Grid<'_>, bool, &Segment)> = Vec::new();
    for (view, (segment, _)) in views.iter().zip(segments) {
        match view {
            View::Sealed(ended) => {
                grids.extend(segment.grid(section)?.map(|grid| (grid, false, *segment)));
                for bytes in ended {
                    grids.push((Grid::open(bytes)?, true, segment));
                }
            }
            View::Made(bytes) => grids.push((Grid::open(bytes)?, false, segment)),
        }
    }
    grids.retain(|(grid, ..)| grid.days() > 0);
    let shape = shape(&grids, tree, schema);
    if shape.cells() > MOST_CELLS {
        return Ok(None);
    }
    let places = grids.iter().map(|(grid, ..)| shape.within(grid, tree)).collect::<Option<Vec<_>>>();
    let Some(places) = places else { return Ok(None) };
    let mut facts = Vec::new();
    'facts: for fact in std::iter::once(Fact::Orders).chain((0..schema.counters.len()).map(Fact::Counter)) {
        let mut sums = vec![0u64; shape.cells()];
        for ((grid, taken_out, segment), (lines, days)) in grids.iter().zip(&places) {
            let is_known = match fact {
                Fact::Counter(number) => segment.counter(number)?.is_some(),
                _ => true,
            };
            let Some(before) = grid.sums(fact).filter(|_| is_known) else { continue 'facts };
            let before = lines.iter().flat_map(|line| days.iter().map(|day| before.at(*line, *day)));
            // Wrapping, as what is taken out of a damaged segment may be more than it has.
            let change = if *taken_out { u64::wrapping_sub } else { u64::wrapping_add };
            sums.iter_mut().zip(before).for_each(|(sum, before)| *sum = change(*sum, before));
        }
        facts.push(Running { fact, base: 0, sums });
    }
    Ok(Some(shape.encode(&facts)))
}

/// The lines of all grids, in the order of their tree, and the days from the first of any to the last.
fn shape(grids: &[(Grid<'_>, bool, &Segment)], tree: &Tree, schema: &Schema) -> Shape {
    let nodes = grids.iter().flat_map(|(grid, ..)| grid.nodes());
    let mut lines: Vec<(u64, i64)> = nodes.map(|node| (position(tree, node), node)).collect();
    lines.sort_unstable();
    lines.dedup();
    let ends = grids.iter().flat_map(|(grid, ..)| grid.starts());
    let (first, end) = ends.fold((i64::MAX, i64::MIN), |(a, b), time| (a.min(time), b.max(time)));
    let starts =
        Span::new(first, end).map_or_else(|_| vec![0], |span| schema.calendar().steps(Grain::Day, span));
    Shape::new(lines.into_iter().map(|(_, node)| node).collect(), starts, std::iter::empty())
}
