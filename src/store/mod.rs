//! The store: a folder of sealed segments, node logs and a manifest, and who may read and write it.

mod columns;
mod describe;
mod intake;
mod load;
pub(crate) mod manifest;
mod merge;
mod read;
mod snapshot;
mod verify;

pub use columns::Columns;
pub use describe::{Description, PartitionDescription, TreeDescription};
pub use load::{Load, LoadReport, Repeated};
pub use snapshot::Snapshot;
pub use verify::Verified;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;

use crate::error::{Corruption, Error, Result};
use crate::schema::Schema;
use crate::segment::Segment;
use crate::storage::{Disk, Lock, Memory, Storage};
use crate::tree::{Forest, Tree};
use manifest::{MANIFEST, Manifest};

/// A city's work orders in a folder.
///
/// A store has one writer: opening takes a lock on the folder, and a second opening, in this process or another,
/// is [`Error::Locked`]. Clones share the store; it is closed when the last of them and of its loads is
/// dropped. Everything asked is asked of a [`Snapshot`].
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    storage: Arc<dyn Storage>,
    current: RwLock<Arc<State>>,
    loading: AtomicBool,
    /// Set when a file may be in a state that nobody knows; from then on the store is read only.
    failed: AtomicBool,
    pool: OnceLock<ThreadPool>,
    _lock: Box<dyn Lock>,
}

/// What a snapshot sees: the files of a manifest, open.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) manifest: Manifest,
    pub(crate) schema: Schema,
    pub(crate) forest: Forest,
    pub(crate) segments: Vec<Arc<Segment>>,
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

    /// Opens the store in `folder`, which has to have this schema.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and [`Error::SchemaDiffers`] naming the first difference.
    pub fn open_with(folder: impl AsRef<Path>, schema: &Schema) -> Result<Self> {
        let store = Self::open(folder)?;
        store.state().schema.require_same(schema)?;
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
        let manifest = Manifest {
            commit: 0,
            committed: storage.now(),
            next_file: 1,
            schemas: vec![schema.clone()],
            nodes: std::collections::BTreeMap::new(),
            segments: Vec::new(),
        };
        manifest.publish(storage.as_ref())?;
        Ok(Self::with(storage, lock, State { manifest, schema, forest, segments: Vec::new() }))
    }

    pub(crate) fn open_on(storage: Arc<dyn Storage>) -> Result<Self> {
        if !storage.exists(MANIFEST)? {
            return Err(Error::NotAStore { folder: storage.folder() });
        }
        let lock = storage.lock()?;
        let state = State::open(storage.as_ref())?;
        state.remove_orphans(storage.as_ref())?;
        Ok(Self::with(storage, lock, state))
    }

    fn with(storage: Arc<dyn Storage>, lock: Box<dyn Lock>, state: State) -> Self {
        Self {
            inner: Arc::new(Inner {
                storage,
                current: RwLock::new(Arc::new(state)),
                loading: AtomicBool::new(false),
                failed: AtomicBool::new(false),
                pool: OnceLock::new(),
                _lock: lock,
            }),
        }
    }

    /// The store's schema.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.state().schema.clone()
    }

    /// What the store holds now. Later commits do not change it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.state())
    }

    /// Starts a bulk load. There is one at a time.
    ///
    /// # Errors
    /// [`Error::Invalid`] while another load is going on, [`Error::Latched`] after a failed write.
    pub fn load(&self) -> Result<Load> {
        if self.inner.failed.load(Ordering::Acquire) {
            return Err(Error::Latched { folder: self.inner.storage.folder() });
        }
        if self.inner.loading.swap(true, Ordering::AcqRel) {
            return Err(Error::invalid("load", "another load is going on; finish or drop it first"));
        }
        Ok(Load::new(self.clone()))
    }

    /// Reads every byte of the store and checks it, and says how far it has come.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with the first damage found, [`Error::Io`] where a file cannot be read.
    pub fn verify(&self, progress: impl FnMut(Progress)) -> Result<Verified> {
        verify::verify(self.inner.storage.as_ref(), &self.state(), progress)
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.inner.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes `state` what snapshots see from now on.
    fn publish(&self, state: State) -> Result<()> {
        if let Err(error) = state.manifest.publish(self.inner.storage.as_ref()) {
            // Whether the rename will outlast a power cut is not known: only reopening tells.
            self.inner.failed.store(true, Ordering::Release);
            return Err(error);
        }
        *self.inner.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    /// The store's own threads, started when they are first needed.
    fn pool(&self) -> Result<&ThreadPool> {
        if let Some(pool) = self.inner.pool.get() {
            return Ok(pool);
        }
        let pool = ThreadPoolBuilder::new()
            .thread_name(|number| format!("zonal-{number}"))
            .build()
            .map_err(|error| Error::io("start", "threads", std::io::Error::other(error)))?;
        Ok(self.inner.pool.get_or_init(|| pool))
    }
}

/// The file that holds a tree's nodes.
fn node_file(tree: &str) -> String {
    format!("nodes/{tree}.log")
}

impl State {
    pub(crate) fn open(storage: &dyn Storage) -> Result<Self> {
        let bytes = storage.read(MANIFEST)?;
        let manifest = Manifest::decode(bytes.slice(0..bytes.len()).unwrap_or(&[]))?;
        let missing = || Corruption::new(0, "it has no schema").within(MANIFEST, "manifest", 0);
        let schema = manifest.schemas.last().ok_or_else(missing)?.clone();
        let forest = Forest::build(&schema, |log, name, levels| {
            let Some(&length) = manifest.nodes.get(&log) else { return Ok(Tree::new(name, levels)) };
            read_nodes(storage, &node_file(&log), length, name, levels)
        })?;
        let segments = manifest
            .segments
            .iter()
            .map(|name| {
                let segment = Segment::open(name, storage.open(name)?)?;
                if segment.summary().schema as usize >= manifest.schemas.len() {
                    let reason =
                        format!("it names schema {}, which the manifest lacks", segment.summary().schema);
                    return Err(Corruption::new(0, reason).within(name, "summary", 0).into());
                }
                Ok(Arc::new(segment))
            })
            .collect::<Result<_>>()?;
        Ok(Self { manifest, schema, forest, segments })
    }

    /// Removes the files that an interrupted load has left. Called by the writer only.
    fn remove_orphans(&self, storage: &dyn Storage) -> Result<()> {
        let known = |name: &String| {
            name == MANIFEST
                || self.manifest.segments.contains(name)
                || self.manifest.nodes.keys().any(|tree| node_file(tree) == *name)
        };
        let ours = |name: &String| {
            name.starts_with("segments/") || name.starts_with("nodes/") || name == manifest::NEXT_MANIFEST
        };
        storage
            .list()?
            .iter()
            .filter(|name| ours(name) && !known(name))
            .try_for_each(|name| storage.remove(name))
    }
}

/// Reads the committed part of a node log.
fn read_nodes(
    storage: &dyn Storage,
    file: &str,
    length: u64,
    name: &str,
    levels: Vec<String>,
) -> Result<Tree> {
    let bytes = storage.read(file)?;
    let committed = usize::try_from(length).ok().and_then(|length| bytes.slice(0..length));
    let committed = committed.ok_or_else(|| {
        let reason = format!("it has {} bytes, {length} are committed", bytes.len());
        Corruption::new(bytes.len(), reason).within(file, "end", 0)
    })?;
    Ok(crate::tree::log::replay(name, levels, committed)
        .map_err(|damage| damage.within(file, "node log", 0))?)
}

#[cfg(test)]
mod tests;
