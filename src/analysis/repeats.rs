//! Repeats by key within the steps of a calendar.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::order::Order;
use crate::order_id::OrderId;
use crate::query::{At, Figure, Grouping, Query, RepeatReport, Repeats};
use crate::segment::ColumnId;
use crate::store::Snapshot;

impl Snapshot {
    /// The orders that repeat within every step of a query's grain: callers with two orders or more in a month, which start anew
    /// with the next. As [`repeats`](Self::repeats) otherwise. Orders that lack the clock belong to no step.
    ///
    /// # Errors
    /// As for [`repeats`](Self::repeats). [`Error::Invalid`] for a query without a grain.
    pub fn repeats_each(&self, query: &Query, repeats: &Repeats) -> Result<Vec<RepeatStep>> {
        let Some(grain) = query.grain.clone() else {
            return Err(Error::invalid("query", "repeats of each step need a grain; ask for month or week"));
        };
        let query = Query { grain: query.grain.clone(), ..query.uncut() };
        let mut volumes: BTreeMap<i64, u64> = BTreeMap::new();
        for row in self.run(&query)?.rows() {
            if let Some(time) = row.time() {
                *volumes.entry(time).or_default() += row.count();
            }
        }
        let step = |(time, volume): (i64, u64)| {
            let (whole, asked) = (self.calendar().step(&grain, time), query.span);
            let span = Span::new(whole.start().max(asked.start()), whole.end().min(asked.end()))?;
            let query = Query { grain: None, ..query.clone() }.during_on(query.clock.clone(), span);
            let report = self.repeats(&query, repeats)?;
            Ok(RepeatStep { snapshot: self.clone(), query, repeats: repeats.clone(), span, volume, report })
        };
        volumes.into_iter().map(step).collect()
    }
}

/// The orders that repeat within one step of time: see [`Snapshot::repeats_each`].
#[derive(Debug, Clone)]
pub struct RepeatStep {
    snapshot: Snapshot,
    query: Query,
    repeats: Repeats,
    /// The step, as far as the query's span holds it.
    pub span: Span,
    /// All orders in it.
    pub volume: u64,
    /// What repeats.
    pub report: RepeatReport,
}

impl RepeatStep {
    /// The share of all orders that repeat, the first of each key included.
    #[must_use]
    pub fn share(&self) -> Figure {
        Figure::Ratio { numerator: self.report.orders, denominator: self.volume }
    }

    /// The orders behind each repeat that is [listed](RepeatReport::listed), the newest first: how its last one ended is told by
    /// that order's outcomes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged file.
    pub fn orders(&self) -> Result<Vec<Vec<Order>>> {
        let snapshot = &self.snapshot;
        let node = self.repeats.node.as_ref();
        let node = node.map(|(tree, level)| Grouping::new(tree, Some(level), snapshot)).transpose()?;
        let mut columns = vec![ColumnId::Key(snapshot.schema().key(&self.repeats.key)?)];
        columns.extend(node.as_ref().map(|node| node.column));
        let listed = self.report.listed.iter().zip(0..);
        let at: HashMap<_, usize> =
            listed.map(|(repeat, at)| ((repeat.key, repeat.node.map(|node| node.index())), at)).collect();
        let mut found: Vec<Vec<At>> = vec![Vec::new(); self.report.listed.len()];
        snapshot.visit(&self.query, &columns, |order, values| {
            let Some((key, rest)) = values.split_first() else { return };
            let node = node.as_ref().zip(rest.first()).and_then(|(node, value)| node.of(*value));
            if let Some(orders) = at.get(&(key.cast_unsigned(), node)).and_then(|at| found.get_mut(*at)) {
                orders.push(order);
            }
        })?;
        let read = |found: Vec<At>| {
            let mut orders: Vec<Order> =
                found.into_iter().map(|at| snapshot.order_at(at)).collect::<Result<_>>()?;
            orders.sort_by_cached_key(|order| {
                (std::cmp::Reverse(order.created().seconds()), OrderId::parse(order.id()).ok())
            });
            Ok(orders)
        };
        found.into_iter().map(read).collect()
    }
}

/// As a JSON line: `from` and `until` of the step, `groups`, `orders` in them, `volume`.
impl Serialize for RepeatStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let calendar = self.snapshot.calendar();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("from", &calendar.format(self.span.start()))?;
        map.serialize_entry("until", &calendar.format(self.span.end()))?;
        map.serialize_entry("groups", &self.report.groups)?;
        map.serialize_entry("orders", &self.report.orders)?;
        map.serialize_entry("volume", &self.volume)?;
        map.end()
    }
}
