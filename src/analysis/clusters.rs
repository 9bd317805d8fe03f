//! The same thing, again and again, within some days.

use hashbrown::HashMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::calendar::{Alignment, Calendar, Grain, Span};
use crate::counting;
use crate::error::{Error, Result};
use crate::filter::{Filter, NodeRef, is, missing, under};
use crate::query::{Answer, Figure, Group, NodePath, Query, Targets};
use crate::schema::PLACE;
use crate::segment::{ColumnId, present};
use crate::store::Snapshot;
use crate::tree::Node;

impl Snapshot {
    /// The clusters there are at a moment: groups of a query (a place at a level × a topic at a level) with at least so many orders
    /// in the `days` days of the calendar before it, the largest first. Asked again every day, it is an alarm; with 7 days and 2
    /// orders at the finest levels, it finds repeated issues.
    ///
    /// Remainders are no groups: what is known of their place or topic is too little to call them the same.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query with a grain, a top k or subtotals.
    pub fn clusters(&self, query: &Query, moment: i64, days: u32, least: u64) -> Result<Clusters> {
        check(query)?;
        let span = Span::new(days_before(self.calendar(), moment, days)?, moment)?;
        let query = query.clone().during_on(query.clock.clone(), span);
        let answer = self.run_at_least(&query, least)?;
        let orders = self.run(&query.uncut())?.rows().map(|row| row.count()).sum();
        let mut found = Vec::with_capacity(answer.len());
        let group = |row| Found { row, size: answer.row(row).count(), span };
        found.extend(candidates(&answer, least.max(1)).map(group));
        Ok(Clusters::new(query, answer, found, orders))
    }

    /// The clusters there were at any moment of a query's span: each is a run of orders of one group, any `least` of which that follow
    /// each other lie within `days` days. So [`clusters`](Self::clusters) would have found these at some moment; windows that share
    /// an order are one cluster. A group can have several, one after another. The largest come first.
    ///
    /// # Errors
    /// As for [`clusters`](Self::clusters), and for fewer than two orders. [`Error::Invalid`] for tags as a dimension.
    pub fn clusters_during(&self, query: &Query, days: u32, least: u64) -> Result<Clusters> {
        check(query)?;
        if least < 2 {
            return Err(Error::invalid("query", "one order is no cluster; ask for two or more"));
        }
        let groupings = query.groupings(self)?;
        let groups = Query { metrics: Vec::new(), all_units: false, ..query.clone() };
        let answer = self.run_at_least(&groups, least)?;
        let rows: Vec<usize> = candidates(&answer, least).collect();
        let keys = rows.iter().filter_map(|row| answer.row(*row).group_key());
        let of: HashMap<_, usize> = keys.zip(0..).collect();
        let mut times: Vec<Vec<i64>> = vec![Vec::new(); rows.len()];
        let mut columns = vec![self.schema().clock(&query.clock)?.into(), ColumnId::Place];
        columns.extend(groupings.iter().map(|grouping| grouping.column));
        let mut orders = 0;
        let (place, mut group) = (self.place(), (None, Vec::new()));
        self.visit(query, &columns, |_, values| {
            let [time, unit, values @ ..] = values else { return };
            let Some(time) = present(*time) else { return };
            orders += 1;
            group.1.clear();
            group.1.extend(groupings.iter().zip(values).map(|(grouping, value)| grouping.of(*value)));
            group.0 = u32::try_from(*unit).ok().and_then(|unit| place.get(unit));
            // The unit itself, or the one above it that was asked for.
            loop {
                if let Some(times) = of.get(&group).and_then(|at| times.get_mut(*at)) {
                    return times.push(time);
                }
                let Some(unit) = group.0 else { return };
                group.0 = place.parent(unit);
            }
        })?;
        let mut found = Vec::new();
        for (row, mut times) in rows.iter().zip(times) {
            times.sort_unstable();
            for run in runs(self.calendar(), &times, days, least)? {
                let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
                let span = Span::new(*first, last + 1)?;
                found.push(Found { row: *row, size: run.len() as u64, span });
            }
        }
        Ok(Clusters::new(query.clone(), answer, found, orders))
    }
}

fn check(query: &Query) -> Result<()> {
    if query.grain.is_some() || query.top.is_some() || query.between {
        return Err(Error::invalid(
            "query",
            "clusters have their own steps of time: no grain, top k or subtotals",
        ));
    }
    Ok(())
}

/// The same time of the clock so many days before.
fn days_before(calendar: &Calendar, time: i64, days: u32) -> Result<i64> {
    Ok(calendar.earlier(Span::new(time, time)?, days, Grain::Day, Alignment::SameDates)?.start())
}

