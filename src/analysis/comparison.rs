//! Two answers to one question, side by side.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Fraction;
use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::filter::{Filter, NodeRef};
use crate::query::{Answer, Figure, Group, Metric, NodePath, Query, Row, RowKind, Targets};
use crate::schema::PLACE;
use crate::store::Snapshot;
use crate::tree::Node;

impl Snapshot {
    /// Asks one question of two spans of the query's clock; [`Calendar::earlier`](crate::Calendar::earlier) finds the second one.
    /// With a grain, the first step of one lies beside the first of the other, and so on.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query with a top k: which groups are the largest differs between the two.
    pub fn compare(&self, query: &Query, now: Span, before: Span) -> Result<Comparison> {
        if query.top.is_some() {
            return Err(Error::invalid(
                "query",
                "a comparison takes no top k; compare all and keep the first rows",
            ));
        }
        let during = |span| self.run(&query.clone().during_on(query.clock.clone(), span));
        Ok(Comparison::new(during(now)?, during(before)?))
    }

    /// Asks one question of two sets of units, each set as a whole: its figures are those of all orders at or under any of its
    /// units, each once.
    ///
    /// # Errors
    /// As for [`compare`](Self::compare). [`Error::Invalid`] for a query that names units or targets of its own.
    pub fn compare_units(&self, query: &Query, these: &[NodeRef], those: &[NodeRef]) -> Result<Comparison> {
        let whole = query.within.is_empty() && query.targets == Targets::Bases;
        if query.top.is_some() || !whole {
            return Err(Error::invalid(
                "query",
                "two sets of units are compared as wholes: no units, targets or top k",
            ));
        }
        let of = |nodes: &[NodeRef]| {
            let set = Filter::Under { tree: PLACE.to_owned(), nodes: nodes.to_vec() };
            self.run(&query.clone().filter(set))
        };
        Ok(Comparison::new(of(these)?, of(those)?))
    }
}

/// Two answers, group beside group. A group that only one of them has is compared with nothing: with no orders.
#[derive(Debug, Clone)]
pub struct Comparison {
    now: Answer,
    before: Answer,
    /// The rows of both, by their numbers.
    pairs: Vec<(Option<usize>, Option<usize>)>,
}

/// What makes a row of one answer the counterpart of a row of the other.
#[derive(PartialEq, Eq, Hash)]
struct Counterpart<'a> {
    node: Option<Node>,
    kind: RowKind,
    groups: Vec<(Vec<&'a str>, bool)>,
    step: Option<usize>,
}

impl Comparison {
    /// Lays the answers to two queries beside each other: of two periods, two filters, two snapshots of one store. Groups meet
    /// where unit and values are the same, steps of time by their order.
    #[must_use]
    pub fn new(now: Answer, before: Answer) -> Self {
        let mut pairs = Vec::new();
        {
            let counterparts = |answer| -> Vec<_> { counterparts(answer).collect() };
            let (left, right) = (counterparts(&now), counterparts(&before));
            let rows: HashMap<&Counterpart<'_>, usize> = right.iter().zip(0..).collect();
            pairs.extend(left.iter().zip(0..).map(|(row, at)| (Some(at), rows.get(row).copied())));
            let met: HashSet<usize> = pairs.iter().filter_map(|(_, before)| *before).collect();
            pairs.extend((0..right.len()).filter(|at| !met.contains(at)).map(|at| (None, Some(at))));
        }
        Self { now, before, pairs }
    }

    /// The groups: those of the first answer in its order, then what only the second has.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Compared<'_>> {
        self.pairs.iter().map(|(now, before)| Compared {
            comparison: self,
            now: now.map(|at| self.now.row(at)),
            before: before.map(|at| self.before.row(at)),
        })
    }

    /// The metrics that were asked for.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        self.now.metrics()
    }
}

fn counterparts(answer: &Answer) -> impl Iterator<Item = Counterpart<'_>> {
    let times: BTreeMap<i64, ()> = answer.rows().filter_map(|row| Some((row.time()?, ()))).collect();
    let steps: HashMap<i64, usize> = times.into_keys().zip(0..).collect();
    answer.rows().map(move |row| Counterpart {
        node: row.node(),
        kind: row.kind(),
        groups: row.groups().map(|(_, group)| (group.names(), group.is_remainder())).collect(),
        step: row.time().and_then(|time| steps.get(&time).copied()),
    })
}

