//! The ledger: what all sealed segments together add up to, so that a question about all of time costs no more than one
//! about a month.
//!
//! A page of it has the units of one level. It names the segments that it sums and serves only snapshots that hold exactly
//! these; what has died is taken out segment by segment, as from their views, and batches are added. It is made
//! in memory from the segments' views, in some milliseconds, when a question first wants it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::error::Result;
use crate::schema::Schema;
use crate::segment::{Segment, Totals};
use crate::tree::Tree;

use super::Live;

/// With fewer segments, adding them up each time is as good.
const FEW_SEGMENTS: usize = if cfg!(test) { 2 } else { 6 };

/// The pages that were made. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pages: Arc<RwLock<BTreeMap<usize, Arc<Page>>>>,
    /// Whether no page is made: for snapshots of earlier commits, whose segments few others ask for.
    reads_only: bool,
}

/// What the units of one level add up to.
#[derive(Debug)]
pub(crate) struct Page {
    /// Which it sums; it keeps none of them.
    segments: Vec<Weak<Segment>>,
    pub(crate) totals: Totals,
}

impl Ledger {
    /// The same pages, for a snapshot of an earlier commit.
    pub(crate) fn of_earlier(&self) -> Self {
        Self { pages: Arc::clone(&self.pages), reads_only: true }
    }

    /// The page of a level that sums these lives' segments; none where there are few, or none was made for them.
    pub(crate) fn page(
        &self,
        lives: &[&Live],
        level: usize,
        schema: &Schema,
        place: &Tree,
    ) -> Result<Option<Arc<Page>>> {
        if lives.len() < FEW_SEGMENTS {
            return Ok(None);
        }
        let known = self.pages.read().unwrap_or_else(PoisonError::into_inner).get(&level).cloned();
        if let Some(page) = known.filter(|page| page.sums(lives)) {
            return Ok(Some(page));
        }
        if self.reads_only {
            return Ok(None);
        }
        let segments: Vec<&Segment> = lives.iter().map(|live| live.segment.as_ref()).collect();
        let totals = Totals::of(&segments, level, place, schema.counters.len(), schema.measures.len())?;
        let segments = lives.iter().map(|live| Arc::downgrade(&live.segment)).collect();
        let page = Arc::new(Page { segments, totals });
        self.pages.write().unwrap_or_else(PoisonError::into_inner).insert(level, Arc::clone(&page));
        Ok(Some(page))
    }
}

impl Page {
    fn sums(&self, lives: &[&Live]) -> bool {
        let mut both = self.segments.iter().zip(lives);
        self.segments.len() == lives.len()
            && both.all(|(known, live)| known.as_ptr() == Arc::as_ptr(&live.segment))
    }
}
