//! Changes of orders, taken together.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::order::{Moment, Order, Patch};

use super::Store;

/// Changes of orders that become durable and visible together, when [`finish`](Self::finish) returns.
///
/// Operations apply in the order of their calls, each to the latest version of its order. A patch or a
/// removal of an order that the store does not have rejects the whole commit; nothing has changed then.
///
/// ```
/// use zonal::{Order, Patch, Query, Schema, Store};
///
/// let schema = Schema::builder("Asia/Shanghai").place(["district"]).outcome("solved", ["yes", "no"]).build()?;
/// let store = Store::in_memory(schema)?;
/// let mut commit = store.begin();
/// commit.upsert(Order::new("2026030100123", "2026-03-01T09:12:00+08:00").place(["朝阳区"]));
/// commit.finish()?;
///
/// let before = store.snapshot();
/// let mut commit = store.begin();
/// commit.patch("2026030100123", Patch::new().outcome("solved", "yes"));
/// commit.finish()?;
///
/// let solved = Query::zoom().filter(store.schema().filter("solved=yes")?);
/// assert_eq!(before.run(&solved)?.len(), 0);
/// assert_eq!(store.snapshot().run(&solved)?.rows().next().map(|row| row.count()), Some(1));
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing happens before finish"]
pub struct Commit {
    store: Store,
    changes: Changes,
    durability: Durability,
}

/// When a commit is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Durability {
    /// When `finish` returns: it outlasts a power cut.
    #[default]
    Sync,
    /// Some time later, at the latest with the next commit that is synced, or the next flush. It outlasts the end of
    /// the process; a power cut may lose it, and then every commit behind it.
    Buffered,
}

/// What a commit holds, and what the log keeps of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Changes {
    pub(super) operations: Vec<Operation>,
    /// When the changes became known; the time of the commit where nothing is said.
    pub(super) known: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Operation {
    Upsert(Order),
    Patch(String, Patch),
    Remove(String),
}

impl Commit {
    pub(super) fn new(store: Store) -> Self {
        Self { store, changes: Changes::default(), durability: Durability::default() }
    }

    /// Writes a whole order: a new one, or a new version in place of the latest.
    pub fn upsert(&mut self, order: Order) {
        self.changes.operations.push(Operation::Upsert(order));
    }

    /// Changes some fields of an order.
    pub fn patch(&mut self, id: impl Into<String>, patch: Patch) {
        self.changes.operations.push(Operation::Patch(id.into(), patch));
    }

    /// Ends an order: it is not counted from this commit on, still is as of earlier ones, and its history stays. A
    /// later [`upsert`](Self::upsert) revives it.
    pub fn remove(&mut self, id: impl Into<String>) {
        self.changes.operations.push(Operation::Remove(id.into()));
    }

    /// Says when the changes became known, for commits that are written down later. Stamps never go back: a time before
    /// that of the last commit is raised to it.
    pub fn known_at(mut self, time: impl Into<Moment>) -> Self {
        self.changes.known = Some(time.into());
        self
    }

    /// Chooses when the commit is durable; [`Durability::Sync`] without this call.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.operations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.operations.is_empty()
    }

    /// Makes the changes durable and visible, and gives the number of the commit. A snapshot taken from now on sees
    /// them. Commits of several threads that wait at the same time share one sync.
    ///
    /// # Errors
    /// [`Error::InvalidOrder`](crate::Error::InvalidOrder) or [`Error::Unknown`](crate::Error::Unknown) for a change
    /// that does not fit, with nothing changed; [`Error::Io`](crate::Error::Io) where the log cannot be
    /// written, and from then on [`Error::Latched`](crate::Error::Latched): reopen the store to go on.
    pub fn finish(self) -> Result<u64> {
        self.store.commit(self.changes, self.durability)
    }
}
