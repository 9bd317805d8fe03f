//! What a query gives: rows of exact figures, with names that are looked up when they are read.

use std::fmt;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::schema::Field;
use crate::store::Snapshot;
use crate::tree::{Node, Tree};

use super::metric::Metric;

/// What a query gives. Rows stand in tree order, then in the order of the groups, then in time; with
/// [`top`](crate::Query::top), by rank.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) snapshot: Snapshot,
    pub(super) metrics: Vec<Metric>,
    /// The dimensions of `by`, by name and field.
    pub(super) by: Vec<(String, Field)>,
    pub(crate) timed: bool,
    pub(super) rows: Vec<RowData>,
    /// Per row, where a grain was asked for.
    pub(super) times: Vec<Option<i64>>,
    /// Per row, one for each dimension.
    pub(super) groups: Vec<GroupData>,
    /// Per metric.
    pub(super) figures: Vec<Figures>,
}

/// The figures of a metric, row by row.
#[derive(Debug, Clone)]
pub(super) enum Figures {
    Counts(Vec<u64>),
    /// Numerators and denominators.
    Ratios(Vec<(u64, u64)>),
    Others(Vec<Figure>),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct RowData {
    pub(super) place: Option<Node>,
    pub(super) kind: RowKind,
    pub(super) orders: u64,
}

/// A value of a dimension, or none for missing; `remainder` where it lies above the asked level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupData {
    pub(super) value: Option<u32>,
    pub(super) remainder: bool,
}

/// What tells a group from others: its unit, and the number of its value in each dimension.
pub(crate) type GroupKey = (Option<Node>, Vec<Option<u32>>);

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RowKind {
    /// A unit that was asked for, with everything under it.
    Target,
    /// A unit above those, with the orders of its own.
    Remainder,
    /// A unit between base and targets, with everything under it.
    Subtotal,
    /// All groups behind the first `k`.
    Others,
}

/// A figure, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Figure {
    /// A number of orders or keys.
    Count(u64),
    /// A rate. Over 0 there is none.
    Ratio {
        /// Orders counted.
        numerator: u64,
        /// Orders judged.
        denominator: u64,
    },
    /// A sum, in the measure's unit.
    Sum(i128),
    /// A mean; of nothing there is none.
    Mean {
        /// The sum of the values.
        sum: i128,
        /// How many values there are.
        count: u64,
    },
    /// A value of the measure.
    Value(i64),
    /// No order has a value, or the metric was not asked for.
    Missing,
}

impl Answer {
    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|index| self.row(index))
    }

    /// The row with this number, which is below [`len`](Self::len).
    pub(crate) fn row(&self, index: usize) -> Row<'_> {
        Row { answer: self, index }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The metrics that were asked for.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }
}

impl<'a> IntoIterator for &'a Answer {
    type Item = Row<'a>;
    type IntoIter = Box<dyn Iterator<Item = Row<'a>> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.rows())
    }
}

/// One row of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    answer: &'a Answer,
    index: usize,
}

impl<'a> Row<'a> {
    fn data(&self) -> &'a RowData {
        &self.answer.rows[self.index]
    }

    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        NodePath { tree: self.answer.snapshot.place(), node: self.data().place }
    }

    /// The unit; none for the empty path.
    #[must_use]
    pub fn node(&self) -> Option<Node> {
        self.data().place
    }

    /// What the row stands for.
    #[must_use]
    pub fn kind(&self) -> RowKind {
        self.data().kind
    }

    /// The first second of the step of time; none where no grain was asked for, or where the orders of the row lack
    /// the clock.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        self.answer.times.get(self.index).copied().flatten()
    }

    /// The row's value of a dimension that was grouped by.
    #[must_use]
    pub fn group(&self, field: &str) -> Option<Group<'a>> {
        let position = self.answer.by.iter().position(|(name, _)| name == field)?;
        self.groups().nth(position).map(|(_, group)| group)
    }

    /// The row's values of all dimensions that were grouped by, with their names.
    pub fn groups(&self) -> impl Iterator<Item = (&'a str, Group<'a>)> + Clone + use<'a> {
        let snapshot = &self.answer.snapshot;
        let group = move |((name, field), data): (&'a (String, Field), &GroupData)| {
            (name.as_str(), Group { snapshot, field: *field, data: *data })
        };
        self.answer.by.iter().zip(self.group_data()).map(group)
    }

    fn group_data(&self) -> &'a [GroupData] {
        let width = self.answer.by.len();
        &self.answer.groups[self.index * width..][..width]
    }

    /// Whether the row stands for a unit and nodes that were asked for.
    pub(crate) fn is_group(&self) -> bool {
        self.kind() == RowKind::Target && !self.group_data().iter().any(|data| data.remainder)
    }

    /// What tells the group from others of the same snapshot, whatever its step of time; none for rows that are none.
    pub(crate) fn group_key(&self) -> Option<GroupKey> {
        self.is_group().then(|| (self.node(), self.groups().map(|(_, group)| group.number()).collect()))
    }

    /// The number of orders.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.data().orders
    }

    /// The figure of a metric; [`Figure::Missing`] for one that was not asked for.
    #[must_use]
    pub fn get(&self, metric: &Metric) -> Figure {
        let position = self.answer.metrics.iter().position(|asked| asked == metric);
        position.map_or(Figure::Missing, |position| self.figure(position))
    }

    /// The figures of all metrics, in the order in which they were asked for.
    #[must_use]
    pub fn figures(&self) -> impl ExactSizeIterator<Item = Figure> + Clone + use<'a> {
        let row = *self;
        (0..row.answer.figures.len()).map(move |metric| row.figure(metric))
    }

    #[inline]
    fn figure(&self, metric: usize) -> Figure {
        match &self.answer.figures[metric] {
            Figures::Counts(counts) => Figure::Count(counts[self.index]),
            Figures::Ratios(ratios) => {
                let (numerator, denominator) = ratios[self.index];
                Figure::Ratio { numerator, denominator }
            }
            Figures::Others(figures) => figures[self.index],
        }
    }
}

