//! A segment and which of its versions a snapshot sees.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::Result;
use crate::filter::{Condition, Leaf, Test};
use crate::order_id::OrderId;
use crate::schema::Clock;
use crate::segment::{ColumnId, Death, Deaths, MISSING, RowMask, Segment};

/// So few versions that have ended are taken one by one; of more, a mask or a view is made.
pub(crate) const FEW_DEAD: usize = if cfg!(test) { 2 } else { 64 };

/// A segment and which of its versions a snapshot sees.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) segment: Arc<Segment>,
    /// Versions that have ended. The lists share no row; there are few of them, each about twice as long as the next.
    pub(crate) deaths: Vec<Arc<Deaths>>,
    pub(crate) stage: Stage,
    /// For a snapshot of an earlier commit: it sees the versions born by then. None where it sees all.
    born_by: Option<u64>,
    /// For a snapshot of an earlier commit, of a history segment: it sees the versions that had not ended by then.
    lived_at: Option<u64>,
    /// Per clock, computed when they are first asked for.
    bounds: Arc<OnceLock<Vec<Bounds>>>,
    /// The rows whose versions have ended, marked when they are first asked for.
    dead: Arc<OnceLock<RowMask>>,
}

/// The first and the last time of a clock; none where no version has it.
type Bounds = Option<(i64, i64)>;

/// The first and the last time of a clock among the versions that are seen. Reads no segment that cannot have either.
pub(crate) fn bounds(lives: &[Live], clock: Clock) -> Bounds {
    let sealed = |live: &Live| live.segment.summary().times(clock);
    let mut lives: Vec<(i64, i64, &Live)> =
        lives.iter().filter_map(|live| sealed(live).map(|(first, last)| (first, last, live))).collect();
    let widest = |found: Bounds, live: &Live| match (found, live.bounds(clock)) {
        (Some(found), Some(own)) => Some((found.0.min(own.0), found.1.max(own.1))),
        (found, own) => found.or(own),
    };
    lives.sort_by_key(|(first, ..)| *first);
    let mut found = None;
    for (first, _, live) in &lives {
        if found.is_some_and(|found: (i64, i64)| found.0 <= *first) {
            break;
        }
        found = widest(found, live);
    }
    lives.sort_by_key(|(_, last, _)| std::cmp::Reverse(*last));
    for (_, last, live) in &lives {
        if found.is_some_and(|found| found.1 >= *last) {
            break;
        }
        found = widest(found, live);
    }
    found
}

/// Where a segment stands on its way to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It is a file.
    Sealed,
    /// It is in memory, and about to be sealed: its rows stay as they are.
    Closed,
    /// It is a batch in memory that later ones are merged with.
    Open,
}

impl Live {
    pub(crate) fn new(segment: Arc<Segment>, stage: Stage) -> Self {
        Self {
            segment,
            deaths: Vec::new(),
            stage,
            born_by: None,
            lived_at: None,
            bounds: Arc::default(),
            dead: Arc::default(),
        }
    }

    /// The number of the partition that all its orders are of.
    pub(crate) fn partition(&self) -> i32 {
        self.segment.summary().partition
    }

    /// A history segment as an earlier commit saw it; none where it saw nothing of it.
    pub(crate) fn of_history(segment: &Arc<Segment>, commit: u64) -> Option<Self> {
        let (first, last) = segment.summary().commits?;
        let (_, died) = segment.summary().died?;
        let mut live = Self::new(Arc::clone(segment), Stage::Sealed);
        live.born_by = (last > commit).then_some(commit);
        live.lived_at = Some(commit);
        (first <= commit && died > commit).then_some(live)
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
        let mut seen = Self { born_by, ..Self::new(Arc::clone(&self.segment), self.stage) };
        seen.add_deaths(before, counters)?;
        Ok(Some(seen))
    }

