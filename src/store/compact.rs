//! Compaction: the segments of a partition become one with the versions that still hold, and those that have ended move
//! to history.
//!
//! The work is done on a snapshot, beside commits. What they end meanwhile is carried over when the result is published.
//! Versions that a flush has not recorded as ended count as holding: the log would end them again when it is replayed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::Result;
use crate::filter::Condition;
use crate::segment::{ColumnId, Death, Rows, Segment};

use super::live::Stage;
use super::sealing::{Moved, Sealing, places};
use super::write::hold;
use super::written::Written;
use super::{Live, Progress, State, Store, flush};

/// A partition has so many short segments at most, once a flush is done.
pub(super) const SEGMENTS: usize = if cfg!(test) { 2 } else { 8 };

/// What is merged has so many rows at most, as it is all in memory; a segment of half as many is long, and is
/// merged with no other one.
pub(super) const LARGEST: u64 = if cfg!(test) { 6 } else { 2_000_000 };

/// A merged segment takes the next one in unless that one is more than so many times as long. So every version is
/// rewritten a few times only, however many small segments come.
const RATIO: u64 = 2;

/// What a partition has to be like to be compacted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Threshold {
    /// More short segments than this.
    pub(super) segments: usize,
    /// A segment with at least so many of a hundred versions ended, and one.
    pub(super) ended_percent: u64,
    /// Whether history is rewritten for any version behind the horizon, or dropped once all of it is.
    pub(super) forget: bool,
}

/// What is to be merged: segments of one partition.
#[derive(Debug, Default)]
pub(super) struct Job {
    partition: i32,
    lives: Vec<Live>,
    /// History segments to be rewritten in any case.
    histories: Vec<Arc<Segment>>,
}

/// Segments brought into one, not published yet.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// The new segment; none where no version holds.
    pub(super) live: Option<Live>,
    /// The new segment has the deaths up to this commit, and lacks those that came later.
    pub(super) after: u64,
    /// Where the rows of the old segments are now.
    pub(super) moved: Vec<Moved>,
    /// The new history segment, and those that it replaces.
    pub(super) history: Option<Arc<Segment>>,
    pub(super) replaced: Vec<Arc<Segment>>,
}

impl Store {
    /// Merges the segments of every partition into one, and moves the versions that have ended to history, which
    /// questions about the present do not read. Answers stay the same. Commits go on meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) where a file cannot be written: what is done is done, the rest is as it was.
    pub fn compact(&self) -> Result<()> {
        self.compact_with(|_| {})
    }

    /// As [`compact`](Self::compact), and says how far it has come.
    ///
    /// # Errors
    /// As for [`compact`](Self::compact).
    pub fn compact_with(&self, mut progress: impl FnMut(Progress)) -> Result<()> {
        self.require_kept()?;
        self.flush_now()?;
        self.compact_where(Threshold { segments: 1, ended_percent: 0, forget: true }, |done| {
            progress(done);
            true
        })
    }

    /// Merges short segments where a partition has too many of them.
    pub(super) fn merge_crowded(&self) -> Result<()> {
        self.compact_where(Threshold { segments: SEGMENTS, ended_percent: 100, forget: false }, |_| true)
    }

    /// Compacts the partitions that want it, as long as it may go on.
    pub(super) fn compact_where(
        &self,
        threshold: Threshold,
        mut go_on: impl FnMut(Progress) -> bool,
    ) -> Result<()> {
        let jobs = jobs(&self.state(), threshold);
        let total = jobs.len() as u64;
        for (done, partition) in (0u64..).zip(jobs.iter().map(|job| job.partition)) {
            if !go_on(Progress { stage: "compacting", done, total }) {
                return Ok(());
            }
            let _exchange = hold(&self.inner.exchange);
            // Another one may have been here since.
            for job in jobs_of(&self.state(), partition, threshold) {
                self.require_writable()?;
                let mut written = Written::new(self);
                let merged = self.merge(&self.state(), job, &mut written)?;
                self.publish_merged(merged, written)?;
            }
        }
        go_on(Progress { stage: "compacting", done: total, total });
        Ok(())
    }

