//! Orders that are open: at every boundary of a grain, and how old and how late they are.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::filter::during;
use crate::query::{NodePath, Query, RowKind};
use crate::schema::CREATED;
use crate::store::Snapshot;
use crate::tree::Node;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Which orders are open: created, and not yet closed by a clock.
///
/// ```
/// use zonal::{Backlog, Grain, Order, Query, Schema, Store};
///
/// # fn main() -> zonal::Result<()> {
/// let schema = Schema::builder("Asia/Shanghai").place(["city"]).clock("closed").build()?;
/// let store = Store::in_memory(schema)?;
/// let mut commit = store.begin();
/// commit.upsert(Order::new("1", "2026-03-01T09:12").place(["北京市"]).clock("closed", "2026-03-03T16:00"));
/// commit.upsert(Order::new("2", "2026-03-02T10:00").place(["北京市"]));
/// commit.finish()?;
///
/// let now = store.snapshot();
/// let march = Query::zoom().during(now.calendar().month(2026, 3)?).grain(Grain::Day);
/// let open: Vec<i64> = Backlog::new("closed").curve(&now, &march)?.iter().map(|day| day.open).collect();
/// assert_eq!(open[..4], [1, 2, 1, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Backlog {
    closed: String,
    due: Option<(String, u32)>,
    ages: Vec<u32>,
}

/// What became open and was closed in one step of time.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    snapshot: &'a Snapshot,
    /// The unit; none for everything, and for the remainder with the empty path.
    pub node: Option<Node>,
    /// What the row stands for.
    pub kind: RowKind,
    /// The step: its first second, and the first one after it.
    pub step: Span,
    /// Orders created in the step.
    pub opened: u64,
    /// Orders closed in the step.
    pub closed: u64,
    /// Orders open at the end of the step: those created by then, less those closed by then. Below 0 only where orders bear an
    /// earlier closing time than that of their creation.
    pub open: i64,
}

/// What is open at a moment.
#[derive(Debug, Clone)]
pub struct Pending<'a> {
    snapshot: &'a Snapshot,
    /// The unit; none for everything, and for the remainder with the empty path.
    pub node: Option<Node>,
    /// What the row stands for.
    pub kind: RowKind,
    /// Orders created before the moment, and not closed before it.
    pub open: u64,
    /// Of these, orders that were due before the moment.
    pub overdue: u64,
    /// Of these, orders that fall due within the hours asked for.
    pub due_soon: u64,
    /// Of these, orders by age: up to the first number of days, up to the second, …, older than the last.
    pub ages: Vec<u64>,
}

impl Backlog {
    /// Orders are open until this clock.
    pub fn new(closed: impl Into<String>) -> Self {
        Self { closed: closed.into(), due: None, ages: Vec::new() }
    }

    /// Orders are overdue from this clock on, and due soon within so many hours before it.
    pub fn due(mut self, clock: impl Into<String>, hours: u32) -> Self {
        self.due = Some((clock.into(), hours));
        self
    }

    /// Tells open orders apart by their age in days of 86,400 seconds, ascending: 1, 3, 7 gives up to one day, up to three, up to
    /// seven, and older.
    pub fn ages(mut self, days: impl IntoIterator<Item = u32>) -> Self {
        self.ages = days.into_iter().collect();
        self
    }

