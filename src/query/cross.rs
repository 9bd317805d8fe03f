//! Cross tables: units by the groups of dimensions, where the groups of each unit have their facts side by side.

use super::Query;
use super::answer::{Answer, GroupData, RowData};
use super::assemble::{empty, group, row_kind, standing};
use super::execute::Frame;
use super::facts::Facts;
use super::groups::{Member, NONE};
use super::plan::Plan;
use super::table::label;
use crate::error::{Error, Result};
use crate::store::Snapshot;

/// Builds the answer of a query without time: a row for every group with orders, in the order of the units, then of the
/// dimensions. `units` says where the facts of each begin.
pub(super) fn assemble_cross(
    query: &Query,
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    units: &[(Member, usize)],
    facts: &Facts,
) -> Result<Answer> {
    let place = snapshot.place();
    let mut units: Vec<(u64, Member, usize)> =
        units.iter().map(|(unit, first)| (label(place, *unit), *unit, *first)).collect();
    units.sort_unstable();
    let (places, groups) = in_order(plan, frame, snapshot);
    let mut answer = empty(query, plan, snapshot);
    for (_, member, first) in units {
        let unit = place.get(member);
        let kind = row_kind(plan, snapshot, unit);
        for (number, at) in places.iter().enumerate() {
            let slot = first + at;
            let orders = facts.orders[slot];
            if orders == 0 {
                continue;
            }
            answer.rows.push(RowData { place: unit, kind, time: None, orders });
            answer.groups.extend_from_slice(&groups[number * plan.by.len()..(number + 1) * plan.by.len()]);
            answer.figures.extend(plan.metrics.iter().map(|metric| facts.figure(*metric, Some(slot))));
        }
    }
    let total = answer.rows.len() as u64;
    if total > plan.limit {
        return Err(Error::TooManyGroups { groups: total, limit: plan.limit });
    }
    Ok(answer)
}

/// Where the groups of a unit stand behind its first one, in the order in which rows come, and what each is.
fn in_order(plan: &Plan, frame: &Frame, snapshot: &Snapshot) -> (Vec<usize>, Vec<GroupData>) {
    let (mut places, mut groups) = (vec![0], Vec::new());
    for (number, dimension) in plan.by.iter().enumerate() {
        let added = frame.keys.places(number).unwrap_or_default();
        let none = added.len().saturating_sub(1);
        let mut values: Vec<(u64, usize, GroupData)> = (0..)
            .zip(&added)
            .map(|(digit, added)| {
                let value = if digit as usize == none { NONE } else { digit };
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