/// A group in both answers of a [`Comparison`].
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    comparison: &'a Comparison,
    now: Option<Row<'a>>,
    before: Option<Row<'a>>,
}

impl<'a> Compared<'a> {
    /// The row of the first answer; none where it has no such group.
    #[must_use]
    pub fn now(&self) -> Option<Row<'a>> {
        self.now
    }

    /// The row of the second answer; none where it has no such group.
    #[must_use]
    pub fn before(&self) -> Option<Row<'a>> {
        self.before
    }

    fn either(&self) -> Option<Row<'a>> {
        self.now.or(self.before)
    }

    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        let snapshot = &self.comparison.now.snapshot;
        NodePath::new(snapshot.place(), self.either().and_then(|row| row.node()))
    }

    /// What the row stands for.
    #[must_use]
    pub fn kind(&self) -> Option<RowKind> {
        self.either().map(|row| row.kind())
    }

    /// The group's values of all dimensions that were grouped by, with their names.
    pub fn groups(&self) -> impl Iterator<Item = (&'a str, Group<'a>)> + use<'a> {
        self.either().into_iter().flat_map(|row| row.groups())
    }

    /// The figures of a metric in both answers; no orders where one lacks the group.
    #[must_use]
    pub fn figures(&self, metric: &Metric) -> (Figure, Figure) {
        let figure = |row: Option<Row<'_>>| row.map_or_else(|| nothing(metric), |row| row.get(metric));
        (figure(self.now), figure(self.before))
    }

    /// By how much the metric has grown; for rates, the difference of the two. None where one has no figure.
    #[must_use]
    pub fn difference(&self, metric: &Metric) -> Option<Fraction> {
        let (now, before) = self.figures(metric);
        Some(Fraction::of(&now)? - Fraction::of(&before)?)
    }

    /// By what share of the second figure the metric has grown: 1 for twice as much. None over 0, and where one has no figure.
    #[must_use]
    pub fn growth(&self, metric: &Metric) -> Option<Fraction> {
        self.difference(metric)?.over(&Fraction::of(&self.figures(metric).1)?)
    }
}

/// The figure of a metric over no orders.
fn nothing(metric: &Metric) -> Figure {
    match metric {
        Metric::Count | Metric::Counter(_) | Metric::Distinct(_) => Figure::Count(0),
        Metric::Rate(..) => Figure::Ratio { numerator: 0, denominator: 0 },
        Metric::Sum(_) => Figure::Sum(0),
        Metric::Mean(_) => Figure::Mean { sum: 0, count: 0 },
        Metric::Min(_) | Metric::Max(_) | Metric::Quantile(..) => Figure::Missing,
    }
}

/// As a JSON line: `path`, `kind`, `time` and `before` with a grain, `by` with dimensions, and by metric `now`, `before`,
/// `difference` and `growth`.
impl Serialize for Compared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Pair {
            now: Figure,
            before: Figure,
            difference: Option<Fraction>,
            growth: Option<Fraction>,
        }
        let comparison = self.comparison;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        map.serialize_entry("kind", &self.kind())?;
        if comparison.now.timed {
            let calendar = comparison.now.snapshot.calendar();
            let time =
                |row: Option<Row<'_>>| row.and_then(|row| row.time()).map(|time| calendar.format(time));
            map.serialize_entry("time", &time(self.now))?;
            map.serialize_entry("before", &time(self.before))?;
        }
        let groups: BTreeMap<&str, Group<'_>> = self.groups().collect();
        if !groups.is_empty() {
            map.serialize_entry("by", &groups)?;
        }
        let pair = |metric: &Metric| {
            let (now, before) = self.figures(metric);
            Pair { now, before, difference: self.difference(metric), growth: self.growth(metric) }
        };
        let values = comparison.metrics().iter().map(|metric| (metric.to_string(), pair(metric)));
        map.serialize_entry("values", &values.collect::<BTreeMap<_, _>>())?;
        map.end()
    }
}
