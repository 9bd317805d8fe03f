//! The store: a folder of sealed segments, node logs and a manifest, and who may read and write it.

mod apply;
mod backup;
mod columns;
mod commit;
mod compact;
mod describe;
mod flush;
mod growth;
mod history;
mod index;
mod intake;
mod ledger;
mod live;
mod load;
pub(crate) mod manifest;
mod merge;
mod paths;
mod read;
mod reader;
mod sealing;
mod snapshot;
pub(crate) mod stamps;
#[cfg(feature = "import")]
mod standing;
mod threads;
mod upkeep;
mod verify;
mod write;
mod written;

pub use columns::Columns;
pub use commit::{Commit, Durability};
pub use describe::{Description, PartitionDescription, TreeDescription};
pub use history::{Change, Version};

pub(crate) use ledger::{Block, Page};
pub(crate) use live::{FEW_DEAD, Live, Stage, bounds};
pub use load::{Load, LoadReport, Repeated};
pub use paths::Paths;
pub use snapshot::Snapshot;
#[cfg(feature = "import")]
pub(crate) use standing::{Standing, Standings};
pub use upkeep::Upkeep;
pub use verify::Verified;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;

use crate::error::{Corruption, Error, Result};
use crate::filter::Condition;
use crate::order_id::OrderId;
use crate::schema::Schema;
use crate::segment::{Deaths, Segment};
use crate::storage::{Disk, Lock, Memory, Storage};
use crate::tree::{Forest, Tree};
use index::Index;
use ledger::Ledger;
use manifest::{MANIFEST, Manifest, NodeLog, SegmentFile};
use reader::Reader;
use stamps::Stamps;
use threads::Threads;
use upkeep::Keeper;
use write::{Waiting, Writer};

/// A city's work orders in a folder.
///
/// A store has one writer: opening takes a lock on the folder, and a second opening, in this process or another,
/// is [`Error::Locked`]. Any number [read](Self::open_read_only) beside it. Clones share the store; it is closed when the
/// last of them and of its loads is dropped. Everything asked is asked of a [`Snapshot`].
#[derive(Debug, Clone)]
pub struct Store {
    /// Dropped before `inner`: the thread that it may have uses that.
    keeper: Arc<Keeper>,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    storage: Arc<dyn Storage>,
    current: RwLock<Arc<State>>,
    writer: Mutex<Writer>,
    /// Held by whoever is about to exchange files: a flush, a compaction, the end of a load. Taken before the writer.
    exchange: Mutex<()>,
    /// The number of the next file.
    next_file: AtomicU64,
    /// Commits that wait for the writer.
    waiting: Mutex<Vec<Arc<Waiting>>>,
    loading: AtomicBool,
    /// Why upkeep has failed, until somebody is told.
    upkeep_failed: Mutex<Option<Error>>,
    /// Set when a file may be in a state that nobody knows; from then on the store is read only.
    failed: AtomicBool,
    threads: Arc<Threads>,
    /// Of a store that is open for reading only.
    reader: Option<Mutex<Reader>>,
    /// Of one that is open for writing.
    _lock: Option<Box<dyn Lock>>,
}

/// What a snapshot sees. Each commit makes one from the last, and shares with it what it does not change.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// What the files hold.
    pub(crate) manifest: Arc<Manifest>,
    /// The last commit; those that the manifest's files do not hold are in the log, and in batches.
    pub(crate) commit: u64,
    pub(crate) stamps: Stamps,
    pub(crate) schema: Arc<Schema>,
    pub(crate) forest: Forest,
    /// Sealed segments by partition and age, and batches behind them.
    pub(crate) lives: Vec<Live>,
    /// History segments by partition and age. Only questions about the past read them.
    pub(crate) histories: Vec<Arc<Segment>>,
    pub(crate) ledger: Ledger,
    pub(crate) index: Index,
}

/// How far a long call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done: `sealing`, `verifying`, …
    pub stage: &'static str,
    /// How much of it is done, in the stage's own unit.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

impl Store {
    /// Makes a new store in `folder`, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::AlreadyAStore`] where the folder holds one, [`Error::Locked`] where another process is about
    /// to make one, [`Error::Io`] where the folder cannot be written.
    pub fn create(folder: impl AsRef<Path>, schema: Schema) -> Result<Self> {
        Self::create_on(Arc::new(Disk::new(folder.as_ref())), schema)
    }

    /// Makes a store that lives in memory and ends with its last handle; for tests and small things.
    ///
    /// # Errors
    /// None that the caller could cause.
    pub fn in_memory(schema: Schema) -> Result<Self> {
        Self::create_on(Arc::new(Memory::default()), schema)
    }

