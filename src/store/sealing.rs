//! Sealing: what segments and batches are made with.

use std::sync::Arc;

use crate::error::Result;
use crate::filter::Condition;
use crate::schema::Schema;
use crate::segment::{Death, Layout, Rows, Sealer, Segment};
use crate::storage::Bytes;
use crate::tree::Forest;

use super::live::{Live, Stage};

/// What segments are sealed with.
pub(super) struct Sealing<'a> {
    schema: &'a Schema,
    forest: &'a Forest,
    schema_version: u32,
    pub(super) layout: Layout,
    pub(super) history: Layout,
    pub(super) counters: Vec<Condition>,
}

/// Where the rows of one segment are in the one it was merged into.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) from: Arc<Segment>,
    /// Per row; [`GONE`] where it is in none.
    pub(super) rows: Vec<u32>,
}

const GONE: u32 = u32::MAX;

impl Moved {
    /// The rows of a segment, when `kept` of them (ascending) became those from `first` on of a list, each of which is
    /// now at its place.
    pub(super) fn new(live: &Live, kept: impl Iterator<Item = u32>, first: usize, places: &[u32]) -> Self {
        let mut rows = vec![GONE; live.segment.rows() as usize];
        for (row, place) in kept.zip(places.get(first..).unwrap_or(&[])) {
            rows.get_mut(row as usize).into_iter().for_each(|slot| *slot = *place);
        }
        Self { from: Arc::clone(&live.segment), rows }
    }

    /// A death of the old segment as one of the new.
    pub(super) fn death(&self, death: &Death) -> Option<Death> {
        let row = self.rows.get(death.row as usize).copied().filter(|row| *row != GONE)?;
        Some(Death { row, ..*death })
    }
}

/// For each row that was sealed, its row in the segment, which keeps them in this order.
pub(super) fn places(order: &[u32]) -> Vec<u32> {
    let mut places = vec![GONE; order.len()];
    for (row, old) in (0u32..).zip(order) {
        places[*old as usize] = row;
    }
    places
}

impl<'a> Sealing<'a> {
    /// For a store that has had so many schemas.
    pub(super) fn new(schema: &'a Schema, forest: &'a Forest, schemas: usize) -> Result<Self> {
        Ok(Self {
            schema,
            forest,
            schema_version: u32::try_from(schemas.saturating_sub(1)).unwrap_or(u32::MAX),
            layout: Layout::new(schema),
            history: Layout::of_history(schema),
            counters: Condition::bind_counters(schema, forest)?,
        })
    }

    pub(super) fn sealer(&self) -> Sealer<'_> {
        self.sealer_of(&self.layout)
    }

    /// Seals versions that have ended.
    pub(super) fn history_sealer(&self) -> Sealer<'_> {
        self.sealer_of(&self.history)
    }

    fn sealer_of<'s>(&'s self, layout: &'s Layout) -> Sealer<'s> {
        Sealer {
            schema: self.schema,
            schema_version: self.schema_version,
            layout,
            forest: self.forest,
            counters: &self.counters,
        }
    }

    /// All versions of several segments of one partition, ended ones too, and new rows behind them, as one batch.
    pub(super) fn merge(&self, lives: &[Live], new: Rows, partition: i32) -> Result<(Live, Vec<Moved>)> {
        let mut rows = Rows::new(&self.layout);
        let mut firsts = Vec::new();
        for live in lives {
            firsts.push(rows.len());
            rows.append(live.segment.read_rows(&self.layout)?);
        }
        rows.append(new);
        let (bytes, order) = self.sealer().seal_mapped(rows, partition);
        let segment = Segment::open("a batch in memory", Bytes::from(bytes))?;
        let mut batch = Live::new(Arc::new(segment), Stage::Open);
        let places = places(&order);
        let moved: Vec<Moved> = lives
            .iter()
            .zip(firsts)
            .map(|(live, first)| Moved::new(live, 0..live.segment.rows(), first, &places))
            .collect();
        let deaths = lives.iter().zip(&moved);
        let deaths =
            deaths.flat_map(|(live, moved)| live.all_deaths().filter_map(|death| moved.death(death)));
        batch.add_deaths(deaths.collect(), &self.counters)?;
        Ok((batch, moved))
    }
}
