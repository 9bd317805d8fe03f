//! Cross tables: units by the groups of dimensions, where the groups of each unit have their facts side by side.

use super::Query;
use super::answer::{Answer, GroupData, RowData, RowKind};
use super::assemble::{empty, group, row_kind, standing};
use super::execute::Frame;
use super::facts::Facts;
use super::groups::{Digits, Groups, Member, NONE, unit_and_place};
use super::plan::Plan;
use super::table::label;
use super::tally::Tallied;
use crate::error::{Error, Result};
use crate::store::Snapshot;
use crate::tree::Node;

/// Builds the answer of a query without time: a row for every group with at least so many orders, one or more, in the order of the
/// units, then of the dimensions. `units` says where the facts of each begin.
pub(super) fn assemble_cross(
    query: &Query,
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    (units, facts): (&[(Member, usize)], &Facts),
    least: u64,
) -> Result<Answer> {
    let place = snapshot.place();
    let mut units: Vec<(u64, Member, usize)> =
        units.iter().map(|(unit, first)| (label(place, *unit), *unit, *first)).collect();
    units.sort_unstable();
    let (places, groups) = in_order(plan, frame, snapshot);
    let mut answer = empty(query, plan, snapshot);
    answer.rows.reserve(units.len());
    let enough = |slot: &usize| facts.orders[*slot] >= least.max(1);
    for (_, member, first) in &units {
        let unit = place.get(*member);
        let kind = row_kind(plan, snapshot, unit);
        for (number, at) in places.iter().enumerate() {
            let slot = first + at;
            if enough(&slot) {
                let groups = &groups[number * plan.by.len()..(number + 1) * plan.by.len()];
                push(&mut answer, (unit, kind, facts.orders[slot]), groups);
            }
        }
    }
    check(plan, answer.rows.len())?;
    let slots = units.iter().flat_map(|(.., first)| places.iter().map(move |at| first + at));
    answer.figures = facts.figures(&plan.metrics, slots.filter(enough).map(Some));
    Ok(answer)
}

/// As [`assemble_cross`], of the groups with at least so many orders, wherever their facts are.
pub(super) fn assemble_some(
    query: &Query,
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    (groups, least): (&Groups, u64),
    per_unit: usize,
) -> Result<Answer> {
    let place = snapshot.place();
    let (places, known) = in_order(plan, frame, snapshot);
    let mut standing = vec![0; per_unit];
    for (number, at) in places.into_iter().enumerate() {
        standing[at] = number;
    }
    // Unit, standing, slot and kind.
    let mut rows: Vec<(Option<Node>, usize, usize, RowKind)>;
    if let Some(tallied) = groups.tallied() {
        let row =
            |(group, slot): (&Tallied, usize)| (group.node, standing[group.place as usize], slot, group.kind);
        rows = tallied.iter().zip(0..).map(row).collect();
        rows.chunk_by_mut(|a, b| a.0 == b.0).for_each(|rows| rows.sort_unstable_by_key(|row| row.1));
    } else {
        let enough = groups.keys().filter(|(_, slot)| groups.facts.orders[*slot] >= least);
        let row = |(key, slot)| {
            let (unit, at) = unit_and_place(key, per_unit);
            let unit = place.get(unit);
            (unit, standing[at], slot, row_kind(plan, snapshot, unit))
        };
        rows = enough.map(row).collect();
        rows.sort_by_cached_key(|(unit, standing, ..)| (unit.map_or(0, |unit| place.label(unit)), *standing));
    }
    check(plan, rows.len())?;
    let mut answer = empty(query, plan, snapshot);
    answer.rows.reserve_exact(rows.len());
    answer.groups.reserve_exact(rows.len() * plan.by.len());
    let facts = &groups.facts;
    answer.figures = facts.figures(&plan.metrics, rows.iter().map(|(_, _, slot, _)| Some(*slot)));
    for (unit, number, slot, kind) in rows {
        let by = &known[number * plan.by.len()..(number + 1) * plan.by.len()];
        push(&mut answer, (unit, kind, facts.orders[slot]), by);
    }
    Ok(answer)
}

fn push(answer: &mut Answer, (place, kind, orders): (Option<Node>, RowKind, u64), groups: &[GroupData]) {
    answer.rows.push(RowData { place, kind, orders });
    // One or two, which to copy as one piece of memory would take longer.
    groups.iter().for_each(|group| answer.groups.push(*group));
}

fn check(plan: &Plan, rows: usize) -> Result<()> {
    let groups = rows as u64;
    if groups > plan.limit { Err(Error::TooManyGroups { groups, limit: plan.limit }) } else { Ok(()) }
}

/// Where the groups of a unit stand behind its first one, in the order in which rows come, and what each is.
fn in_order(plan: &Plan, frame: &Frame, snapshot: &Snapshot) -> (Vec<usize>, Vec<GroupData>) {
    let (mut places, mut groups) = (vec![0], Vec::new());
    for (number, dimension) in plan.by.iter().enumerate() {
        let added = frame.keys.places(number).unwrap_or_default();
        let members = frame.keys.digits(number).map_or(&[][..], Digits::members);
        let mut values: Vec<(u64, usize, GroupData)> = members
            .iter()
            .copied()
            .chain([NONE])
            .zip(&added)
            .map(|(value, added)| {
                (standing(dimension, value, snapshot), *added, group(dimension, value, snapshot))
            })
            .collect();
        values.sort_by_key(|(standing, ..)| *standing);
        let (before, known) = (std::mem::take(&mut places), std::mem::take(&mut groups));
        for (at, place) in before.into_iter().enumerate() {
            for (_, added, group) in &values {
                places.push(place + added);
                groups.extend_from_slice(&known[at * number..(at + 1) * number]);
                groups.push(*group);
            }
        }
    }
    (places, groups)
}