    /// Opens the store in `folder` with the schema it was made with.
    ///
    /// # Errors
    /// [`Error::NotAStore`], [`Error::Locked`], [`Error::UnsupportedVersion`], [`Error::Corrupt`] or
    /// [`Error::Io`], as their texts say.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_on(Arc::new(Disk::new(folder.as_ref())))
    }

    /// Opens the store in `folder` with a schema that is the store's, or adds to it. What it adds becomes the store's in one
    /// commit: fields and counters of any kind, labels at the end of an outcome's list, levels at the bottom of a tree; the
    /// order of the fields does not matter. Orders lack a new field until they are written anew; a new counter counts all orders.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and [`Error::SchemaDiffers`] with all that the schema changes or lacks.
    pub fn open_with(folder: impl AsRef<Path>, schema: &Schema) -> Result<Self> {
        Self::open_with_on(Arc::new(Disk::new(folder.as_ref())), schema)
    }

    pub(crate) fn open_with_on(storage: Arc<dyn Storage>, schema: &Schema) -> Result<Self> {
        let store = Self::open_on(storage)?;
        store.grow(schema)?;
        Ok(store)
    }

    pub(crate) fn create_on(storage: Arc<dyn Storage>, schema: Schema) -> Result<Self> {
        let already = || Error::AlreadyAStore { folder: storage.folder() };
        if storage.exists(MANIFEST)? {
            return Err(already());
        }
        let lock = storage.lock()?;
        if storage.exists(MANIFEST)? {
            return Err(already());
        }
        let forest = Forest::build(&schema, |_, name, levels| Ok(Tree::new(name, levels)))?;
        let manifest = Manifest::new(schema.clone());
        manifest.publish(storage.as_ref())?;
        let stamps = Stamps::default();
        let (lives, histories) = (Vec::new(), Vec::new());
        let state = State {
            manifest: Arc::new(manifest),
            commit: 0,
            stamps,
            schema: Arc::new(schema),
            forest,
            lives,
            histories,
            ledger: Ledger::default(),
            index: Index::default(),
        };
        Ok(Self::with(storage, state, Writer::default(), Some(lock), None))
    }

    pub(crate) fn open_on(storage: Arc<dyn Storage>) -> Result<Self> {
        if !storage.exists(MANIFEST)? {
            return Err(Error::NotAStore { folder: storage.folder() });
        }
        let lock = storage.lock()?;
        let sealed = State::open(storage.as_ref())?;
        sealed.remove_orphans(storage.as_ref())?;
        let (state, writer) = write::replay(storage.as_ref(), sealed)?;
        Ok(Self::with(storage, state, writer, Some(lock), None))
    }

    fn with(
        storage: Arc<dyn Storage>,
        state: State,
        writer: Writer,
        lock: Option<Box<dyn Lock>>,
        reader: Option<Reader>,
    ) -> Self {
        Self {
            keeper: Arc::default(),
            inner: Arc::new(Inner {
                storage,
                next_file: AtomicU64::new(state.manifest.next_file),
                current: RwLock::new(Arc::new(state)),
                writer: Mutex::new(writer),
                exchange: Mutex::default(),
                waiting: Mutex::default(),
                loading: AtomicBool::new(false),
                upkeep_failed: Mutex::default(),
                failed: AtomicBool::new(false),
                threads: Arc::default(),
                reader: reader.map(Mutex::new),
                _lock: lock,
            }),
        }
    }

    /// The store's schema.
    #[must_use]
    pub fn schema(&self) -> Schema {
        (*self.state().schema).clone()
    }

    /// Bytes at the end of the log that opening found torn and dropped: commits that were never acknowledged as
    /// durable, cut short by a crash. 0 in the ordinary case.
    #[must_use]
    pub fn dropped_bytes(&self) -> u64 {
        write::hold(&self.inner.writer).dropped
    }

    /// What the store holds now. Later commits do not change it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_of(self.state())
    }

    /// Starts a commit: changes of orders that become durable and visible together.
    pub fn begin(&self) -> Commit {
        Commit::new(self.clone())
    }

    /// Starts a bulk load. There is one at a time, and while it goes on commits are refused.
    ///
    /// # Errors
    /// [`Error::Invalid`] while another load is going on, [`Error::Latched`] after a failed write.
    pub fn load(&self) -> Result<Load> {
        self.require_kept()?;
        if self.inner.loading.swap(true, Ordering::AcqRel) {
            return Err(Error::invalid("load", "another load is going on; finish or drop it first"));
        }
        // From here on the load resets the flag when it ends, however it ends.
        let load = Load::new(self.clone());
        self.flush()?;
        Ok(load.begin())
    }

    /// Reads every byte of the store and checks it, and says how far it has come.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the first damage found, [`Error::Io`] where a file cannot be read, [`Error::Latched`]
    /// after a failed write, for then nobody knows what the files should hold.
    pub fn verify(&self, progress: impl FnMut(Progress)) -> Result<Verified> {
        let storage = self.inner.storage.as_ref();
        let opened = if self.inner.reader.is_some() {
            reader::settled(storage, || verify::open(storage, None))?
        } else {
            // Nothing is published and no frame half written while the files are opened; once open, they may be replaced.
            let _writer = write::hold(&self.inner.writer);
            self.require_writable()?;
            verify::open(storage, Some(&self.state()))?
        };
        verify::verify(opened, progress)
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.inner.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn snapshot_of(&self, state: Arc<State>) -> Snapshot {
        Snapshot::new(state, Arc::clone(&self.inner.threads))
    }

    fn require_writable(&self) -> Result<()> {
        if self.inner.reader.is_some() {
            return Err(Error::ReadOnly { folder: self.inner.storage.folder() });
        }
        if self.inner.failed.load(Ordering::Acquire) {
            return Err(Error::Latched { folder: self.inner.storage.folder() });
        }
        Ok(())
    }

    /// Makes `state` what snapshots see from now on.
    fn show(&self, state: Arc<State>) {
        *self.inner.current.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Makes the manifest of `state` the store's, and shows the state. Called by the writer only. Gives the files that
    /// no manifest names any more.
    fn publish(&self, mut state: State) -> Result<Vec<String>> {
        Arc::make_mut(&mut state.manifest).next_file = self.inner.next_file.load(Ordering::Acquire);
        state.manifest.publish(self.inner.storage.as_ref()).inspect_err(|_| {
            // Whether the rename will outlast a power cut is not known: only reopening tells.
            self.latch();
        })?;
        let before = self.state();
        let named = state.manifest.files();
        let gone = before.manifest.files().into_iter().filter(|file| !named.contains(file));
        let gone = gone.map(str::to_owned).collect();
        self.show(Arc::new(state));
        Ok(gone)
    }

    /// From now on the store is read only: a file may be in a state that nobody knows.
    fn latch(&self) {
        self.inner.failed.store(true, Ordering::Release);
    }

    /// A number that no file has had.
    fn file_number(&self) -> u64 {
        self.inner.next_file.fetch_add(1, Ordering::AcqRel)
    }
}

/// The file that holds the stamps of the commits.
const STAMPS: &str = "COMMITS";

/// The file that holds a tree's nodes.
fn node_file(tree: &str) -> String {
    format!("nodes/{tree}.log")
}

impl State {
    /// What the files of the manifest hold.
    pub(crate) fn open(storage: &dyn Storage) -> Result<Self> {
        Self::open_after(storage, None)
    }

    /// As [`open`](Self::open); what an earlier state of the same store has read already is not read again.
    fn open_after(storage: &dyn Storage, before: Option<&Self>) -> Result<Self> {
        let manifest = Manifest::read(storage)?;
        let missing = || Corruption::new(0, "it has no schema").within(MANIFEST, "manifest", 0);
        let schema = Arc::new(manifest.schemas.last().ok_or_else(missing)?.clone());
        let forest = Self::open_nodes(storage, &manifest, &schema, before)?;
        let stamps = match (before, usize::try_from(manifest.stamps)) {
            (Some(before), _) if before.manifest.stamps == manifest.stamps => before.stamps.clone(),
            (_, Ok(0) | Err(_)) => Stamps::default(),
            (_, Ok(length)) => {
                let bytes = storage.read(STAMPS)?;
                let committed = bytes.slice(0..length).unwrap_or(&[]);
                Stamps::decode(committed).map_err(|damage| damage.within(STAMPS, "stamps", 0))?
            }
        };
        if stamps.len() as u64 != manifest.commit {
            let reason = format!("it has {} stamps for {} commits", stamps.len(), manifest.commit);
            return Err(Corruption::new(0, reason).within(STAMPS, "stamps", 0).into());
        }
        let counters = Condition::bind_counters(&schema, &forest)?;
        let known: HashMap<&str, &Arc<Segment>> = before
            .iter()
            .flat_map(|before| before.lives.iter().map(|live| &live.segment).chain(&before.histories))
            .map(|segment| (segment.name(), segment))
            .collect();
        let segment = |name: &str| open_segment(storage, &manifest, name, known.get(name).copied());
        let live = |file: &SegmentFile| open_live(storage, file, segment(&file.name)?, &counters);
        let lives = manifest.segments.iter().map(live).collect::<Result<_>>()?;
        let histories = manifest.history.iter().map(|name| segment(name)).collect::<Result<_>>()?;
        let (ledger, index) = (Ledger::default(), Index::default());
        let (commit, manifest) = (manifest.commit, Arc::new(manifest));
        Ok(Self { manifest, commit, stamps, schema, forest, lives, histories, ledger, index })
    }

    /// The trees as the node logs have them.
    fn open_nodes(
        storage: &dyn Storage,
        manifest: &Manifest,
        schema: &Schema,
        before: Option<&Self>,
    ) -> Result<Forest> {
        Forest::build(schema, |log, name, levels| {
            let Some(committed) = manifest.nodes.get(&log) else { return Ok(Tree::new(name, levels)) };
            let known = before.and_then(|before| {
                let read = *before.manifest.nodes.get(&log)?;
                Some((before.forest.all().find(|(known, _)| *known == log)?.1, read.bytes))
            });
            let (tree, read) = match known {
                Some((tree, read)) => (tree.clone().with_levels(levels), read),
                None => (Tree::new(name, levels), 0),
            };
            read_nodes(storage, &node_file(&log), *committed, tree, read)
        })
    }

    /// Where the latest version of an order lies.
    pub(crate) fn locate(&self, id: &OrderId) -> Result<Option<(usize, u32)>> {
        for (number, live) in self.lives.iter().enumerate().rev() {
            if let Some(row) = live.find(id)? {
                return Ok(Some((number, row)));
            }
        }
        Ok(None)
    }

    /// Removes the files that an interrupted load, flush or compaction has left. Called by the writer only.
    fn remove_orphans(&self, storage: &dyn Storage) -> Result<()> {
        let files = self.manifest.files();
        let known = |name: &String| {
            files.contains(name.as_str()) || self.manifest.nodes.keys().any(|tree| node_file(tree) == *name)
        };
        let ours = |name: &String| {
            ["segments/", "history/", "nodes/", "log/"].iter().any(|folder| name.starts_with(folder))
                || name == manifest::NEXT_MANIFEST
        };
        storage
            .list()?
            .iter()
            .filter(|name| ours(name) && !known(name))
            .try_for_each(|name| storage.remove(name))
    }
}

/// Opens a segment, unless it is open already.
fn open_segment(
    storage: &dyn Storage,
    manifest: &Manifest,
    name: &str,
    known: Option<&Arc<Segment>>,
) -> Result<Arc<Segment>> {
    let segment = match known {
        Some(known) => Arc::clone(known),
        None => Arc::new(Segment::open(name, storage.open(name)?)?),
    };
    if segment.summary().schema as usize >= manifest.schemas.len() {
        let reason = format!("it names schema {}, which the manifest lacks", segment.summary().schema);
        return Err(Corruption::new(0, reason).within(name, "summary", 0).into());
    }
    Ok(segment)
}

/// Opens the deaths of a segment.
fn open_live(
    storage: &dyn Storage,
    file: &SegmentFile,
    segment: Arc<Segment>,
    counters: &[Condition],
) -> Result<Live> {
    let rows = segment.rows();
    let mut live = Live::new(segment, Stage::Sealed);
    if let Some(name) = &file.deaths {
        let bytes = storage.open(name)?;
        let deaths = Deaths::decode(bytes.slice(0..bytes.len()).unwrap_or(&[]), rows);
        live.add_deaths(deaths.map_err(|damage| damage.within(name, "deaths", 0))?, counters)?;
    }
    Ok(live)
}

/// Reads the committed part of a node log behind the bytes that the tree has already.
fn read_nodes(storage: &dyn Storage, file: &str, committed: NodeLog, tree: Tree, read: u64) -> Result<Tree> {
    let new = committed.bytes.saturating_sub(read);
    let tree = if new == 0 {
        tree
    } else {
        let bytes = storage.read_from(file, read)?;
        let whole = usize::try_from(new).ok().and_then(|new| bytes.slice(0..new));
        let whole = whole.ok_or_else(|| {
            let found = read.saturating_add(bytes.len() as u64);
            let reason = format!("it has {found} bytes, {} are committed", committed.bytes);
            Corruption::new(bytes.len(), reason).within(file, "end", read)
        })?;
        let replayed = match read {
            0 => crate::tree::log::replay(tree.name(), tree.levels().to_vec(), whole),
            _ => crate::tree::log::replay_more(tree, whole),
        };
        replayed.map_err(|damage| damage.within(file, "node log", read))?
    };
    if tree.len() as u64 != committed.nodes {
        let reason = format!("it has {} nodes, {} are committed", tree.len(), committed.nodes);
        return Err(Corruption::new(0, reason).within(file, "node log", 0).into());
    }
    Ok(tree)
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;