    /// Does a job on what the store is now, and writes the result. Nothing is published.
    pub(super) fn merge(&self, state: &State, job: Job, written: &mut Written) -> Result<Merged> {
        let flushed = state.manifest.commit;
        let sealing = Sealing::new(&state.schema, &state.forest, state.manifest.schemas.len())?;
        let mut holding = Rows::new(&sealing.layout);
        let mut ended = Rows::new(&sealing.history);
        let mut kept: Vec<(Live, Vec<u32>)> = Vec::new();
        for live in job.lives {
            let mut rows = live.segment.read_rows(&sealing.layout)?;
            let dead = flushed_deaths(&live, flushed);
            ended.append(take_ended(&mut rows, &dead, state.manifest.horizon));
            let alive = all_but(rows.len(), &dead);
            rows.select(&alive);
            holding.append(rows);
            kept.push((live, alive));
        }
        let mut merged = Merged { after: flushed, ..Merged::default() };
        merged.replaced = histories_with(state, job.partition, job.histories, ended.len() as u64);
        let mut old = Rows::new(&sealing.history);
        for history in &merged.replaced {
            old.append(remembered(history.read_rows(&sealing.history)?, &sealing, state.manifest.horizon));
        }
        old.append(ended);
        if old.len() > 0 {
            let bytes = sealing.history_sealer().seal(old, job.partition);
            merged.history = Some(written.segment("history", job.partition, &bytes)?);
        }
        let mut order = Vec::new();
        if holding.len() > 0 {
            let (bytes, sorted) = sealing.sealer().seal_mapped(holding, job.partition);
            let segment = written.segment("segments", job.partition, &bytes)?;
            merged.live = Some(Live::new(segment, Stage::Sealed));
            order = sorted;
        }
        let places = places(&order);
        let mut first = 0;
        for (live, alive) in kept {
            let count = alive.len();
            merged.moved.push(Moved::new(&live, alive.into_iter(), first, &places));
            first += count;
        }
        Ok(merged)
    }

    /// Puts the result of a job in the place of what it was made of.
    pub(super) fn publish_merged(&self, merged: Merged, mut written: Written) -> Result<()> {
        self.inner.storage.sync_folder()?;
        let writer = hold(&self.inner.writer);
        self.require_writable()?;
        let mut next = (*self.state()).clone();
        next.exchange(merged)?;
        // No flush has come since: the deaths that were carried over are in the log, and in no file yet.
        let deaths = next.manifest.segments.iter();
        let deaths = deaths.filter_map(|file| Some((file.name.clone(), file.deaths.clone()?))).collect();
        let manifest = Arc::make_mut(&mut next.manifest);
        manifest.segments = flush::segment_files(&next.lives, &deaths);
        manifest.history = next.histories.iter().map(|segment| segment.name().to_owned()).collect();
        let replaced = self.publish(next)?;
        written.keep();
        drop(writer);
        self.remove(&replaced);
        Ok(())
    }
}

impl State {
    /// Puts merged segments in the place of those that they were made of.
    pub(super) fn exchange(&mut self, merged: Merged) -> Result<()> {
        let Merged { mut live, after, moved, history, replaced } = merged;
        let mut later = Vec::new();
        for moved in moved {
            let Some(at) = self.lives.iter().position(|live| Arc::ptr_eq(&live.segment, &moved.from)) else {
                continue;
            };
            let old = self.lives.remove(at);
            let deaths = old.all_deaths().filter(|death| death.died > after);
            later.extend(deaths.filter_map(|death| moved.death(death)));
        }
        if let Some(live) = &mut live {
            live.add_deaths(later, &Condition::bind_counters(&self.schema, &self.forest)?)?;
        }
        self.lives.extend(live);
        self.lives.sort_by_key(|live| (live.stage != Stage::Sealed, live.segment.summary().partition));
        self.histories.retain(|history| !replaced.iter().any(|gone| Arc::ptr_eq(gone, history)));
        self.histories.extend(history);
        self.histories.sort_by_key(|history| history.summary().partition);
        Ok(())
    }
}

/// What is to be merged in the whole store; for each partition one job or more.
pub(super) fn jobs(state: &State, threshold: Threshold) -> Vec<Job> {
    let lives = state.lives.iter().filter(|live| live.stage == Stage::Sealed).map(|live| &live.segment);
    let partitions: BTreeSet<i32> =
        lives.chain(&state.histories).map(|segment| segment.summary().partition).collect();
    partitions
        .into_iter()
        .filter_map(|partition| jobs_of(state, partition, threshold).into_iter().next())
        .collect()
}

fn jobs_of(state: &State, partition: i32, threshold: Threshold) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let (mut rows, flushed) = (0, state.manifest.commit);
    for live in chosen(state, partition, threshold) {
        let own = holding(&live, flushed);
        rows += own;
        match jobs.last_mut().filter(|_| rows <= LARGEST) {
            Some(job) => job.lives.push(live),
            None => {
                rows = own;
                jobs.push(Job { partition, lives: vec![live], histories: Vec::new() });
            }
        }
    }
    // Alone and whole, it would only be copied.
    jobs.retain(|job| job.lives.len() > 1 || job.lives.iter().any(|live| ended(live, flushed) > 0));
    let horizon = state.manifest.horizon;
    let behind = |history: &&Arc<Segment>| {
        let died = history.summary().died;
        let forgotten = died.is_some_and(
            |(first, last)| {
                if threshold.forget { first <= horizon } else { last <= horizon }
            },
        );
        history.summary().partition == partition && forgotten
    };
    let histories: Vec<Arc<Segment>> = state.histories.iter().filter(behind).cloned().collect();
    if !histories.is_empty() {
        if jobs.is_empty() {
            jobs.push(Job { partition, ..Job::default() });
        }
        jobs.iter_mut().take(1).for_each(|job| job.histories.clone_from(&histories));
    }
    jobs
}

