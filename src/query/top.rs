//! The first k units, and the others as one.

use super::answer::{Answer, Figure, RowData, RowKind};
use super::assemble::{empty, row_kind};
use super::facts::{Facts, Lane};
use super::groups::Member;
use super::plan::Plan;
use super::table::label;
use super::{Query, rank};
use crate::error::{Error, Result};
use crate::store::Snapshot;
use crate::tree::Node;

/// Builds the answer of a query for the first `k` units, of which each has one slot: only these are put in order.
pub(super) fn assemble_top(
    query: &Query,
    plan: &Plan,
    snapshot: &Snapshot,
    units: impl Iterator<Item = (Member, usize)>,
    facts: &mut Facts,
    k: usize,
) -> Result<Answer> {
    let place = snapshot.place();
    let metric = plan.metrics.first().copied();
    let lane = metric.map_or(Lane::Counts(&facts.orders), |metric| facts.lane(metric));
    let order = |a: &(Figure, Member, usize), b: &(Figure, Member, usize)| {
        rank::compare(&b.0, &a.0).then_with(|| label(place, a.1).cmp(&label(place, b.1)))
    };
    // Most units are below the k-th of those seen before, and need one comparison.
    let (mut ranked, mut others): (Vec<(Figure, Member, usize)>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut least: Option<(Figure, Member, usize)> = None;
    let cut = |ranked: &mut Vec<(Figure, Member, usize)>, others: &mut Vec<usize>| {
        if k < ranked.len() {
            ranked.select_nth_unstable_by(k, order);
        }
        others.extend(ranked.drain(k.min(ranked.len())..).map(|(_, _, slot)| slot));
        ranked.iter().copied().max_by(order)
    };
    for (member, slot) in units {
        let unit = (lane.figure(Some(slot)), member, slot);
        if least.as_ref().is_some_and(|least| order(&unit, least).is_gt()) {
            others.push(slot);
            continue;
        }
        ranked.push(unit);
        if ranked.len() >= k.saturating_mul(2).max(64) {
            least = cut(&mut ranked, &mut others).filter(|_| ranked.len() == k);
        }
    }
    cut(&mut ranked, &mut others);
    ranked.sort_unstable_by(order);
    let total = ranked.len() as u64 + u64::from(!others.is_empty());
    if total > plan.limit {
        return Err(Error::TooManyGroups { groups: total, limit: plan.limit });
    }
    let mut answer = empty(query, plan, snapshot);
    let mut rows: Vec<(Option<Node>, RowKind, usize)> = Vec::with_capacity(ranked.len() + 1);
    rows.extend(ranked.into_iter().map(|(_, member, slot)| {
        let unit = place.get(member);
        (unit, row_kind(plan, snapshot, unit), slot)
    }));
    if !others.is_empty() {
        let total = facts.slot();
        others.into_iter().for_each(|slot| facts.merge_within(total, slot));
        rows.push((None, RowKind::Others, total));
    }
    answer.figures = facts.figures(&plan.metrics, rows.iter().map(|(.., slot)| Some(*slot)));
    let row = |(place, kind, slot)| RowData { place, kind, orders: facts.orders[slot] };
    answer.rows = rows.into_iter().map(row).collect();
    Ok(answer)
}
