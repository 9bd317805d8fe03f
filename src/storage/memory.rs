//! Files in memory: for stores without a folder, and for tests.
//!
//! It keeps apart what is written from what is durable, so that `faults.rs` can say what a power cut leaves:
//! each file knows how much of it was synced, and the folder knows its changes since it was synced.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Bytes, Lock, Storage, Writer, disk, too_short};
use crate::{Error, Result};

/// A folder in memory. Clones share its files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(super) state: Arc<Mutex<State>>,
    /// How many bytes were read.
    pub(super) read: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) names: Names,
    /// The names when the folder was last synced, and every change since then.
    pub(super) durable: Names,
    pub(super) changes: Vec<Change>,
    locked: bool,
    /// The time, where a test has set it.
    pub(super) now: Option<i64>,
    /// How many operations succeed from now on, where a test has limited them.
    pub(super) operations: Option<u64>,
}

pub(super) type Names = BTreeMap<String, Arc<Mutex<File>>>;

/// A change of the folder, which happens as a whole: a rename has both parts.
#[derive(Debug)]
pub(super) struct Change {
    gone: Option<String>,
    put: Option<(String, Arc<Mutex<File>>)>,
}

#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) bytes: Arc<Vec<u8>>,
    /// How many of the bytes are durable.
    pub(super) durable: usize,
    /// The bytes behind those which were durable until they were cut off; the next sync forgets them.
    pub(super) cut: Vec<u8>,
}

impl Memory {
    /// A folder that holds these files, all durable.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let durable = |bytes: Vec<u8>| File { durable: bytes.len(), bytes: Arc::new(bytes), cut: Vec::new() };
        let names: Names =
            files.into_iter().map(|(name, bytes)| (name, Arc::new(Mutex::new(durable(bytes))))).collect();
        let state = State { durable: names.clone(), names, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), read: Arc::default() }
    }

    /// All files with their bytes, sorted by name.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let state = hold(&self.state);
        state.names.iter().map(|(name, file)| (name.clone(), hold(file).bytes.to_vec())).collect()
    }

    /// Stops the clock at a time.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn set_now(&self, now: i64) {
        hold(&self.state).now = Some(now);
    }

    /// Counts an operation; an error where a test has it fail.
    fn operate(&self, action: &'static str, name: &str) -> Result<MutexGuard<'_, State>> {
        let mut state = hold(&self.state);
        match &mut state.operations {
            Some(0) => Err(Error::io(action, name, io::Error::other("a simulated failure"))),
            Some(left) => {
                *left -= 1;
                Ok(state)
            }
            None => Ok(state),
        }
    }

    fn bytes(&self, action: &'static str, name: &str) -> Result<Arc<Vec<u8>>> {
        let state = self.operate(action, name)?;
        let file = state.find(action, name)?;
        let bytes = Arc::clone(&hold(&file).bytes);
        Ok(bytes)
    }

    fn writer(&self, name: &str, file: Arc<Mutex<File>>) -> Box<dyn Writer> {
        Box::new(MemoryWriter { memory: self.clone(), name: name.to_owned(), file })
    }
}

impl State {
    fn find(&self, action: &'static str, name: &str) -> Result<Arc<Mutex<File>>> {
        let missing = || Error::io(action, name, io::ErrorKind::NotFound.into());
        self.names.get(name).cloned().ok_or_else(missing)
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn create(&mut self, name: &str) -> Arc<Mutex<File>> {
        let file = Arc::<Mutex<File>>::default();
        self.change(Change { gone: None, put: Some((name.to_owned(), Arc::clone(&file))) });
        file
    }
}

impl Change {
    pub(super) fn apply(&self, names: &mut Names) {
        if let Some(name) = &self.gone {
            names.remove(name);
        }
        if let Some((name, file)) = &self.put {
            names.insert(name.clone(), Arc::clone(file));
        }
    }
}

impl File {
    fn truncate(&mut self, length: usize) {
        if length < self.durable {
            let cut = self.bytes.get(length..self.durable).unwrap_or_default().to_vec();
            self.cut.splice(0..0, cut);
            self.durable = length;
        }
        Arc::make_mut(&mut self.bytes).truncate(length);
    }
}

impl Storage for Memory {
    fn folder(&self) -> String {
        "memory".to_owned()
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.operate("list", "memory")?.names.keys().cloned().collect())
    }

