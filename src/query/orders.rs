//! The orders behind a figure.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::order::Order;
use crate::order_id::OrderId;
use crate::segment::{ColumnId, MISSING, SectionId};
use crate::store::{Live, Snapshot};

use super::Query;
use super::execute::{Frame, SegmentPlan, Times};
use super::number::Number;
use super::plan::Plan;

/// In which order orders are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Sort {
    /// The newest first, by `created`; at the same second by id.
    #[default]
    Newest,
    /// The largest value of a measure first, those without it last; equal ones as [`Newest`](Self::Newest).
    Largest(String),
}

/// An order that may be listed. The smallest is listed first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    value: Reverse<i64>,
    created: Reverse<i64>,
    id: OrderId,
    segment: usize,
    row: u32,
}

pub(super) fn orders(snapshot: &Snapshot, query: &Query, sort: &Sort, limit: usize) -> Result<Vec<Order>> {
    let plan = Plan::new(&query.uncut(), snapshot)?;
    let frame = Frame::new(&plan, snapshot)?;
    let measure = match sort {
        Sort::Newest => None,
        Sort::Largest(measure) => Some(plan.schema().measure(measure)?),
    };
    let mut listed: BinaryHeap<Candidate> = BinaryHeap::new();
    // The newest segments first, so that older ones need not be read once enough is found.
    let newest = |at: &usize| Reverse(snapshot.lives()[*at].segment.summary().created.map(|(_, last)| last));
    let mut segments: Vec<usize> = (0..snapshot.lives().len()).collect();
    segments.sort_by_key(newest);
    for number in segments {
        let live = &snapshot.lives()[number];
        let last = live.segment.summary().created.map_or(MISSING, |(_, last)| last);
        let full = listed.len() >= limit;
        if full && measure.is_none() && listed.peek().is_none_or(|worst| worst.created.0 > last) {
            break;
        }
        collect(&plan, &frame, snapshot, (number, live), measure, limit, &mut listed)?;
    }
    let listed = listed.into_sorted_vec();
    listed.iter().map(|found| snapshot.order(&snapshot.lives()[found.segment].segment, found.row)).collect()
}

fn collect(
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    (number, live): (usize, &Live),
    measure: Option<usize>,
    limit: usize,
    listed: &mut BinaryHeap<Candidate>,
) -> Result<()> {
    if limit == 0 {
        return Ok(());
    }
    let Some(chosen) = SegmentPlan::new(plan, snapshot, live, &Times::of(plan, frame, &live.segment))? else {
        return Ok(());
    };
    let kept = chosen.kept(plan, live)?;
    let segment = live.segment.as_ref();
    let created = segment.column(ColumnId::Created)?;
    let value = measure.map(|measure| Number::measure(segment, plan.schema(), measure)).transpose()?;
    let ids = segment.ids()?;
    let mut list = |row: u32| -> Result<()> {
        let created = created.map_or(MISSING, |created| created.get(row as usize));
        let value = value.as_ref().map_or(0, |value| value.get(row));
        let order = (Reverse(value), Reverse(created));
        let worst = listed.peek().filter(|_| listed.len() >= limit);
        if worst.is_some_and(|worst| (worst.value, worst.created).cmp(&order) == Ordering::Less) {
            return Ok(());
        }
        let id = segment.placed(SectionId::Ids, ids.get(row))?;
        listed.push(Candidate { value: order.0, created: order.1, id, segment: number, row });
        if listed.len() > limit {
            listed.pop();
        }
        Ok(())
    };
    let mut done = Ok(());
    for (_, range) in &chosen.ranges {
        kept.for_each(range.clone(), |row| {
            if done.is_ok() {
                done = list(row);
            }
        });
    }
    done
}
