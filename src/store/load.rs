//! The bulk load: many orders, little memory, one commit.
//!
//! Orders are collected per partition; when the buffer is full, each partition's part is sealed into a *run*, which is
//! a segment that no manifest names; only the partition that still grows is held back, where that leaves half of the buffer
//! free. Finishing merges the runs of each partition and publishes them in one manifest. Until then a kill leaves the store as
//! it was, and the writer that opens it next removes the runs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use serde::Serialize;

use crate::calendar::Grain;
use crate::error::{Error, Result};
use crate::filter::Condition;
use crate::order::{Moment, Order};
use crate::order_id::OrderId;
use crate::schema::Schema;
use crate::segment::{ColumnId, Death, Layout, Rows, Segment};

use super::columns::{self, Columns};
use super::intake::Intake;
use super::live::Stage;
use super::paths::Known;
use super::sealing::Sealing;
use super::write::hold;
use super::written::Written;
use super::{Live, Progress, State, Store, flush, merge};

/// Orders held in memory unless [`Load::buffer`] says otherwise: a few hundred megabytes.
const DEFAULT_BUFFER: usize = 1_000_000;

/// A bulk load: orders pushed one by one or in columns become part of the store in one commit, when
/// [`finish`](Self::finish) returns. Dropped before that, it leaves the store as it was.
///
/// ```
/// use zonal::{Order, Schema, Store};
///
/// let store = Store::in_memory(Schema::builder("Asia/Shanghai").place(["district"]).build()?)?;
/// let mut load = store.load()?;
/// load.push(Order::new("1", "2026-03-01T09:12:00").place(["朝阳区"]))?;
/// load.push(Order::new("2", "2026-03-01T09:13:00").place(["海淀区"]))?;
/// let report = load.finish()?;
/// assert_eq!(report.orders, 2);
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug)]
pub struct Load {
    store: Store,
    intake: Intake,
    buffer: usize,
    pending: BTreeMap<i32, Pending>,
    pending_orders: usize,
    /// The nodes of the paths that came last.
    known_paths: Known,
    /// Orders pushed so far.
    pushed: u64,
    runs: Vec<Run>,
    /// Of the ids of all runs, to find repeated ones.
    hashes: Vec<u64>,
    repeated: Vec<Repeated>,
    /// The files of the load, as long as no manifest names them.
    written: Written,
    /// Whether orders were lost as a run could not be written.
    broken: bool,
    /// When the orders became known; the time of the load where nothing is said.
    known: Option<Moment>,
}

/// Orders of one partition that no run holds yet.
#[derive(Debug)]
struct Pending {
    rows: Rows,
    /// When each came, counted from the start of the load. They ascend.
    arrivals: Vec<u64>,
}

/// Orders of one partition, sealed but not published. Runs stand in the order of arrival.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) partition: i32,
    pub(super) segment: Arc<Segment>,
    /// Rows whose id came again in a later run.
    pub(super) dropped: HashSet<u32>,
}

/// An order of a load that a later one with the same id replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repeated {
    /// The order id.
    pub id: String,
    /// When the replaced order was created, in seconds since 1970.
    pub created: i64,
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// The number of the commit.
    pub commit: u64,
    /// Orders that the load wrote.
    pub orders: u64,
    /// How many of them are new versions of orders that the store had.
    pub superseded: u64,
    /// Orders of the load that a later one with the same id replaced, in no particular order.
    pub repeated: Vec<Repeated>,
    /// Bytes of the new segments.
    pub bytes: u64,
    /// How many partitions were written.
    pub partitions: u64,
}

impl Load {
    pub(super) fn new(store: Store) -> Self {
        let state = store.state();
        let born = state.commit + 1;
        Self {
            intake: Intake::new(state.schema.clone(), state.forest.clone(), born),
            written: Written::new(&store),
            store,
            buffer: DEFAULT_BUFFER,
            pending: BTreeMap::new(),
            pending_orders: 0,
            known_paths: Known::default(),
            pushed: 0,
            runs: Vec::new(),
            hashes: Vec::new(),
            repeated: Vec::new(),
            broken: false,
            known: None,
        }
    }

    /// Starts from what the store holds now.
    pub(super) fn begin(mut self) -> Self {
        let state = self.store.state();
        self.intake = Intake::new(state.schema.clone(), state.forest.clone(), state.commit + 1);
        self
    }

