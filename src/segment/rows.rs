//! Orders as columns in memory: what a load collects, what a segment is sealed from and read back into.

use std::ops::Range;

use crate::order_id::OrderId;
use crate::schema::{Clock, Field, MeasureSource, Schema};
use crate::tree::{Forest, Tree};

use super::column::MISSING;
use crate::counting;

/// An integer column of an order. Nodes are their ids, outcomes the numbers of their labels, keys their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ColumnId {
    /// The commit that made this version.
    Born,
    Created,
    Place,
    Tree(usize),
    Category(usize),
    Outcome(usize),
    Measure(usize),
    Clock(usize),
    Key(usize),
    Longitude,
    Latitude,
    /// In a history segment: the commit that ended this version.
    Died,
    /// In a history segment: 1 where a removal ended it, 0 where the next version did.
    Removed,
}

impl From<Clock> for ColumnId {
    fn from(clock: Clock) -> Self {
        match clock {
            Clock::Created => Self::Created,
            Clock::Other(number) => Self::Clock(number),
        }
    }
}

/// The columns that orders of a schema have, in the order in which [`Rows`] and segments keep them.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    columns: Vec<ColumnId>,
    tags: usize,
    texts: usize,
}

impl Layout {
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut columns = vec![ColumnId::Born, ColumnId::Created, ColumnId::Place];
        columns.extend((0..schema.trees.len()).map(ColumnId::Tree));
        columns.extend((0..schema.categories.len()).map(ColumnId::Category));
        columns.extend((0..schema.outcomes.len()).map(ColumnId::Outcome));
        let stored = |measure: &usize| schema.measures[*measure].source == MeasureSource::Stored;
        columns.extend((0..schema.measures.len()).filter(stored).map(ColumnId::Measure));
        columns.extend((0..schema.clocks.len()).map(ColumnId::Clock));
        columns.extend((0..schema.keys.len()).map(ColumnId::Key));
        if schema.location {
            columns.extend([ColumnId::Longitude, ColumnId::Latitude]);
        }
        Self { columns, tags: schema.tags.len(), texts: schema.texts.len() }
    }

    /// What versions that have ended have, too.
    pub(crate) fn of_history(schema: &Schema) -> Self {
        let mut layout = Self::new(schema);
        layout.columns.extend([ColumnId::Died, ColumnId::Removed]);
        layout
    }

    /// Whether it is that of versions that have ended.
    pub(crate) fn is_history(&self) -> bool {
        self.position(ColumnId::Died).is_some()
    }

    pub(crate) fn columns(&self) -> &[ColumnId] {
        &self.columns
    }

    pub(crate) fn tags(&self) -> usize {
        self.tags
    }

    pub(crate) fn texts(&self) -> usize {
        self.texts
    }

    /// Where a column stands; every column of the schema does.
    pub(crate) fn position(&self, column: ColumnId) -> Option<usize> {
        self.columns.iter().position(|known| *known == column)
    }
}

/// One order, resolved against schema and trees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: OrderId,
    /// By the layout; [`MISSING`] where there is no value.
    pub(crate) columns: Vec<i64>,
    /// Per tags field, ascending.
    pub(crate) tags: Vec<Vec<u32>>,
    pub(crate) texts: Vec<Option<String>>,
}

/// Orders as columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) ids: Vec<OrderId>,
    pub(crate) columns: Vec<Vec<i64>>,
    pub(crate) tags: Vec<Vec<Vec<u32>>>,
    pub(crate) texts: Vec<Vec<Option<String>>>,
}

impl Rows {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            ids: Vec::new(),
            columns: vec![Vec::new(); layout.columns.len()],
            tags: vec![Vec::new(); layout.tags],
            texts: vec![Vec::new(); layout.texts],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn push(&mut self, row: Row) {
        self.ids.push(row.id);
        for (column, value) in self.columns.iter_mut().zip(row.columns) {
            column.push(value);
        }
        for (lists, list) in self.tags.iter_mut().zip(row.tags) {
            lists.push(list);
        }
        for (texts, text) in self.texts.iter_mut().zip(row.texts) {
            texts.push(text);
        }
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        if self.ids.is_empty() {
            *self = other;
            return;
        }
        self.ids.append(&mut other.ids);
        for (column, more) in self.columns.iter_mut().zip(&mut other.columns) {
            column.append(more);
        }
        for (lists, more) in self.tags.iter_mut().zip(&mut other.tags) {
            lists.append(more);
        }
        for (texts, more) in self.texts.iter_mut().zip(&mut other.texts) {
            texts.append(more);
        }
    }

    pub(crate) fn column(&self, layout: &Layout, column: ColumnId) -> &[i64] {
        layout.position(column).and_then(|position| self.columns.get(position)).map_or(&[], Vec::as_slice)
    }

