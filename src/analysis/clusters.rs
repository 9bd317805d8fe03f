//! The same thing, again and again, within some days.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::comparison::counterparts;
use crate::calendar::{Alignment, Grain, Span};
use crate::error::{Error, Result};
use crate::filter::{Filter, NodeRef, is, missing, under};
use crate::query::{Answer, Figure, Group, NodePath, Query, Targets};
use crate::schema::PLACE;
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
        if query.grain.is_some() || query.top.is_some() || query.between {
            return Err(Error::invalid(
                "query",
                "clusters are groups at a moment: no grain, top k or subtotals",
            ));
        }
        let instant = Span::new(moment, moment)?;
        let since = self.calendar().earlier(instant, days, Grain::Day, Alignment::SameDates)?.start();
        let query = query.clone().during_on(query.clock.clone(), Span::new(since, moment)?);
        let answer = self.run(&query)?;
        let whole = Query {
            targets: Targets::Bases,
            by: Vec::new(),
            metrics: Vec::new(),
            all_units: false,
            ..query.clone()
        };
        let orders = self.run(&whole)?.rows().map(|row| row.count()).sum();
        let mut found: Vec<usize> = counterparts(&answer)
            .enumerate()
            .filter(|(at, group)| group.is_group() && answer.row(*at).count() >= least.max(1))
            .map(|(at, _)| at)
            .collect();
        found.sort_by_key(|at| std::cmp::Reverse(answer.row(*at).count()));
        Ok(Clusters { query, answer, found, orders })
    }
}

/// The clusters at a moment: see [`Snapshot::clusters`].
#[derive(Debug, Clone)]
pub struct Clusters {
    query: Query,
    answer: Answer,
    /// The numbers of their rows.
    found: Vec<usize>,
    /// All orders in these days.
    orders: u64,
}

impl Clusters {
    /// The clusters, the largest first; of equal ones in tree order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Cluster<'_>> {
        self.found.iter().map(|row| Cluster { clusters: self, row: *row })
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
    row: usize,
}

impl<'a> Cluster<'a> {
    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        self.clusters.answer.row(self.row).path()
    }

    /// The unit; none where the query asks for no units.
    #[must_use]
    pub fn node(&self) -> Option<Node> {
        self.clusters.answer.row(self.row).node()
    }

    /// The group's values of all dimensions, with their names.
    pub fn groups(&self) -> impl Iterator<Item = (&'a str, Group<'a>)> + Clone + use<'a> {
        self.clusters.answer.row(self.row).groups()
    }

    /// The number of orders.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.clusters.answer.row(self.row).count()
    }

    /// A query for the orders of the cluster alone: [`Snapshot::orders`] lists them with all that became of them,
    /// [`Snapshot::run`] cuts them into units.
    pub fn query(&self) -> Query {
        let query = Query { targets: Targets::Bases, by: Vec::new(), ..self.clusters.query.clone() };
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

/// As a JSON line: `path`, `by` with dimensions, `size`.
impl Serialize for Cluster<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        let groups: std::collections::BTreeMap<&str, Group<'_>> = self.groups().collect();
        if !groups.is_empty() {
            map.serialize_entry("by", &groups)?;
        }
        map.serialize_entry("size", &self.size())?;
        map.end()
    }
}