    fn exists(&self, name: &str) -> Result<bool> {
        Ok(self.operate("look for", name)?.names.contains_key(name))
    }

    fn open(&self, name: &str) -> Result<Bytes> {
        Ok(Bytes::counted(self.bytes("open", name)?, Arc::clone(&self.read)))
    }

    fn read_from(&self, name: &str, offset: u64) -> Result<Bytes> {
        let bytes = self.bytes("read", name)?;
        // No copy of a whole file is made now: a writer makes one before it writes to bytes that are shared.
        let bytes = match usize::try_from(offset) {
            Ok(0) => bytes,
            offset => Arc::new(offset.ok().and_then(|at| bytes.get(at..)).unwrap_or_default().to_vec()),
        };
        Ok(Bytes::counted(bytes, Arc::clone(&self.read)))
    }

    fn create(&self, name: &str) -> Result<Box<dyn Writer>> {
        let file = self.operate("create", name)?.create(name);
        Ok(self.writer(name, file))
    }

    fn append(&self, name: &str, length: u64) -> Result<Box<dyn Writer>> {
        let mut state = self.operate("append to", name)?;
        let file = if length == 0 && !state.names.contains_key(name) {
            state.create(name)
        } else {
            state.find("append to", name)?
        };
        let found = hold(&file).bytes.len();
        match usize::try_from(length) {
            Ok(length) if length <= found => hold(&file).truncate(length),
            _ => return Err(too_short(name, found as u64, length)),
        }
        Ok(self.writer(name, file))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut state = self.operate("rename", from)?;
        let file = state.find("rename", from)?;
        state.change(Change { gone: Some(from.to_owned()), put: Some((to.to_owned(), file)) });
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let mut state = self.operate("remove", name)?;
        state.find("remove", name)?;
        state.change(Change { gone: Some(name.to_owned()), put: None });
        Ok(())
    }

    fn sync_folder(&self) -> Result<()> {
        let mut state = self.operate("sync", "memory")?;
        let State { names, durable, changes, .. } = &mut *state;
        durable.clone_from(names);
        changes.clear();
        Ok(())
    }

    fn lock(&self) -> Result<Box<dyn Lock>> {
        let mut state = self.operate("lock", "memory")?;
        if state.locked {
            return Err(Error::Locked { folder: self.folder() });
        }
        state.locked = true;
        Ok(Box::new(MemoryLock { state: Arc::clone(&self.state) }))
    }

    fn now(&self) -> i64 {
        hold(&self.state).now.unwrap_or_else(disk::now)
    }

    fn random(&self) -> u64 {
        disk::random()
    }
}

#[derive(Debug)]
struct MemoryWriter {
    memory: Memory,
    name: String,
    file: Arc<Mutex<File>>,
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _state = self.memory.operate("write", &self.name).map_err(io::Error::other)?;
        Arc::make_mut(&mut hold(&self.file).bytes).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writer for MemoryWriter {
    fn sync(&mut self) -> Result<()> {
        let _state = self.memory.operate("sync", &self.name)?;
        let mut file = hold(&self.file);
        file.durable = file.bytes.len();
        file.cut.clear();
        Ok(())
    }

    fn position(&self) -> u64 {
        hold(&self.file).bytes.len() as u64
    }
}

#[derive(Debug)]
struct MemoryLock {
    state: Arc<Mutex<State>>,
}

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        hold(&self.state).locked = false;
    }
}

/// Nothing here panics halfway through a change, so what a poisoned mutex guards is whole.
pub(super) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