    /// How many orders are open at the end of each step, for the units, the filter and the span of a query with a grain.
    ///
    /// Four queries for counts, by creation and by closing, before the span and in it: no order is read where sums serve.
    /// Rows stand in tree order, then in time.
    ///
    /// # Errors
    /// As for [`Snapshot::run`](crate::Snapshot::run). [`Error::Invalid`] for a query without a grain, with an open span, or with
    /// dimensions, subtotals or a top k.
    pub fn curve<'a>(&self, snapshot: &'a Snapshot, query: &Query) -> Result<Vec<Open<'a>>> {
        let query = plain(query)?;
        let Some(grain) = &query.grain else {
            return Err(Error::invalid("query", "a backlog curve needs a grain; ask for day, week or month"));
        };
        let span = query.span;
        if span.start() == Span::ALL.start() || span.end() == Span::ALL.end() {
            return Err(Error::invalid("query", "a backlog curve needs a span with both its ends"));
        }
        let steps = snapshot.calendar().steps(grain, span);
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Ok(Vec::new()) };
        let mut units: BTreeMap<Key, Counts> = BTreeMap::new();
        for (clock, closed) in [(CREATED, false), (self.closed.as_str(), true)] {
            let before = Query { grain: None, ..query.clone() }.during_on(clock, Span::until(*first)?);
            let within = query.clone().during_on(clock, Span::new(*first, *last)?);
            for row in snapshot.run(&before)?.rows() {
                let counts = units.entry(key(snapshot, row.node(), row.kind())).or_default();
                let orders = i64::try_from(row.count()).unwrap_or(i64::MAX);
                counts.before += if closed { -orders } else { orders };
            }
            let answer = snapshot.run(&within)?;
            let mut rows = answer.rows().peekable();
            while let Some(first) = rows.peek() {
                let (node, kind) = (first.node(), first.kind());
                let counts = units.entry(key(snapshot, node, kind)).or_default();
                counts.steps.resize(steps.len() - 1, (0, 0));
                // Rows are dense in time: from the first one on, each lies in the step after that of the one before.
                let step = first.time().and_then(|time| steps.binary_search(&time).ok());
                let mut cells =
                    step.and_then(|step| counts.steps.get_mut(step..)).unwrap_or_default().iter_mut();
                while let Some(row) = rows.next_if(|row| (row.node(), row.kind()) == (node, kind)) {
                    let Some((opened, gone)) = cells.next() else { continue };
                    *(if closed { gone } else { opened }) += row.count();
                }
            }
        }
        let mut curve = Vec::with_capacity(units.len() * (steps.len() - 1));
        for ((_, kind, node), mut counts) in units {
            counts.steps.resize(steps.len() - 1, (0, 0));
            let mut open = counts.before;
            for (edges, (opened, closed)) in steps.windows(2).zip(counts.steps) {
                let &[start, end] = edges else { continue };
                open += opened.cast_signed() - closed.cast_signed();
                let kind = if kind == 0 { RowKind::Target } else { RowKind::Remainder };
                curve.push(Open { snapshot, node, kind, step: Span::new(start, end)?, opened, closed, open });
            }
        }
        Ok(curve)
    }

    /// What is open at a moment, how old and how late, for the units, the filter and the span of a query. Without a span, all
    /// orders count.
    ///
    /// # Errors
    /// As for [`Snapshot::run`](crate::Snapshot::run). [`Error::Invalid`] for a query with a grain, dimensions, subtotals or a top
    /// k, and for ages that do not ascend.
    pub fn at<'a>(&self, snapshot: &'a Snapshot, query: &Query, moment: i64) -> Result<Vec<Pending<'a>>> {
        let query = plain(query)?;
        if query.grain.is_some() {
            return Err(Error::invalid("query", "what is open at a moment has no grain; ask for the curve"));
        }
        if !self.ages.is_sorted_by(|a, b| a < b) {
            return Err(Error::invalid("backlog", "ages are days that ascend"));
        }
        let past = Span::until(moment)?;
        let open = query.filter(during(CREATED, past)).filter(!during(self.closed.clone(), past));
        let mut rows: BTreeMap<Key, Pending<'a>> = BTreeMap::new();
        let mut count = |query: &Query, add: &dyn Fn(&mut Pending<'a>, u64)| -> Result<()> {
            for row in snapshot.run(query)?.rows() {
                let (node, kind) = (row.node(), row.kind());
                let ages = vec![0; if self.ages.is_empty() { 0 } else { self.ages.len() + 1 }];
                let new = || Pending { snapshot, node, kind, open: 0, overdue: 0, due_soon: 0, ages };
                add(rows.entry(key(snapshot, node, kind)).or_insert_with(new), row.count());
            }
            Ok(())
        };
        count(&open, &|row, orders| row.open += orders)?;
        if let Some((due, hours)) = &self.due {
            let soon = Span::new(moment, (moment + i64::from(*hours) * HOUR).min(Span::ALL.end()))?;
            count(&open.clone().filter(during(due, past)), &|row, orders| row.overdue += orders)?;
            count(&open.clone().filter(during(due, soon)), &|row, orders| row.due_soon += orders)?;
        }
        let mut younger = moment;
        let oldest = self.ages.iter().map(|days| (moment - i64::from(*days) * DAY).max(Span::ALL.start()));
        for (age, since) in oldest.chain((!self.ages.is_empty()).then_some(Span::ALL.start())).enumerate() {
            let created = Span::new(since.min(younger), younger)?;
            younger = since;
            let add = |row: &mut Pending<'a>, orders| {
                if let Some(count) = row.ages.get_mut(age) {
                    *count += orders;
                }
            };
            count(&open.clone().filter(during(CREATED, created)), &add)?;
        }
        Ok(rows.into_values().collect())
    }
}

/// Sorts units in tree order.
type Key = (u64, u8, Option<Node>);

#[derive(Default)]
struct Counts {
    before: i64,
    steps: Vec<(u64, u64)>,
}

fn key(snapshot: &Snapshot, node: Option<Node>, kind: RowKind) -> Key {
    (node.map_or(0, |node| snapshot.place().label(node)), u8::from(kind != RowKind::Target), node)
}

/// The query for counts alone.
fn plain(query: &Query) -> Result<Query> {
    if !query.by.is_empty() || query.top.is_some() || query.between {
        return Err(Error::invalid(
            "query",
            "a backlog takes units alone: no dimensions, top k or subtotals",
        ));
    }
    Ok(Query { metrics: Vec::new(), ..query.clone() })
}

impl<'a> Open<'a> {
    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        NodePath::new(self.snapshot.place(), self.node)
    }
}

impl<'a> Pending<'a> {
    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        NodePath::new(self.snapshot.place(), self.node)
    }
}

/// As a JSON line: `path`, `remainder`, `time` and `until` of the step, `opened`, `closed`, `open`.
impl Serialize for Open<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let calendar = self.snapshot.calendar();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        map.serialize_entry("remainder", &(self.kind == RowKind::Remainder))?;
        map.serialize_entry("time", &calendar.format(self.step.start()))?;
        map.serialize_entry("until", &calendar.format(self.step.end()))?;
        map.serialize_entry("opened", &self.opened)?;
        map.serialize_entry("closed", &self.closed)?;
        map.serialize_entry("open", &self.open)?;
        map.end()
    }
}

/// As a JSON line: `path`, `remainder`, `open`, `overdue`, `due_soon`, `ages`.
impl Serialize for Pending<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        map.serialize_entry("remainder", &(self.kind == RowKind::Remainder))?;
        map.serialize_entry("open", &self.open)?;
        map.serialize_entry("overdue", &self.overdue)?;
        map.serialize_entry("due_soon", &self.due_soon)?;
        map.serialize_entry("ages", &self.ages)?;
        map.end()
    }
}
