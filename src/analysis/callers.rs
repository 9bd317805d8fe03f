//! How often the same key comes, without telling whose it is.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::query::{Figure, Grouping, Query, Targets};
use crate::segment::{ColumnId, MISSING, present};
use crate::store::Snapshot;

impl Snapshot {
    /// What the callers behind a query's orders are like: who shares a key is one caller. For each, the orders are counted, the units at
    /// the level that the query asks for (without one, those on which orders lie), and the values of each of its dimensions: topics
    /// at a level, outcomes. Orders without the key are left out, and no key is told.
    ///
    /// Holds a few numbers for every order in memory: ask for months rather than for all time.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query with a grain, a top k, subtotals or a depth, and for tags.
    pub fn callers(&self, query: &Query, key: &str) -> Result<Callers> {
        if query.grain.is_some() || query.top.is_some() || query.between {
            let reason = "callers are profiles of all their orders: no grain, top k or subtotals";
            return Err(Error::invalid("query", reason));
        }
        let level = match &query.targets {
            Targets::Bases => None,
            Targets::Level(name) => Some(self.place().level(name)?),
            Targets::Depth(_) => {
                return Err(Error::invalid("query", "callers have units of a level; name it, not a depth"));
            }
        };
        let fields = query.groupings(self)?;
        let mut columns = vec![ColumnId::Key(self.schema().key(key)?), ColumnId::Place];
        columns.extend(fields.iter().map(|field| field.column));
        let place = self.place();
        let unit = |value: i64| {
            let node = place.get(u32::try_from(value).ok()?)?;
            let Some(level) = level else { return Some(node) };
            Some(place.ancestor(node, level)).filter(|unit| place.level_of(*unit) == level)
        };
        let width = columns.len();
        let mut rows: Vec<Vec<i64>> = Vec::new();
        self.visit(query, &columns, |_, values| {
            let [key, at, values @ ..] = values else { return };
            if present(*key).is_none() {
                return;
            }
            let mut row = Vec::with_capacity(width);
            row.extend([*key, unit(*at).map_or(MISSING, |unit| unit.index().into())]);
            row.extend(
                fields.iter().zip(values).map(|(field, value)| field.of(*value).map_or(MISSING, i64::from)),
            );
            rows.push(row);
        })?;
        rows.sort_unstable();
        let mut callers: Vec<Range<usize>> = Vec::new();
        for caller in rows.chunk_by(|a, b| a.first() == b.first()) {
            let start = callers.last().map_or(0, |last| last.end);
            callers.push(start..start + caller.len());
        }
        callers.sort_by_key(|caller| std::cmp::Reverse(caller.len()));
        let names = query.by.iter().map(|by| by.field.clone()).collect();
        Ok(Callers { snapshot: self.clone(), names, fields, rows, callers })
    }
}

/// What callers are like: see [`Snapshot::callers`].
#[derive(Debug)]
pub struct Callers {
    snapshot: Snapshot,
    names: Vec<String>,
    fields: Vec<Grouping>,
    /// Key, unit and values of every order, sorted.
    rows: Vec<Vec<i64>>,
    /// The orders of every caller, those with the most first.
    callers: Vec<Range<usize>>,
}

impl Callers {
    /// The callers, those with the most orders first.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Caller<'_>> {
        let orders = |caller: &Range<usize>| self.rows.get(caller.clone()).unwrap_or_default();
        self.callers.iter().map(move |caller| Caller { callers: self, orders: orders(caller) })
    }

    /// All orders that have the key.
    #[must_use]
    pub fn orders(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The share of the orders that come from the `k` busiest callers.
    #[must_use]
    pub fn share(&self, k: usize) -> Figure {
        let busiest = self.rows().take(k).map(|caller| caller.orders()).sum();
        Figure::Ratio { numerator: busiest, denominator: self.orders() }
    }

    /// How many callers have how many orders, by the number of orders.
    #[must_use]
    pub fn times(&self) -> BTreeMap<u64, u64> {
        let mut times = BTreeMap::new();
        self.rows().for_each(|caller| *times.entry(caller.orders()).or_default() += 1);
        times
    }
}

/// One caller, whose key is not told.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    callers: &'a Callers,
    orders: &'a [Vec<i64>],
}

impl<'a> Caller<'a> {
    /// How many orders.
    #[must_use]
    pub fn orders(&self) -> u64 {
        self.orders.len() as u64
    }

    /// From how many different units.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.counts(1).len() as u64
    }

    /// How many orders have each value of a dimension of the query, the most first, then in the order of the field: paths joined by
    /// `/`. None for another field; orders without a value are not among them.
    #[must_use]
    pub fn values(&self, field: &str) -> Option<Vec<(String, u64)>> {
        let at = self.callers.names.iter().position(|name| name == field)?;
        let field = self.callers.fields.get(at)?;
        let mut counts: Vec<(u32, u64)> = self.counts(at + 2);
        counts.sort_by_key(|(_, orders)| std::cmp::Reverse(*orders));
        let name = |value| field.name(&self.callers.snapshot, value);
        Some(counts.into_iter().map(|(value, orders)| (name(value), orders)).collect())
    }

    /// How many orders have each value of a column.
    fn counts(&self, column: usize) -> Vec<(u32, u64)> {
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for value in self.orders.iter().filter_map(|order| u32::try_from(*order.get(column)?).ok()) {
            *counts.entry(value).or_default() += 1;
        }
        counts.into_iter().collect()
    }
}

/// As a JSON line: `orders`, `units`, and by dimension how many orders have each value.
impl Serialize for Caller<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("orders", &self.orders())?;
        map.serialize_entry("units", &self.units())?;
        for name in &self.callers.names {
            let values: BTreeMap<String, u64> = self.values(name).into_iter().flatten().collect();
            map.serialize_entry(name, &values)?;
        }
        map.end()
    }
}