    /// The segment under a schema that has grown: its deaths count for the new counters too.
    pub(crate) fn recounted(&self, counters: &[Condition]) -> Result<Self> {
        let recount =
            |deaths: &Arc<Deaths>| Deaths::new(deaths.list().to_vec(), &self.segment, counters).map(Arc::new);
        Ok(Self { deaths: self.deaths.iter().map(recount).collect::<Result<_>>()?, ..self.clone() })
    }

    /// What a version has to fulfil to be seen, deaths apart; none for all.
    pub(crate) fn visibility(&self) -> Option<Condition> {
        let number = |commit: u64| i64::try_from(commit).unwrap_or(i64::MAX);
        let column = |column, from, to| Condition::Leaf(Leaf::Column(column, Test::Between(from, to)));
        let born = self.born_by.map(|commit| column(ColumnId::Born, 0, number(commit)));
        let lived = self.lived_at.map(|commit| column(ColumnId::Died, number(commit) + 1, i64::MAX));
        match (born, lived) {
            (Some(born), Some(lived)) => Some(Condition::And(vec![born, lived])),
            (born, lived) => born.or(lived),
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
        (self.bounds, self.dead) = Default::default();
        Ok(())
    }

    /// The first and the last time of a clock among the versions that are seen.
    fn bounds(&self, clock: Clock) -> Bounds {
        let number = match clock {
            Clock::Created => 0,
            Clock::Other(number) => number + 1,
        };
        self.bounds.get_or_init(|| self.all_bounds()).get(number).copied().flatten()
    }

    fn all_bounds(&self) -> Vec<Bounds> {
        let summary = self.segment.summary();
        let clocks = (0..summary.clocks.len()).map(Clock::Other);
        let clocks = std::iter::once((Clock::Created, &summary.created)).chain(clocks.zip(&summary.clocks));
        clocks.map(|(clock, sealed)| self.narrowed(clock, (*sealed)?)).collect()
    }

    /// What bounds of a segment become without the versions that are not seen.
    fn narrowed(&self, clock: Clock, (first, last): (i64, i64)) -> Bounds {
        let column = self.segment.column(clock.into()).ok().flatten()?;
        let time = |row: u32| column.get(row as usize);
        let all = self.born_by.is_none() && self.lived_at.is_none();
        if all && !self.all_deaths().any(|death| time(death.row) == first || time(death.row) == last) {
            return Some((first, last));
        }
        let seen =
            (0..self.segment.rows()).filter(|row| time(*row) != MISSING && self.sees(*row).unwrap_or(true));
        seen.map(time).fold(None, |bounds, time| {
            Some(bounds.map_or((time, time), |(first, last): (i64, i64)| (first.min(time), last.max(time))))
        })
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

    /// Whether few versions have ended.
    pub(crate) fn is_clean(&self) -> bool {
        self.ended_versions() <= FEW_DEAD as u64
    }

    /// Whether it is history, which an earlier commit is answered from.
    pub(crate) fn is_history(&self) -> bool {
        self.lived_at.is_some()
    }

    /// How many orders the snapshot sees of the segment; a damaged one may have more.
    pub(crate) fn orders(&self) -> u64 {
        let rows = self.segment.rows();
        if self.born_by.is_none() && self.lived_at.is_none() {
            return u64::from(rows).saturating_sub(self.ended_versions());
        }
        (0..rows).filter(|row| self.sees(*row).unwrap_or(false)).count() as u64
    }

    /// The rows whose versions have ended; none where these are so few that they are better looked for one by one.
    pub(crate) fn dead_mask(&self) -> Option<&RowMask> {
        (!self.is_clean()).then(|| {
            self.dead.get_or_init(|| {
                let mut mask = RowMask::new(self.segment.rows());
                self.all_deaths().for_each(|death| mask.insert(death.row));
                mask
            })
        })
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
        if let Some(commit) = self.born_by
            && self.segment.born(row)? > commit
        {
            return Ok(false);
        }
        Ok(match self.lived_at {
            Some(commit) => self.segment.death(row)?.is_some_and(|death| death.died > commit),
            None => true,
        })
    }
}