/// The sealed segments of a partition that are to be written anew, by age.
fn chosen(state: &State, partition: i32, threshold: Threshold) -> Vec<Live> {
    let flushed = state.manifest.commit;
    let sealed = state.lives.iter().filter(|live| live.stage == Stage::Sealed);
    let lives: Vec<&Live> = sealed.filter(|live| live.segment.summary().partition == partition).collect();
    let outworn = |live: &Live| {
        let ended = ended(live, flushed);
        ended > 0 && ended * 100 >= threshold.ended_percent * u64::from(live.segment.rows())
    };
    let mut chosen: Vec<bool> = lives.iter().map(|live| outworn(live)).collect();
    let mut short: Vec<usize> =
        (0..lives.len()).filter(|at| holding(lives[*at], flushed) < LARGEST / 2).collect();
    if short.len() > threshold.segments {
        short.sort_by_key(|at| holding(lives[*at], flushed));
        // So many that few enough are left, and those behind them that are not much longer.
        let least = short.len() + 1 - threshold.segments;
        let mut rows = 0;
        for (number, at) in short.into_iter().enumerate() {
            let own = holding(lives[at], flushed);
            if number >= least && own > rows * RATIO {
                break;
            }
            rows += own;
            chosen[at] = true;
        }
    }
    lives.into_iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(live, _)| live.clone()).collect()
}

/// How many versions of a segment the files record as ended.
fn ended(live: &Live, flushed: u64) -> u64 {
    live.all_deaths().filter(|death| death.died <= flushed).count() as u64
}

fn holding(live: &Live, flushed: u64) -> u64 {
    u64::from(live.segment.rows()).saturating_sub(ended(live, flushed))
}

fn flushed_deaths(live: &Live, flushed: u64) -> Vec<Death> {
    let mut deaths: Vec<Death> = live.all_deaths().filter(|death| death.died <= flushed).copied().collect();
    deaths.sort_unstable();
    deaths
}

/// The rows from 0 on that have not ended.
fn all_but(rows: usize, dead: &[Death]) -> Vec<u32> {
    let mut dead = dead.iter().map(|death| death.row).peekable();
    (0u32..).take(rows).filter(|row| dead.next_if_eq(row).is_none()).collect()
}

/// Takes out the versions that have ended, as history has them, but for those behind the horizon.
fn take_ended(rows: &mut Rows, dead: &[Death], horizon: u64) -> Rows {
    let kept = || dead.iter().filter(|death| death.died > horizon);
    let mut ended = rows.take(&kept().map(|death| death.row).collect::<Vec<u32>>());
    ended.columns.push(kept().map(|death| i64::try_from(death.died).unwrap_or(i64::MAX)).collect());
    ended.columns.push(kept().map(|death| i64::from(death.removed)).collect());
    ended
}

/// What of a history segment lies this side of the horizon.
fn remembered(mut rows: Rows, sealing: &Sealing<'_>, horizon: u64) -> Rows {
    let horizon = i64::try_from(horizon).unwrap_or(i64::MAX);
    let died = (0u32..).zip(rows.column(&sealing.history, ColumnId::Died));
    let kept: Vec<u32> = died.filter(|(_, died)| **died > horizon).map(|(row, _)| row).collect();
    if kept.len() < rows.len() {
        rows.select(&kept);
    }
    rows
}

/// The history segments to be written anew together with so many more versions: the given ones, and the youngest of the
/// partition as long as each is not much longer than what came behind it.
fn histories_with(state: &State, partition: i32, given: Vec<Arc<Segment>>, more: u64) -> Vec<Arc<Segment>> {
    let mut histories = given;
    let mut rows = more + histories.iter().map(|history| u64::from(history.rows())).sum::<u64>();
    if more == 0 {
        return histories;
    }
    let own = state.histories.iter().filter(|history| history.summary().partition == partition);
    for history in own.rev() {
        if histories.iter().any(|known| Arc::ptr_eq(known, history)) {
            continue;
        }
        let length = u64::from(history.rows());
        if length > rows * RATIO || rows + length > LARGEST {
            break;
        }
        rows += length;
        histories.push(Arc::clone(history));
    }
    histories
}
