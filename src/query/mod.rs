//! Asking: the query that zoom and penetrate share, its plan, its execution and its answer.

mod answer;
mod assemble;
mod cover;
mod cross;
mod execute;
mod explain;
mod facts;
mod groups;
#[cfg(feature = "kernels")]
mod kernels;
mod key_set;
mod metric;
mod number;
mod orders;
mod pages;
mod plan;
mod ranges;
mod rank;
mod repeats;
mod row_reader;
mod row_test;
mod rows;
mod run;
mod select;
mod several;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod top;
mod visit;

pub(crate) use answer::GroupKey;
pub use answer::{Answer, Figure, Group, NodePath, Row, RowKind};
pub use explain::{Explanation, SegmentExplanation};
#[cfg(feature = "kernels")]
pub use kernels::{Measure, kernels};
pub use metric::{Metric, count, counter, distinct, max, mean, min, quantile, rate, sum};
pub use orders::Sort;
pub use repeats::{Repeat, RepeatReport, Repeats};
pub(crate) use visit::{At, Grouping};

use serde::{Deserialize, Serialize};

use crate::calendar::{Grain, Span};
use crate::filter::{Filter, NodeRef};
use crate::schema::CREATED;

/// Groups an answer may have, unless the query says otherwise.
const DEFAULT_LIMIT: u64 = 2_000_000;

/// A question: which orders, cut how, and what to compute for each part.
///
/// A query is an owned value that serialises with serde; it meets a store only when a
/// [`Snapshot`](crate::Snapshot) runs it. [`zoom`](Self::zoom) starts with all orders as one group,
/// [`penetrate`](Self::penetrate) goes from one unit straight through to the units some levels below; both
/// take the same further steps.
///
/// **Targets and remainders.** The targets are the units of the asked [`level`](Self::level) or
/// [`depth`](Self::depth). An order may sit on a unit above them: every such unit gives one *remainder* row with
/// its own path. Targets and remainders together are the asked set, each order exactly once. Orders without place
/// belong to the remainder with the empty path. The same holds for every tree in [`by`](Self::by).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Query {
    pub(crate) within: Vec<NodeRef>,
    pub(crate) targets: Targets,
    pub(crate) between: bool,
    pub(crate) clock: String,
    pub(crate) span: Span,
    pub(crate) grain: Option<Grain>,
    pub(crate) by: Vec<By>,
    pub(crate) filter: Filter,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) top: Option<usize>,
    pub(crate) all_units: bool,
    pub(crate) limit: u64,
    pub(crate) access: Option<Access>,
}

/// Which units an answer has a row for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Targets {
    /// The bases themselves; without a base, everything as one.
    Bases,
    /// The units of a level.
    Level(String),
    /// The units so many edges below the bases.
    Depth(u8),
}

/// One dimension to group by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct By {
    pub(crate) field: String,
    pub(crate) level: Option<String>,
}

/// How a query reaches its orders. The planner chooses; a test or a doubt can [prefer](Query::access) one.
///
/// Whatever is chosen, the answer is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Access {
    /// Sums made when the segment was sealed, where they cover the question; else bitmaps.
    Views,
    /// Bitmaps for what they cover, columns for the rest.
    Bitmaps,
    /// Columns, row by row.
    Scan,
}

impl Query {
    /// Everything, as one group; narrow and cut it with the further steps.
    pub fn zoom() -> Self {
        Self {
            within: Vec::new(),
            targets: Targets::Bases,
            between: false,
            clock: CREATED.to_owned(),
            span: Span::ALL,
            grain: None,
            by: Vec::new(),
            filter: Filter::All,
            metrics: Vec::new(),
            top: None,
            all_units: false,
            limit: DEFAULT_LIMIT,
            access: None,
        }
    }

    /// From one unit straight through to all units `depth` levels below it.
    pub fn penetrate(unit: impl Into<NodeRef>, depth: u8) -> Self {
        Self::zoom().within(unit).depth(depth)
    }

    /// Only orders at or under this unit. Several units are a union; a unit under another one adds nothing.
    pub fn within(mut self, unit: impl Into<NodeRef>) -> Self {
        self.within.push(unit.into());
        self
    }

    /// A row for every unit of this level of the place tree.
    pub fn level(mut self, level: impl Into<String>) -> Self {
        self.targets = Targets::Level(level.into());
        self
    }

    /// A row for every unit `depth` levels below the units of [`within`](Self::within); without these, below the
    /// only top unit.
    pub fn depth(mut self, depth: u8) -> Self {
        self.targets = Targets::Depth(depth);
        self
    }

    /// Also the units between base and targets, each with all orders under it, flagged as subtotals.
    pub fn between(mut self) -> Self {
        self.between = true;
        self
    }

    /// Only orders created in the span.
    pub fn during(self, span: Span) -> Self {
        self.during_on(CREATED, span)
    }

    /// Only orders whose `clock` lies in the span; the same clock makes the steps of [`grain`](Self::grain).
    pub fn during_on(mut self, clock: impl Into<String>, span: Span) -> Self {
        self.clock = clock.into();
        self.span = span;
        self
    }

    /// A row for every step of the calendar: dense, from the first step of the span to its last, or, where the
    /// span is open, from the first order asked for to the last.
    pub fn grain(mut self, grain: Grain) -> Self {
        self.grain = Some(grain);
        self
    }

    /// A row for every value of a category, outcome or tags field, or for every node of a tree's top level.
    /// Several dimensions make a cross table.
    pub fn by(mut self, field: impl Into<String>) -> Self {
        self.by.push(By { field: field.into(), level: None });
        self
    }

    /// A row for every node of a tree's level, and remainders for orders above it.
    pub fn by_level(mut self, tree: impl Into<String>, level: impl Into<String>) -> Self {
        self.by.push(By { field: tree.into(), level: Some(level.into()) });
        self
    }

    /// Only orders that the filter keeps; several calls are and-ed.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// Computes this for every row. The count is always computed; the first metric ranks for [`top`](Self::top).
    pub fn metric(mut self, metric: impl Into<Metric>) -> Self {
        self.metrics.push(metric.into());
        self
    }

    /// Only the `k` groups with the largest first metric over the whole span, in that order, and one row of
    /// *others* for the rest, recomputed where it does not add up. Ties stand in tree order.
    pub fn top(mut self, k: usize) -> Self {
        self.top = Some(k);
        self
    }

    /// Also targets without orders; with [`by`](Self::by), every target for every combination of groups that occurs,
    /// so that a cross table has no holes.
    pub fn all_units(mut self) -> Self {
        self.all_units = true;
        self
    }

    /// The most groups (rows, with every step of time) an answer may have; 2,000,000 without this call.
    pub fn limit(mut self, groups: u64) -> Self {
        self.limit = groups;
        self
    }

    /// The same orders, cut into nothing and with nothing computed.
    pub(crate) fn uncut(&self) -> Self {
        Self {
            targets: Targets::Bases,
            between: false,
            grain: None,
            by: Vec::new(),
            metrics: Vec::new(),
            top: None,
            all_units: false,
            ..self.clone()
        }
    }

    /// Prefers one way to the orders over the planner's choice; for tests and doubts.
    pub fn access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }
}
