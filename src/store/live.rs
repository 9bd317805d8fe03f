//! A segment and which of its versions a snapshot sees.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::filter::{Condition, Leaf, Test};
use crate::order_id::OrderId;
use crate::segment::{ColumnId, Death, Deaths, MISSING, Segment, died_after};

/// A segment and which of its versions a snapshot sees.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) segment: Arc<Segment>,
    /// Versions that have ended. The lists share no row; there are few of them, each about twice as long as the next.
    pub(crate) deaths: Vec<Arc<Deaths>>,
    /// Whether the segment is a file, rather than a batch in memory.
    pub(crate) sealed: bool,
    /// For a snapshot of an earlier commit that cannot see every version of the segment.
    as_of: Option<AsOf>,
}

/// What an earlier commit sees of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AsOf {
    /// The versions born by the commit.
    Born(u64),
    /// Of ended versions, those born by the commit that had not ended then.
    Ended(u64),
}

impl Live {
    pub(crate) fn new(segment: Arc<Segment>, sealed: bool) -> Self {
        Self { segment, deaths: Vec::new(), sealed, as_of: None }
    }

    /// A batch or a sealed segment as an earlier commit saw it; none where it saw nothing of it.
    pub(crate) fn as_of(&self, commit: u64, counters: &[Condition]) -> Result<Option<Self>> {
        let Some((first, last)) = self.segment.summary().commits else { return Ok(None) };
        if first > commit {
            return Ok(None);
        }
        let all = self.deaths.iter().flat_map(|deaths| deaths.list());
        let before: Vec<Death> = all.filter(|death| death.died <= commit).copied().collect();
        let mut seen = Self { as_of: (last > commit).then_some(AsOf::Born(commit)), deaths: Vec::new(), ..self.clone() };
        seen.add_deaths(before, counters)?;
        Ok(Some(seen))
    }

    /// A history segment as an earlier commit saw it.
    pub(crate) fn ended(segment: &Arc<Segment>, commit: u64) -> Option<Self> {
        let (first, _) = segment.summary().commits?;
        let as_of = Some(AsOf::Ended(commit));
        (first <= commit).then(|| Self { as_of, ..Self::new(Arc::clone(segment), true) })
    }

    /// What a version has to fulfil to be seen, deaths apart; none for all.
    pub(crate) fn visibility(&self) -> Option<Condition> {
        let at_most = |commit: u64| i64::try_from(commit).unwrap_or(i64::MAX);
        let born = |commit| Condition::Leaf(Leaf::Column(ColumnId::Born, Test::Between(0, at_most(commit))));
        match self.as_of? {
            AsOf::Born(commit) => Some(born(commit)),
            AsOf::Ended(commit) => {
                let died = Leaf::Column(ColumnId::Died, Test::Between(died_after(commit), i64::MAX));
                Some(Condition::And(vec![born(commit), Condition::Leaf(died)]))
            }
        }
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
        let Some(condition) = self.visibility() else { return Ok(true) };
        let number = |column| -> Result<i64> {
            Ok(self.segment.column(column)?.map_or(MISSING, |column| column.get(row as usize)))
        };
        let (born, died) = (number(ColumnId::Born)?, number(ColumnId::Died)?);
        Ok(condition.holds(&|column| if column == ColumnId::Born { born } else { died }))
    }
}
