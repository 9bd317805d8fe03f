//! Where an import's orders go: a bulk load, or commits.

use std::collections::HashSet;

use crate::error::Result;
use crate::order::{Moment, Order};
use crate::order_id::OrderId;
use crate::store::{Load, LoadReport, Progress, Repeated, Standing, Standings, Store};

/// Orders in one commit of an upsert.
const COMMIT: usize = 10_000;

/// Where an import's orders go.
#[derive(Debug)]
pub(super) enum Target {
    Load(Load),
    Commits(Commits),
}

/// What an import has written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) commit: u64,
    pub(super) orders: u64,
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    pub(super) repeated: Vec<Repeated>,
    pub(super) bytes: u64,
}

impl From<LoadReport> for Written {
    fn from(report: LoadReport) -> Self {
        Self {
            commit: report.commit,
            orders: report.orders,
            changed: report.superseded,
            unchanged: 0,
            repeated: report.repeated,
            bytes: report.bytes,
        }
    }
}

impl Target {
    pub(super) fn known_at(self, time: Moment) -> Self {
        match self {
            Self::Load(load) => Self::Load(load.known_at(time)),
            Self::Commits(commits) => Self::Commits(Commits { known: Some(time), ..commits }),
        }
    }

    pub(super) fn push(&mut self, order: Order) -> Result<()> {
        match self {
            Self::Load(load) => load.push(order),
            Self::Commits(commits) => commits.push(order),
        }
    }

    pub(super) fn finish_with(self, progress: impl FnMut(Progress)) -> Result<Written> {
        match self {
            Self::Load(load) => load.finish_with(progress).map(Written::from),
            Self::Commits(mut commits) => {
                commits.commit()?;
                Ok(commits.written)
            }
        }
    }
}

/// Commits of a bounded size.
#[derive(Debug)]
pub(super) struct Commits {
    store: Store,
    known: Option<Moment>,
    /// What the store has, to compare with.
    standings: Standings,
    /// Orders of the next commit, each id once.
    orders: Vec<Order>,
    ids: HashSet<OrderId>,
    written: Written,
}

impl Commits {
    pub(super) fn new(store: &Store) -> Result<Self> {
        let written = Written { commit: store.snapshot().commit(), ..Written::default() };
        Ok(Self {
            standings: store.standings()?,
            store: store.clone(),
            known: None,
            orders: Vec::new(),
            ids: HashSet::new(),
            written,
        })
    }

    fn push(&mut self, order: Order) -> Result<()> {
        let id = OrderId::parse(order.id())?;
        if self.orders.len() >= COMMIT || self.ids.contains(&id) {
            self.commit()?;
        }
        match self.standings.of(&order)? {
            Standing::Unchanged => {
                self.written.unchanged += 1;
                return Ok(());
            }
            Standing::Changed => self.written.changed += 1,
            Standing::New => {}
        }
        self.written.orders += 1;
        self.ids.insert(id);
        self.orders.push(order);
        Ok(())
    }

    /// Commits what was collected.
    fn commit(&mut self) -> Result<()> {
        if self.orders.is_empty() {
            return Ok(());
        }
        let mut commit = self.store.begin();
        if let Some(known) = &self.known {
            commit = commit.known_at(known.clone());
        }
        self.orders.drain(..).for_each(|order| commit.upsert(order));
        self.ids.clear();
        self.written.commit = commit.finish()?;
        self.standings = self.store.standings()?;
        Ok(())
    }
}