    /// How many orders to hold in memory before they are sealed to disk; a million without this call. An order
    /// takes about 200 bytes.
    #[must_use]
    pub fn buffer(mut self, orders: usize) -> Self {
        self.buffer = orders.max(1);
        self
    }

    /// Says when the orders became known, for loads of what was written down earlier. Stamps never go back: a time before
    /// that of the last commit is raised to it.
    #[must_use]
    pub fn known_at(mut self, time: impl Into<Moment>) -> Self {
        self.known = Some(time.into());
        self
    }

    /// Adds an order.
    ///
    /// # Errors
    /// [`Error::InvalidOrder`] where the order does not fit the schema: the load goes on without it.
    /// [`Error::Io`] where a run cannot be written.
    pub fn push(&mut self, order: Order) -> Result<()> {
        self.require_whole()?;
        let row = self.intake.row(&order)?;
        let created = row.columns.get(1).copied().unwrap_or_default();
        let schema = &self.intake.schema;
        let partition = schema.calendar().partition(schema.partition(), created);
        let layout = &self.intake.layout;
        let pending = self.pending.entry(partition).or_insert_with(|| Pending::new(layout));
        pending.rows.push(row);
        pending.arrivals.push(self.pushed);
        self.pushed += 1;
        self.pending_orders += 1;
        self.spill_when_full()
    }

    /// Adds orders that come in columns.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a column does not fit: the load goes on without all of these orders.
    /// [`Error::Io`] where a run cannot be written.
    pub fn push_columns(&mut self, columns: Columns) -> Result<()> {
        self.require_whole()?;
        let mut rows = columns::resolve(columns, &mut self.intake, &mut self.known_paths)?;
        let layout = &self.intake.layout;
        let parts = partitions(&self.intake.schema, rows.column(layout, ColumnId::Created));
        let arrived = self.pushed;
        self.pushed += rows.len() as u64;
        self.pending_orders += rows.len();
        let single = parts.len() == 1;
        for (partition, members) in parts {
            let part = if single { std::mem::take(&mut rows) } else { rows.take(&members) };
            let pending = self.pending.entry(partition).or_insert_with(|| Pending::new(layout));
            pending.rows.append(part);
            pending.arrivals.extend(members.into_iter().map(|row| arrived + u64::from(row)));
        }
        self.spill_when_full()
    }