    /// Keeps these rows, in this order.
    pub(crate) fn select(&mut self, order: &[u32]) {
        *self = self.take(order);
    }

    /// Takes these rows out, in this order. What is left in their places has no meaning.
    pub(crate) fn take(&mut self, order: &[u32]) -> Self {
        fn pick<T>(values: &mut [T], order: &[u32], nothing: impl Fn() -> T) -> Vec<T> {
            order.iter().map(|&row| std::mem::replace(&mut values[row as usize], nothing())).collect()
        }
        // What came in the order of time is split where a partition ends.
        let run = run(order);
        let column = |column: &Vec<i64>| match run.clone() {
            Some(run) => column[run].to_vec(),
            None => order.iter().map(|&row| column[row as usize]).collect(),
        };
        Self {
            ids: pick(&mut self.ids, order, || OrderId::Number(0)),
            columns: self.columns.iter().map(column).collect(),
            tags: self.tags.iter_mut().map(|lists| pick(lists, order, Vec::new)).collect(),
            texts: self.texts.iter_mut().map(|texts| pick(texts, order, || None)).collect(),
        }
    }

    /// The order in which a segment keeps these rows: along the place tree, orders without place first, within a unit along the
    /// first other tree, and in time within a node of that.
    pub(crate) fn sorted(&self, layout: &Layout, forest: &Forest) -> Vec<u32> {
        let units = self.column(layout, ColumnId::Place);
        let nodes = self.column(layout, ColumnId::Tree(0));
        let created = self.column(layout, ColumnId::Created);
        let mut rows: Vec<u32> = (0..self.len() as u32).collect();
        if let Some(tree) = forest.trees.first() {
            rows = by_node(&rows, nodes, tree);
        }
        rows = by_node(&rows, units, &forest.place);
        // Mostly they came in the order of time.
        if !created.is_sorted() {
            let run = |row: &u32| (units.get(*row as usize), nodes.get(*row as usize));
            let key = |row: &u32| (created[*row as usize], *row);
            rows.chunk_by_mut(|one, other| run(one) == run(other))
                .for_each(|of_node| of_node.sort_unstable_by_key(key));
        }
        rows
    }
}

/// The rows as a range, where they follow one another.
fn run(rows: &[u32]) -> Option<Range<usize>> {
    let follow = rows.is_sorted_by(|row, next| row + 1 == *next);
    rows.first().filter(|_| follow).map(|first| *first as usize..*first as usize + rows.len())
}

/// The same rows in the order of their nodes, those of one node as they come.
fn by_node(rows: &[u32], nodes: &[i64], tree: &Tree) -> Vec<u32> {
    // By the numbers of the nodes first, which lie close together: so each is looked up once.
    let number = |(_, node): &(u32, i64)| u64::try_from(*node).map_or(0, |node| node + 1);
    let rows = counting::sort(rows.iter().map(|row| (*row, nodes[*row as usize])).collect(), number);
    let of_nodes = rows.chunk_by(|(_, one), (_, other)| one == other);
    let mut runs: Vec<_> = of_nodes.map(|run| (position(tree, run[0].1), run)).collect();
    runs.sort_by_key(|(position, _)| *position);
    runs.iter().flat_map(|(_, run)| run.iter().map(|(row, _)| *row)).collect()
}

/// Where a node stands in the order of its tree; an order without one stands before all.
pub(crate) fn position(tree: &Tree, node: i64) -> u64 {
    u32::try_from(node).map_or(0, |node| tree.label_at(node))
}

/// The columns whose values have row sets, so that a filter need not read the column: where values have few rows, as the
/// leaves of a tree. The column of a category or an outcome is as fast to read.
pub(crate) fn has_sets(column: ColumnId) -> bool {
    matches!(column, ColumnId::Tree(_))
}

/// The column of a field that has exactly one.
pub(crate) fn column_of(field: Field) -> Option<ColumnId> {
    Some(match field {
        Field::Place => ColumnId::Place,
        Field::Tree(number) => ColumnId::Tree(number),
        Field::Category(number) => ColumnId::Category(number),
        Field::Outcome(number) => ColumnId::Outcome(number),
        Field::Measure(number) => ColumnId::Measure(number),
        Field::Clock(clock) => clock.into(),
        Field::Key(number) => ColumnId::Key(number),
        Field::Location => ColumnId::Longitude,
        Field::Tags(_) | Field::Text(_) => return None,
    })
}

/// The whole units of time from one moment to another, rounded down; missing where either is.
pub(crate) fn elapsed(from: i64, to: i64, unit: i64) -> i64 {
    if from == MISSING || to == MISSING { MISSING } else { to.saturating_sub(from).div_euclid(unit) }
}

/// A value, unless it is missing.
pub(crate) fn present(value: i64) -> Option<i64> {
    (value != MISSING).then_some(value)
}
