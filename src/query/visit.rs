//! Looking at orders one by one: what an analysis reads that no sum tells.

use crate::error::{Error, Result};
use crate::schema::Field;
use crate::segment::{ColumnId, MISSING, column_of};
use crate::store::Snapshot;

use super::answer::NodePath;
use super::execute::{Frame, SegmentPlan, Times};
use super::groups::NONE;
use super::plan::{Dimension, Plan, dimension};
use super::row_reader::group;
use super::{By, Query};

/// Where an order lies in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    live: usize,
    row: u32,
}

/// A dimension as single orders have it.
#[derive(Debug)]
pub(crate) struct Grouping {
    pub(crate) column: ColumnId,
    dimension: Dimension,
}

impl Grouping {
    /// Of a category, an outcome, or a tree's level, the top one where none is named.
    pub(crate) fn new(field: &str, level: Option<&str>, snapshot: &Snapshot) -> Result<Self> {
        let by = By { field: field.to_owned(), level: level.map(str::to_owned) };
        let dimension = dimension(&by, snapshot)?;
        let several =
            || Error::invalid("query", format!("{field:?} has several values an order; take another field"));
        Ok(Self { column: column_of(dimension.field).ok_or_else(several)?, dimension })
    }

    /// What a group is called: the names of a path joined by `/`.
    pub(crate) fn name(&self, snapshot: &Snapshot, group: u32) -> String {
        let field = self.dimension.field;
        if let Field::Outcome(number) = field {
            let labels = snapshot.schema().outcomes.get(number).map(|outcome| &outcome.labels);
            return labels.and_then(|labels| labels.get(group as usize)).cloned().unwrap_or_default();
        }
        let tree = snapshot.forest().of(field);
        let node = tree.and_then(|tree| Some((tree, tree.get(group)?)));
        node.map_or(String::new(), |(tree, node)| NodePath::new(tree, Some(node)).to_string())
    }

    /// The group of a value of the column; none where it is missing.
    pub(crate) fn of(&self, value: i64) -> Option<u32> {
        Some(group(&self.dimension, value)).filter(|group| *group != NONE)
    }
}

impl Query {
    /// Its dimensions, for orders one by one.
    pub(crate) fn groupings(&self, snapshot: &Snapshot) -> Result<Vec<Grouping>> {
        self.by.iter().map(|by| Grouping::new(&by.field, by.level.as_deref(), snapshot)).collect()
    }
}

impl Snapshot {
    /// Calls `each` with the values that every order has in some columns, of those that the query's units, span and filter keep.
    pub(crate) fn visit(
        &self,
        query: &Query,
        columns: &[ColumnId],
        mut each: impl FnMut(At, &[i64]),
    ) -> Result<()> {
        let plan = Plan::new(&query.uncut(), self)?;
        let frame = Frame::new(&plan, self)?;
        let mut values = vec![MISSING; columns.len()];
        for (number, live) in self.lives().iter().enumerate() {
            let Some(chosen) = SegmentPlan::new(&plan, self, live, &Times::of(&plan, &frame, &live.segment))?
            else {
                continue;
            };
            let kept = chosen.kept(&plan, live)?;
            let read: Vec<_> =
                columns.iter().map(|column| live.segment.column(*column)).collect::<Result<_>>()?;
            for (_, range) in &chosen.ranges {
                kept.for_each(range.clone(), |row| {
                    for (value, column) in values.iter_mut().zip(&read) {
                        *value = column.as_ref().map_or(MISSING, |column| column.get(row as usize));
                    }
                    each(At { live: number, row }, &values);
                });
            }
        }
        Ok(())
    }

    /// The order that lies there.
    pub(crate) fn order_at(&self, at: At) -> Result<crate::order::Order> {
        self.order(&self.lives()[at.live].segment, at.row)
    }
}