    /// How many orders were pushed so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.pushed
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pushed == 0
    }

    /// Makes the orders part of the store, durably and all at once. An order that the store had gets a new version.
    ///
    /// # Errors
    /// [`Error::Io`] where a file cannot be written, [`Error::Invalid`] where the time of [`known_at`](Self::known_at)
    /// cannot be read; the store is as it was then.
    pub fn finish(self) -> Result<LoadReport> {
        self.finish_with(|_| {})
    }

    /// As [`finish`](Self::finish), and says how far it has come.
    ///
    /// # Errors
    /// As for [`finish`](Self::finish).
    pub fn finish_with(mut self, mut progress: impl FnMut(Progress)) -> Result<LoadReport> {
        self.require_whole()?;
        let known = self.known.as_ref().map(|known| self.intake.time(known)).transpose()?;
        self.spill(None)?;
        let store = self.store.clone();
        let _exchange = hold(&store.inner.exchange);
        // Flushed when the load began; no commit came since, for they are refused meanwhile.
        let state = self.store.state();
        merge::drop_repeated(&mut self.runs, &mut self.hashes, &mut self.repeated)?;
        if !state.lives.is_empty() {
            self.hashes.sort_unstable();
        }
        let superseded: Vec<Vec<u32>> = state
            .lives
            .iter()
            .map(|live| merge::superseded(&self.runs, &self.hashes, live))
            .collect::<Result<_>>()?;
        let mut by_partition: BTreeMap<i32, Vec<Run>> = BTreeMap::new();
        for run in self.runs.drain(..) {
            by_partition.entry(run.partition).or_default().push(run);
        }
        let (total, partitions) = (by_partition.len() as u64, by_partition.len() as u64);
        let mut segments = Vec::new();
        let mut merged = Vec::new();
        for (done, (partition, runs)) in (0u64..).zip(by_partition) {
            progress(Progress { stage: "sealing", done, total });
            for runs in merge::groups(runs) {
                if let [run] = &runs[..]
                    && run.dropped.is_empty()
                {
                    segments.push(Arc::clone(&run.segment));
                    continue;
                }
                let rows = merge::merge(&runs, &self.intake.layout)?;
                merged.extend(runs.into_iter().map(|run| run.segment.name().to_owned()));
                // Every order of the partition may have come again in another one.
                let bytes = if rows.len() == 0 { Vec::new() } else { self.seal(vec![(partition, rows)])? };
                for (_, bytes) in bytes {
                    segments.push(self.written.segment("segments", partition, &bytes)?);
                }
            }
        }
        progress(Progress { stage: "sealing", done: total, total });
        let report = LoadReport {
            commit: state.commit + 1,
            superseded: superseded.iter().map(|rows| rows.len() as u64).sum(),
            orders: segments.iter().map(|segment| u64::from(segment.rows())).sum(),
            repeated: std::mem::take(&mut self.repeated),
            bytes: segments.iter().map(|segment| segment.bytes() as u64).sum(),
            partitions,
        };
        self.publish(&state, segments, superseded, known)?;
        self.store.remove(&merged);
        Ok(report)
    }

    fn publish(
        &mut self,
        state: &State,
        new: Vec<Arc<Segment>>,
        superseded: Vec<Vec<u32>>,
        known: Option<i64>,
    ) -> Result<()> {
        let _writer = hold(&self.store.inner.writer);
        let storage = self.store.inner.storage.as_ref();
        let mut manifest = (*state.manifest).clone();
        let commit = state.commit + 1;
        let counters = Condition::bind_counters(&self.intake.schema, &self.intake.forest)?;
        let mut lives = state.lives.clone();
        for (live, rows) in lives.iter_mut().zip(superseded) {
            let deaths = rows.into_iter().map(|row| Death { row, died: commit, removed: false });
            live.add_deaths(deaths.collect(), &counters)?;
        }
        lives.extend(new.into_iter().map(|segment| Live::new(segment, Stage::Sealed)));
        lives.sort_by_key(|live| live.segment.summary().partition);
        flush::write_nodes(storage, &self.intake.forest, &mut manifest.nodes)?;
        let mut next = State { commit, forest: self.intake.forest.clone(), lives, ..state.clone() };
        // Stamps never go back, whatever the machine's clock does.
        let known = known.unwrap_or_else(|| storage.now());
        let stamp = state.stamps.last().map_or(known, |last| last.max(known));
        next.stamps.push(stamp, &state.forest, &next.forest);
        let deaths = flush::write_deaths(&next.lives, &manifest, &mut self.written)?;
        flush::write_stamps(storage, &next.stamps, &mut manifest)?;
        storage.sync_folder()?;
        manifest.segments = flush::segment_files(&next.lives, &deaths);
        manifest.commit = commit;
        let replaced = self.store.publish(State { manifest: Arc::new(manifest), ..next })?;
        self.written.keep();
        self.store.remove(&replaced);
        Ok(())
    }

    fn spill_when_full(&mut self) -> Result<()> {
        if self.pending_orders < self.buffer { Ok(()) } else { self.spill(self.unfinished()) }
    }

    /// The partition that is held back when the buffer is full. Orders mostly come in the order of time: more of it are to come,
    /// and a partition that is sealed at once need not be merged.
    fn unfinished(&self) -> Option<i32> {
        let last = self.pending.iter().max_by_key(|(_, pending)| pending.arrivals.last());
        // At least half of the buffer gets free, or there would be no end to it.
        last.filter(|(_, pending)| pending.rows.len() <= self.buffer / 2).map(|(partition, _)| *partition)
    }

    /// Seals what is in memory into runs, but for one partition. Where that fails, orders are gone that were taken in:
    /// the load cannot go on.
    fn spill(&mut self, held: Option<i32>) -> Result<()> {
        let spilled = self.spill_pending(held);
        self.broken |= spilled.is_err();
        spilled
    }

    fn require_whole(&self) -> Result<()> {
        if self.broken {
            return Err(Error::invalid(
                "load",
                "an earlier write failed and lost orders of it; drop it and load anew",
            ));
        }
        Ok(())
    }

    fn spill_pending(&mut self, held: Option<i32>) -> Result<()> {
        self.drop_repeated();
        let mut parts = std::mem::take(&mut self.pending);
        if let Some((partition, pending)) = held.and_then(|held| parts.remove_entry(&held)) {
            self.pending.insert(partition, pending);
        }
        self.pending_orders = self.pending.values().map(|pending| pending.rows.len()).sum();
        // Every order of a part may have come again in another one.
        let parts: Vec<(i32, Rows)> = parts
            .into_iter()
            .map(|(partition, pending)| (partition, pending.rows))
            .filter(|(_, rows)| rows.len() > 0)
            .collect();
        self.hashes.extend(parts.iter().flat_map(|(_, rows)| &rows.ids).map(OrderId::hash64));
        for (partition, bytes) in self.seal(parts)? {
            let segment = self.written.segment("segments", partition, &bytes)?;
            self.runs.push(Run { partition, segment, dropped: HashSet::new() });
        }
        Ok(())
    }

    /// Drops the orders in memory whose id comes again later in memory.
    fn drop_repeated(&mut self) {
        if merge::are_different(self.pending.values().map(|pending| &pending.rows.ids[..])) {
            return;
        }
        let mut hashes: Vec<u64> =
            self.pending.values().flat_map(|pending| &pending.rows.ids).map(OrderId::hash64).collect();
        let twice = merge::twice(&mut hashes);
        if twice.is_empty() {
            return;
        }
        let mut last: HashMap<OrderId, (u64, i32, u32)> = HashMap::new();
        let mut dropped: BTreeMap<i32, HashSet<u32>> = BTreeMap::new();
        for (&partition, pending) in &self.pending {
            for (row, (id, &arrival)) in (0u32..).zip(pending.rows.ids.iter().zip(&pending.arrivals)) {
                if !twice.contains(&id.hash64()) {
                    continue;
                }
                let this = (arrival, partition, row);
                let (_, partition, row) = match last.get_mut(id) {
                    None => {
                        last.insert(id.clone(), this);
                        continue;
                    }
                    // The one that came earlier goes.
                    Some(other) if *other < this => std::mem::replace(other, this),
                    Some(_) => this,
                };
                dropped.entry(partition).or_default().insert(row);
            }
        }
        for (partition, dropped) in dropped {
            let Some(pending) = self.pending.get_mut(&partition) else { continue };
            let created = pending.rows.column(&self.intake.layout, ColumnId::Created);
            let report = |&row: &u32| Repeated {
                id: pending.rows.ids[row as usize].to_string(),
                created: created[row as usize],
            };
            self.repeated.extend(dropped.iter().map(report));
            let kept: Vec<u32> =
                (0u32..).take(pending.rows.len()).filter(|row| !dropped.contains(row)).collect();
            pending.rows.select(&kept);
            pending.arrivals = kept.iter().map(|row| pending.arrivals[*row as usize]).collect();
        }
    }

    /// Seals rows of several partitions, on the store's threads.
    fn seal(&self, parts: Vec<(i32, Rows)>) -> Result<Vec<(i32, Vec<u8>)>> {
        let schemas = self.store.state().manifest.schemas.len();
        let sealing = Sealing::new(&self.intake.schema, &self.intake.forest, schemas)?;
        let sealer = sealing.sealer();
        let seal = |(partition, rows)| (partition, sealer.seal(rows, partition));
        Ok(match parts.len() {
            0 | 1 => parts.into_iter().map(seal).collect(),
            _ => self.store.inner.threads.get()?.install(|| parts.into_par_iter().map(seal).collect()),
        })
    }
}

/// The rows of each partition, ascending. The calendar is asked once for a partition, and not for every order.
fn partitions(schema: &Schema, created: &[i64]) -> BTreeMap<i32, Vec<u32>> {
    let (calendar, grain) = (schema.calendar(), schema.partition());
    // By the first instant of a partition: its end, and its rows.
    let mut parts: BTreeMap<i64, (i64, Vec<u32>)> = BTreeMap::new();
    for (row, &time) in (0u32..).zip(created) {
        match parts.range_mut(..=time).next_back() {
            Some((_, (end, rows))) if time < *end => rows.push(row),
            _ => {
                let step = Grain::from(grain);
                let (start, end) = (calendar.start(&step, time), calendar.next(&step, time));
                parts.insert(start, (end, vec![row]));
            }
        }
    }
    parts.into_iter().map(|(start, (_, rows))| (calendar.partition(grain, start), rows)).collect()
}

impl Pending {
    fn new(layout: &Layout) -> Self {
        Self { rows: Rows::new(layout), arrivals: Vec::new() }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.store.inner.loading.store(false, Ordering::Release);
    }
}
