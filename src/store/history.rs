//! What was known before: the versions of an order, a store as of an earlier commit, the changes between two.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::filter::Condition;
use crate::order::Order;
use crate::order_id::OrderId;
use crate::segment::{ColumnId, Death, Layout, Segment};

use super::snapshot::Snapshot;
use super::write::hold;
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
    /// store before its first commit. It knows the units and values that there were then.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a commit that was not made yet, [`Error::Forgotten`] for one behind the horizon.
    pub fn snapshot_at(&self, commit: u64) -> Result<Snapshot> {
        Ok(self.snapshot_of(Arc::new(self.state().as_of(commit)?)))
    }

    /// The store as it was known at a time, in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Forgotten`] for a time behind the horizon.
    pub fn snapshot_at_time(&self, time: i64) -> Result<Snapshot> {
        let state = self.state();
        Ok(self.snapshot_of(Arc::new(state.as_of(state.stamps.at(time))?)))
    }

    /// All versions of an order, the oldest first; none for an order that the store never had. Versions that ended
    /// by the [horizon](Self::horizon) are not among them.
    ///
    /// # Errors
    /// [`Error::InvalidOrder`] for a text that cannot be an order id.
    pub fn history(&self, id: &str) -> Result<Vec<Version>> {
        let (id, state) = (OrderId::parse(id)?, self.state());
        let layout = Layout::new(&state.schema);
        let mut versions = Vec::new();
        let mut add = |segment: &Segment, row: u32, death: Option<Death>| -> Result<()> {
            if death.is_some_and(|death| death.died <= state.manifest.horizon) {
                return Ok(());
            }
            let (born, found) = (segment.born(row)?, read::row(&layout, segment, row)?);
            versions.push(Version {
                commit: born,
                known: state.stamps.get(born).unwrap_or_default(),
                order: read::order(&state.schema, &state.forest, &layout, &found),
                ended: death.map(|death| death.died),
                removed: death.is_some_and(|death| death.removed),
            });
            Ok(())
        };
        for live in &state.lives {
            for row in live.segment.find_all(&id)? {
                add(&live.segment, row, live.death(row).copied())?;
            }
        }
        for history in &state.histories {
            for row in history.find_all(&id)? {
                add(history, row, history.death(row)?)?;
            }
        }
        versions.sort_by_key(|version| version.commit);
        Ok(versions)
    }

    /// Lets go of what was before a commit: from now on the store answers as of that commit and later ones only, and
    /// versions that ended by then are dropped when their segments are compacted. Nothing is forgotten without
    /// this call, and a horizon never goes back: an earlier commit than the horizon changes nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a commit that was not made yet; as for [`flush`](Self::flush), which comes first.
    pub fn forget_before(&self, commit: u64) -> Result<()> {
        self.require_kept()?;
        self.flush_now()?;
        self.forget_now(commit)
    }

    pub(super) fn forget_now(&self, commit: u64) -> Result<()> {
        let _exchange = hold(&self.inner.exchange);
        let _writer = hold(&self.inner.writer);
        self.require_writable()?;
        let mut state = (*self.state()).clone();
        if commit > state.commit {
            return Err(Error::not_made("forget", commit, state.commit));
        }
        if commit > state.manifest.horizon {
            Arc::make_mut(&mut state.manifest).horizon = commit;
            self.publish(state)?;
        }
        Ok(())
    }

    /// The earliest commit that the store still answers for; 0 where nothing was
    /// [forgotten](Self::forget_before).
    #[must_use]
    pub fn horizon(&self) -> u64 {
        self.state().manifest.horizon
    }

    /// The last commit that was known by a time, in seconds since 1970; 0 where none was.
    #[must_use]
    pub fn commit_at(&self, time: i64) -> u64 {
        self.state().stamps.at(time)
    }

    /// The orders that differ between two commits, by id.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a commit that was not made yet, or where the first is the later;
    /// [`Error::Forgotten`] where it is behind the horizon.
    pub fn changes(&self, from: u64, to: u64) -> Result<Vec<Change>> {
        let touched = self.touched(from, to)?;
        let (before, after) = (self.snapshot_at(from)?, self.snapshot_at(to)?);
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

    /// The orders of which a version began or ended after one commit and up to another.
    pub(crate) fn touched(&self, from: u64, to: u64) -> Result<BTreeSet<OrderId>> {
        if from > to {
            return Err(Error::invalid("changes", format!("commit {from} is later than {to}; swap the two")));
        }
        let state = self.state();
        state.require(from)?;
        state.require(to)?;
        let mut touched = BTreeSet::new();
        for live in &state.lives {
            for death in live.all_deaths().filter(|death| from < death.died && death.died <= to) {
                touched.insert(live.segment.id(death.row)?);
            }
        }
        for segment in state.lives.iter().map(|live| &live.segment).chain(&state.histories) {
            for (column, bounds) in
                [(ColumnId::Born, segment.summary().commits), (ColumnId::Died, segment.summary().died)]
            {
                add_touched(segment, column, bounds, from, to, &mut touched)?;
            }
        }
        Ok(touched)
    }
}

/// Adds the orders of a segment that have a commit after `from` and by `to` in a column.
fn add_touched(
    segment: &Segment,
    column: ColumnId,
    bounds: Option<(u64, u64)>,
    from: u64,
    to: u64,
    touched: &mut BTreeSet<OrderId>,
) -> Result<()> {
    if bounds.is_none_or(|(first, last)| last <= from || first > to) {
        return Ok(());
    }
    let Some(commits) = segment.column(column)? else { return Ok(()) };
    for row in 0..segment.rows() {
        let commit = commits.get(row as usize).cast_unsigned();
        if from < commit && commit <= to {
            touched.insert(segment.id(row)?);
        }
    }
    Ok(())
}

impl State {
    /// That the store still answers for a commit.
    fn require(&self, commit: u64) -> Result<()> {
        if commit > self.commit {
            return Err(Error::not_made("snapshot", commit, self.commit));
        }
        let horizon = self.manifest.horizon;
        if commit < horizon {
            let known = self.stamps.get(horizon).map(|known| self.schema.calendar().format(known));
            return Err(Error::Forgotten { commit, horizon, known: known.unwrap_or_default() });
        }
        Ok(())
    }

    /// The state as it was at a commit.
    fn as_of(&self, commit: u64) -> Result<Self> {
        self.require(commit)?;
        let counters = Condition::bind_counters(&self.schema, &self.forest)?;
        let mut lives = Vec::new();
        for live in &self.lives {
            lives.extend(live.as_of(commit, &counters)?);
        }
        lives.extend(self.histories.iter().filter_map(|history| Live::of_history(history, commit)));
        let nodes = self.stamps.nodes(commit);
        let forest = self.forest.as_of(|tree| nodes.get(&tree).copied().unwrap_or(0));
        Ok(Self { commit, lives, forest, ledger: self.ledger.of_earlier(), ..self.clone() })
    }
}
