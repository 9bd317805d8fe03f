//! What was known before: the versions of an order, a store as of an earlier commit, the changes between two.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::filter::Condition;
use crate::order::Order;
use crate::order_id::OrderId;
use crate::segment::{ColumnId, Layout};

use super::snapshot::Snapshot;
use super::{Live, State, Store, read};

/// One version of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Version {
    /// The commit that made it.
    pub commit: u64,
    /// When that was known, in seconds since 1970.
    pub known: i64,
    /// The order as it was.
    pub order: Order,
    /// The commit that ended it; none for a version that still holds.
    pub ended: Option<u64>,
    /// Whether it was ended by a removal, rather than by the next version.
    pub removed: bool,
}

/// An order that differs between two commits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The order id.
    pub id: String,
    /// The order at the first commit; none where there was none.
    pub before: Option<Order>,
    /// The order at the second commit; none where it was removed.
    pub after: Option<Order>,
}

impl Store {
    /// The store as it was at a commit: every question gets the answer it would have got then. Commit 0 is the
    /// store before its first commit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a commit that was not made yet.
    pub fn snapshot_at(&self, commit: u64) -> Result<Snapshot> {
        Ok(Snapshot::new(Arc::new(self.state().as_of(commit)?)))
    }

    /// The store as it was known at a time, in seconds since 1970.
    ///
    /// # Errors
    /// None that the caller could cause.
    pub fn snapshot_at_time(&self, time: i64) -> Result<Snapshot> {
        let state = self.state();
        Ok(Snapshot::new(Arc::new(state.as_of(state.stamps.at(time))?)))
    }

    /// All versions of an order, the oldest first; none for an order that the store never had.
    ///
    /// # Errors
    /// [`Error::InvalidOrder`] for a text that cannot be an order id.
    pub fn history(&self, id: &str) -> Result<Vec<Version>> {
        let (id, state) = (OrderId::parse(id)?, self.state());
        let layout = Layout::new(&state.schema);
        let mut versions = Vec::new();
        for live in &state.lives {
            for row in live.segment.find_all(&id)? {
                let (born, death) = (live.segment.born(row)?, live.death(row));
                let found = read::row(&layout, &live.segment, row)?;
                versions.push(Version {
                    commit: born,
                    known: state.stamps.get(born).unwrap_or_default(),
                    order: read::order(&state.schema, &state.forest, &layout, &found),
                    ended: death.map(|death| death.died),
                    removed: death.is_some_and(|death| death.removed),
                });
            }
        }
        versions.sort_by_key(|version| version.commit);
        Ok(versions)
    }

    /// The orders that differ between two commits, by id.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a commit that was not made yet, or where the first is the later.
    pub fn changes(&self, from: u64, to: u64) -> Result<Vec<Change>> {
        if from > to {
            return Err(Error::invalid("changes", format!("commit {from} is later than {to}; swap the two")));
        }
        let (before, after) = (self.snapshot_at(from)?, self.snapshot_at(to)?);
        let mut touched = BTreeSet::new();
        for live in &self.state().lives {
            each_touched(live, from, to, |id| {
                touched.insert(id);
            })?;
        }
        let mut changes = Vec::new();
        for id in touched {
            let id = id.to_string();
            let (before, after) = (before.get(&id)?, after.get(&id)?);
            if before != after {
                changes.push(Change { id, before, after });
            }
        }
        Ok(changes)
    }
}

/// The orders that have a version born or ended after `from` and by `to`.
fn each_touched(live: &Live, from: u64, to: u64, mut visit: impl FnMut(OrderId)) -> Result<()> {
    let between = |commit: u64| from < commit && commit <= to;
    for death in live.all_deaths().filter(|death| between(death.died)) {
        visit(live.segment.id(death.row)?);
    }
    if live.segment.summary().commits.is_none_or(|(first, last)| last <= from || first > to) {
        return Ok(());
    }
    let Some(born) = live.segment.column(ColumnId::Born)? else { return Ok(()) };
    for row in 0..live.segment.rows() {
        if between(born.get(row as usize).cast_unsigned()) {
            visit(live.segment.id(row)?);
        }
    }
    Ok(())
}

impl State {
    /// The state as it was at a commit.
    fn as_of(&self, commit: u64) -> Result<Self> {
        if commit > self.commit {
            let reason = format!("there is no commit {commit} yet, the last is {}", self.commit);
            return Err(Error::invalid("snapshot", reason));
        }
        let counters = Condition::bind_counters(&self.schema, &self.forest)?;
        let mut lives = Vec::new();
        for live in &self.lives {
            lives.extend(live.as_of(commit, &counters)?);
        }
        Ok(Self { commit, lives, ..self.clone() })
    }
}