/// The rows that are groups with enough orders.
fn candidates(answer: &Answer, least: u64) -> impl Iterator<Item = usize> {
    let is_candidate = move |at: &usize| {
        let row = answer.row(*at);
        row.count() >= least && row.is_group()
    };
    (0..answer.len()).filter(is_candidate)
}

/// The runs of ascending times of which any `least` that follow each other lie within the days.
fn runs<'a>(calendar: &Calendar, times: &'a [i64], days: u32, least: u64) -> Result<Vec<&'a [i64]>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    let least = usize::try_from(least).unwrap_or(usize::MAX);
    for (start, window) in times.windows(least).enumerate() {
        let (Some(first), Some(last)) = (window.first(), window.last()) else { continue };
        if days_before(calendar, last + 1, days)? > *first {
            continue;
        }
        match runs.last_mut().filter(|run| start < run.end) {
            Some(run) => run.end = start + least,
            None => runs.push(start..start + least),
        }
    }
    Ok(runs.into_iter().filter_map(|run| times.get(run)).collect())
}

/// The clusters at a moment, or during a span: see [`Snapshot::clusters`] and [`Snapshot::clusters_during`].
#[derive(Debug, Clone)]
pub struct Clusters {
    query: Query,
    answer: Answer,
    found: Vec<Found>,
    /// All orders in these days.
    orders: u64,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    /// The group's row in the answer.
    row: usize,
    size: u64,
    span: Span,
}

impl Clusters {
    /// The largest first; of equal ones in tree order, then in time.
    fn new(query: Query, answer: Answer, found: Vec<Found>, orders: u64) -> Self {
        let found = counting::sort(found, |found| u64::MAX - found.size);
        Self { query, answer, found, orders }
    }

    /// The clusters, the largest first; of equal ones in tree order, then in time.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Cluster<'_>> {
        self.found.iter().map(|found| Cluster { clusters: self, found: *found })
    }

    /// The share of all orders in these days that lie in a cluster.
    #[must_use]
    pub fn share(&self) -> Figure {
        Figure::Ratio { numerator: self.rows().map(|cluster| cluster.size()).sum(), denominator: self.orders }
    }
}

/// A group with many orders within some days.
#[derive(Debug, Clone, Copy)]
pub struct Cluster<'a> {
    clusters: &'a Clusters,
    found: Found,
}

impl<'a> Cluster<'a> {
    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        self.clusters.answer.row(self.found.row).path()
    }

    /// The unit; none where the query asks for no units.
    #[must_use]
    pub fn node(&self) -> Option<Node> {
        self.clusters.answer.row(self.found.row).node()
    }

    /// The group's values of all dimensions, with their names.
    pub fn groups(&self) -> impl Iterator<Item = (&'a str, Group<'a>)> + Clone + use<'a> {
        self.clusters.answer.row(self.found.row).groups()
    }

    /// The number of orders.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.found.size
    }

    /// The time of its orders: the days before the moment; or, of clusters during a span, from its first order to its last.
    #[must_use]
    pub fn span(&self) -> Span {
        self.found.span
    }

    /// A query for the orders of the cluster alone: [`Snapshot::orders`] lists them with all that became of them,
    /// [`Snapshot::run`] cuts them into units.
    pub fn query(&self) -> Query {
        let query = Query { targets: Targets::Bases, by: Vec::new(), ..self.clusters.query.clone() };
        let query = query.during_on(self.clusters.query.clock.clone(), self.found.span);
        let query = match self.node() {
            Some(node) => query.filter(under(PLACE, node)),
            None => query,
        };
        self.groups().fold(query, |query, (field, group)| {
            query.filter(match (group.tree_node(), group.value()) {
                (Some(node), _) => Filter::Under { tree: field.to_owned(), nodes: vec![NodeRef::Node(node)] },
                (None, Some(value)) => is(field, value),
                (None, None) => missing(field),
            })
        })
    }
}

/// As a JSON line: `path`, `by` with dimensions, `from` and `until` of its time, `size`.
impl Serialize for Cluster<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        let groups: std::collections::BTreeMap<&str, Group<'_>> = self.groups().collect();
        if !groups.is_empty() {
            map.serialize_entry("by", &groups)?;
        }
        let calendar = self.clusters.answer.snapshot.calendar();
        map.serialize_entry("from", &calendar.format(self.span().start()))?;
        map.serialize_entry("until", &calendar.format(self.span().end()))?;
        map.serialize_entry("size", &self.size())?;
        map.end()
    }
}
