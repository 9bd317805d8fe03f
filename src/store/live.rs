//! A segment and which of its versions a snapshot sees.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::filter::{Condition, Leaf, Test};
use crate::order_id::OrderId;
use crate::segment::{ColumnId, Death, Deaths, Segment};

/// A segment and which of its versions a snapshot sees.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) segment: Arc<Segment>,
    /// Versions that have ended. The lists share no row; there are few of them, each about twice as long as the next.
    pub(crate) deaths: Vec<Arc<Deaths>>,
    /// Whether the segment is a file, rather than a batch in memory.
    pub(crate) sealed: bool,
    /// For a snapshot of an earlier commit: it sees the versions born by then. None where it sees all.
    born_by: Option<u64>,
}

impl Live {
    pub(crate) fn new(segment: Arc<Segment>, sealed: bool) -> Self {
        Self { segment, deaths: Vec::new(), sealed, born_by: None }
    }

    /// The batch with the same rows in a file.
    pub(crate) fn sealed_as(self, segment: Arc<Segment>) -> Self {
        Self { segment, sealed: true, ..self }
    }

    /// The segment as an earlier commit saw it; none where it saw nothing of it.
    pub(crate) fn as_of(&self, commit: u64, counters: &[Condition]) -> Result<Option<Self>> {
        let Some((first, last)) = self.segment.summary().commits else { return Ok(None) };
        if first > commit {
            return Ok(None);
        }
        let all = self.deaths.iter().flat_map(|deaths| deaths.list());
        let before: Vec<Death> = all.filter(|death| death.died <= commit).copied().collect();
        let born_by = (last > commit).then_some(commit);
        let mut seen = Self { born_by, deaths: Vec::new(), ..self.clone() };
        seen.add_deaths(before, counters)?;
        Ok(Some(seen))
    }

    /// What a version has to fulfil to be seen, deaths apart; none for all.
    pub(crate) fn visibility(&self) -> Option<Condition> {
        let commit = i64::try_from(self.born_by?).unwrap_or(i64::MAX);
        Some(Condition::Leaf(Leaf::Column(ColumnId::Born, Test::Between(0, commit))))
    }

    /// Adds deaths, and keeps the lists few.
    pub(crate) fn add_deaths(&mut self, list: Vec<Death>, counters: &[Condition]) -> Result<()> {
        if list.is_empty() {
            return Ok(());
        }
        let mut list = list;
        while self.deaths.last().is_some_and(|last| last.len() <= 2 * list.len()) {
            list.extend(self.deaths.pop().iter().flat_map(|deaths| deaths.list().iter().copied()));
        }
        self.deaths.push(Arc::new(Deaths::new(list, &self.segment, counters)?));
        Ok(())
    }

    pub(crate) fn death(&self, row: u32) -> Option<&Death> {
        self.deaths.iter().find_map(|deaths| deaths.find(row))
    }

    pub(crate) fn all_deaths(&self) -> impl Iterator<Item = &Death> {
        self.deaths.iter().flat_map(|deaths| deaths.list())
    }

    /// How many versions have ended.
    pub(crate) fn ended_versions(&self) -> u64 {
        self.deaths.iter().map(|deaths| deaths.len() as u64).sum()
    }

    /// The rows of a range whose versions have ended.
    pub(crate) fn dead_rows(&self, rows: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        self.deaths.iter().flat_map(move |deaths| deaths.rows(rows.clone()))
    }

    /// How many rows of a range have ended: the correction of a count.
    pub(crate) fn dead(&self, rows: Range<u32>) -> u64 {
        self.deaths.iter().map(|deaths| deaths.count(rows.clone())).sum()
    }

    /// How many of them a counter counted: the correction of a counter.
    pub(crate) fn dead_counted(&self, counter: usize, rows: Range<u32>) -> u64 {
        self.deaths.iter().map(|deaths| deaths.counted(counter, rows.clone())).sum()
    }

    /// The row of the version of an order that the snapshot sees.
    pub(crate) fn find(&self, id: &OrderId) -> Result<Option<u32>> {
        for row in self.segment.find_all(id)? {
            if self.sees(row)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn sees(&self, row: u32) -> Result<bool> {
        if self.death(row).is_some() {
            return Ok(false);
        }
        Ok(match self.born_by {
            Some(commit) => self.segment.born(row)? <= commit,
            None => true,
        })
    }
}
