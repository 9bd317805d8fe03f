//! How an order that somebody brings stands to what the store has.

use std::sync::Arc;

use crate::error::Result;
use crate::order::Order;
use crate::segment::ColumnId;

use super::intake::Intake;
use super::{State, Store, read};

/// How an order stands to what the store has under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    New,
    Changed,
    Unchanged,
}

/// Compares orders with what a store had at one moment.
#[derive(Debug)]
pub(crate) struct Standings {
    state: Arc<State>,
    /// Numbers the names of the orders that were compared, those too that the store does not know.
    intake: Intake,
}

impl Store {
    /// Compares orders with what the store has now.
    pub(crate) fn standings(&self) -> Result<Standings> {
        self.require_writable()?;
        let state = self.state();
        let intake = Intake::new(state.schema.clone(), state.forest.clone(), 0);
        Ok(Standings { state, intake })
    }
}

impl Standings {
    /// How an order stands.
    ///
    /// # Errors
    /// [`Error::InvalidOrder`](crate::Error::InvalidOrder) where it does not fit the schema.
    pub(crate) fn of(&mut self, order: &Order) -> Result<Standing> {
        let mut row = self.intake.row(order)?;
        let Some((live, at)) = self.state.locate(&row.id)? else { return Ok(Standing::New) };
        let stored = read::row(&self.intake.layout, &self.state.lives[live].segment, at)?;
        if let Some(born) = self.intake.layout.position(ColumnId::Born) {
            row.columns[born] = stored.columns[born];
        }
        Ok(if row == stored { Standing::Unchanged } else { Standing::Changed })
    }
}
