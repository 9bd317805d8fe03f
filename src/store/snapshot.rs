//! What a reader sees.

use std::sync::Arc;

use rayon::ThreadPool;

use crate::calendar::Calendar;
use crate::error::{Error, Result};
use crate::filter::{NodeRef, resolve};
use crate::order::Order;
use crate::order_id::OrderId;
use crate::schema::{Field, Schema};
use crate::segment::{Layout, SectionId, Segment};
use crate::tree::{Forest, Node, Tree};

use super::describe::{self, Description};
use super::index::Entry;
use super::ledger::{Block, Page};
use super::threads::Threads;
use super::{Live, State, read};

/// A store as it was at a commit. Cheap to take and to clone, never changes, and can be read by any number of
/// threads.
#[derive(Debug, Clone)]
pub struct Snapshot {
    state: Arc<State>,
    threads: Arc<Threads>,
}

impl Snapshot {
    pub(super) fn new(state: Arc<State>, threads: Arc<Threads>) -> Self {
        Self { state, threads }
    }

    /// The number of the commit that the snapshot shows; 0 for a store that has none.
    #[must_use]
    pub fn commit(&self) -> u64 {
        self.state.commit
    }

    /// When that commit was known, in seconds since 1970; none before the first.
    #[must_use]
    pub fn known(&self) -> Option<i64> {
        self.state.stamps.get(self.state.commit)
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.state.schema
    }

    /// The calendar of the schema's time zone.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        self.state.schema.calendar()
    }

    /// The place tree.
    #[must_use]
    pub fn place(&self) -> &Tree {
        &self.state.forest.place
    }

    /// A tree by its name; `place` is one.
    ///
    /// # Errors
    /// [`Error::Unknown`] where the schema has no such tree.
    pub fn tree(&self, name: &str) -> Result<&Tree> {
        let names =
            || std::iter::once("place").chain(self.state.schema.trees.iter().map(|tree| tree.name.as_str()));
        let field =
            self.state.schema.field(name).filter(|field| matches!(field, Field::Place | Field::Tree(_)));
        field.and_then(|field| self.forest().of(field)).ok_or_else(|| Error::unknown("tree", name, names()))
    }

    /// The unit with this path.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest paths, [`Error::Ambiguous`] with all that it could mean.
    pub fn unit(&self, path: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Node> {
        self.place().find(path)
    }

    /// The unit with this code.
    ///
    /// # Errors
    /// [`Error::Unknown`] where no unit has it.
    pub fn unit_by_code(&self, code: &str) -> Result<Node> {
        self.place().find_code(code)
    }

    /// The unit that a reference names.
    ///
    /// # Errors
    /// As for [`unit`](Self::unit).
    pub fn resolve(&self, unit: &NodeRef) -> Result<Node> {
        resolve(self.place(), unit)
    }

    /// The order with this id; none where the store has no such order.
    ///
    /// # Errors
    /// [`Error::InvalidOrder`] for a text that cannot be an order id, [`Error::Corrupt`] for a damaged file.
    pub fn get(&self, id: &str) -> Result<Option<Order>> {
        let id = OrderId::parse(id)?;
        match self.state.locate(&id)? {
            Some((live, row)) => self.order(&self.lives()[live].segment, row).map(Some),
            None => Ok(None),
        }
    }

    /// What the store holds and how much of it.
    #[must_use]
    pub fn describe(&self) -> Description {
        describe::describe(&self.state)
    }

    pub(crate) fn forest(&self) -> &Forest {
        &self.state.forest
    }

    pub(crate) fn lives(&self) -> &[Live] {
        &self.state.lives
    }

    /// The segments that have orders, by partition and age.
    pub(crate) fn index(&self) -> &[Entry] {
        self.state.index.of(&self.state.lives)
    }

    /// The store's threads, where there are several; none for one of them, which has its share of some work already.
    pub(crate) fn threads(&self) -> Result<Option<&ThreadPool>> {
        let can_share = |threads: &&ThreadPool| {
            threads.current_num_threads() > 1 && threads.current_thread_index().is_none()
        };
        Ok(Some(self.threads.get()?).filter(can_share))
    }

    /// What the segments of a block, which these lives are, add up to, like one of their views; none where that is not worth
    /// summing once for all.
    pub(crate) fn page(&self, view: SectionId, block: Block, lives: &[&Live]) -> Result<Option<Arc<Page>>> {
        self.state.ledger.page(&self.state, view, block, lives)
    }

    pub(crate) fn order(&self, segment: &Segment, row: u32) -> Result<Order> {
        let layout = Layout::new(self.schema());
        let row = read::row(&layout, segment, row)?;
        Ok(read::order(self.schema(), self.forest(), &layout, &row))
    }
}
