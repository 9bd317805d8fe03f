//! What an import found.

use std::collections::BTreeMap;

use serde::Serialize;

use super::mapping::Mapped;
use crate::store::Repeated;

/// What an import did, and what it met on the way.
///
/// Every row is accounted for: `rows` is `imported` plus `unchanged` plus `rejected` plus the number of `repeated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// Rows read, headers left out.
    pub rows: u64,
    /// Rows that became versions of orders.
    pub imported: u64,
    /// How many of them are new versions of orders that the store had.
    pub changed: u64,
    /// Rows that say what the store has already, which [`upsert`](crate::Import::upsert) passes over.
    pub unchanged: u64,
    /// Rows that could not be orders.
    pub rejected: u64,
    /// Why rows were rejected, and how many for each reason.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Rows that a later one with the same id replaced, in no particular order.
    pub repeated: Vec<Repeated>,
    /// Columns that the mapping does not name.
    pub ignored: Vec<String>,
    /// For each column that the mapping reads, what was found in the rows that were not rejected.
    pub columns: Vec<ColumnReport>,
    /// For each tree, `place` first of all, in how many rows a level had a value under a missing one; the
    /// path ends above.
    pub levels_cut: BTreeMap<String, u64>,
    /// For each measure between two clocks, in how many rows the second is before the first.
    pub negative: BTreeMap<String, u64>,
    /// The number of the last commit.
    pub commit: u64,
    /// Bytes of the new segments; none where the orders came by commits.
    pub bytes: u64,
}

/// What was found in a column that the mapping reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ColumnReport {
    /// The column's name in the file.
    pub column: String,
    /// What it is read for: a field, or a tree and its level, as in `place.ward`.
    pub field: String,
    /// Fields that were empty or spelt missing.
    pub missing: u64,
    /// Values that make no sense for the field; they are missing in the store.
    pub unreadable: u64,
    /// Values outside the range that the mapping gives, or that zonal can keep; they are missing in the
    /// store.
    pub out_of_range: u64,
    /// Local times that the clock showed twice; the earlier was taken.
    pub ambiguous: u64,
    /// Local times that the clock skipped; moved forward.
    pub skipped: u64,
    /// The first value that was unreadable or out of range.
    pub example: Option<Example>,
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The file.
    pub file: String,
    /// The line on which its row starts, counted from 1.
    pub line: u64,
    /// The value as it stands there.
    pub value: String,
}

impl ColumnReport {
    pub(super) fn new(mapped: &Mapped) -> Self {
        Self {
            column: mapped.column.clone(),
            field: mapped.field.clone(),
            missing: 0,
            unreadable: 0,
            out_of_range: 0,
            ambiguous: 0,
            skipped: 0,
            example: None,
        }
    }
}