/// The path of a node, which prints as its names joined by `/`.
#[derive(Debug, Clone, Copy)]
pub struct NodePath<'a> {
    tree: &'a Tree,
    node: Option<Node>,
}

impl<'a> NodePath<'a> {
    pub(crate) fn new(tree: &'a Tree, node: Option<Node>) -> Self {
        Self { tree, node }
    }

    /// The names from the top.
    #[must_use]
    pub fn names(&self) -> Vec<&'a str> {
        self.node.map_or(Vec::new(), |node| self.tree.path(node))
    }
}

impl fmt::Display for NodePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.names().join("/"))
    }
}

impl Serialize for NodePath<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

/// A row's value of a dimension.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    snapshot: &'a Snapshot,
    field: Field,
    data: GroupData,
}

impl<'a> Group<'a> {
    fn tree(&self) -> Option<&'a Tree> {
        self.snapshot.forest().of(self.field)
    }

    fn node(&self) -> Option<Node> {
        self.tree()?.get(self.data.value?)
    }

    /// The node, where the dimension is a tree with levels.
    pub(crate) fn tree_node(&self) -> Option<Node> {
        self.node().filter(|_| matches!(self.field, Field::Tree(_)))
    }

    /// The number of the value among those of the field; none for missing.
    pub(crate) fn number(&self) -> Option<u32> {
        self.data.value
    }

    /// Whether the orders sit above the asked level of the tree.
    #[must_use]
    pub fn is_remainder(&self) -> bool {
        self.data.remainder
    }

    /// The names from the top of the tree; for other dimensions the value alone. Empty for missing.
    #[must_use]
    pub fn names(&self) -> Vec<&'a str> {
        match (self.tree(), self.node()) {
            (Some(tree), Some(node)) => tree.path(node),
            _ => self.value().into_iter().collect(),
        }
    }

    /// The value of a category, an outcome or a tag, or the name of a tree's node; none for missing.
    #[must_use]
    pub fn value(&self) -> Option<&'a str> {
        if let Field::Outcome(number) = self.field {
            let labels = &self.snapshot.schema().outcomes.get(number)?.labels;
            return labels.get(self.data.value? as usize).map(String::as_str);
        }
        self.tree()?.name_at(self.data.value?)
    }
}

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.names().join("/"))
    }
}

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Only the row of others is at no node of a tree and yet no remainder.
        let others = self.data.value.is_none() && !self.data.remainder;
        if others || !matches!(self.field, Field::Tree(_)) {
            return self.value().serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("path", &self.names())?;
        map.serialize_entry("remainder", &self.data.remainder)?;
        map.end()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "rounded for display only")]
        let text = match *self {
            Self::Count(count) => count.to_string(),
            Self::Ratio { denominator: 0, .. } | Self::Mean { count: 0, .. } | Self::Missing => {
                "–".to_owned()
            }
            Self::Ratio { numerator, denominator } => {
                format!("{:.1} %", numerator as f64 * 100.0 / denominator as f64)
            }
            Self::Sum(sum) => sum.to_string(),
            Self::Mean { sum, count } => format!("{:.1}", sum as f64 / count as f64),
            Self::Value(value) => value.to_string(),
        };
        f.pad(&text)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Ratio { numerator, denominator } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("num", &numerator)?;
                map.serialize_entry("den", &denominator)?;
                map.end()
            }
            Self::Mean { sum, count } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("sum", &sum)?;
                map.serialize_entry("count", &count)?;
                map.end()
            }
            Self::Count(count) => serializer.serialize_u64(count),
            Self::Sum(sum) => serializer.serialize_i128(sum),
            Self::Value(value) => serializer.serialize_i64(value),
            Self::Missing => serializer.serialize_none(),
        }
    }
}

/// The JSON line of the command line: `path`, `remainder`, `subtotal` and `others` where so, `time` and `by` where
/// asked for, `values` by the metrics' text forms.
impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        map.serialize_entry("remainder", &(self.kind() == RowKind::Remainder))?;
        if self.kind() == RowKind::Subtotal {
            map.serialize_entry("subtotal", &true)?;
        }
        if self.kind() == RowKind::Others {
            map.serialize_entry("others", &true)?;
        }
        if self.answer.timed {
            let calendar = self.answer.snapshot.calendar();
            map.serialize_entry("time", &self.time().map(|time| calendar.format(time)))?;
        }
        if !self.answer.by.is_empty() {
            map.serialize_entry("by", &Entries(self.groups()))?;
        }
        let metrics = self.answer.metrics.iter().map(Metric::to_string);
        map.serialize_entry("values", &Entries(metrics.zip(self.figures())))?;
        map.end()
    }
}

/// A map that serialises in its own order.
struct Entries<I>(I);

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)> + Clone> Serialize for Entries<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.len()))?;
        for row in self {
            rows.serialize_element(&row)?;
        }
        rows.end()
    }
}
