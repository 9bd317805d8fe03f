//! The writer: commits into the log, then into what snapshots see; and the log back into a state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Corruption, Error, Result};
use crate::log::{self, Log, Replay};
use crate::storage::Storage;

use super::apply::apply;
use super::commit::{Changes, Durability};
use super::intake::time;
use super::{State, Store};

/// What only one thread has at a time.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Made with the first commit after a flush has begun.
    pub(super) log: Option<Log>,
    /// Bytes at the end of the log that opening has dropped.
    pub(super) dropped: u64,
}

/// A commit that waits for the writer, and then has its result.
#[derive(Debug)]
pub(super) struct Waiting {
    changes: Changes,
    durability: Durability,
    done: Mutex<Option<Result<u64>>>,
}

pub(super) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Makes a commit. Whoever gets the writer first makes all that wait, with one sync.
    pub(super) fn commit(&self, changes: Changes, durability: Durability) -> Result<u64> {
        self.require_kept()?;
        let own = Arc::new(Waiting { changes, durability, done: Mutex::new(None) });
        hold(&self.inner.waiting).push(Arc::clone(&own));
        let mut writer = hold(&self.inner.writer);
        if let Some(done) = hold(&own.done).take() {
            return done;
        }
        let waiting = std::mem::take(&mut *hold(&self.inner.waiting));
        self.write(&mut writer, &waiting);
        hold(&own.done).take().unwrap_or_else(|| Err(self.latched()))
    }

    pub(super) fn latched(&self) -> Error {
        Error::Latched { folder: self.inner.storage.folder() }
    }

    fn write(&self, writer: &mut Writer, waiting: &[Arc<Waiting>]) {
        let mut state = self.state();
        let mut written = Vec::new();
        for commit in waiting {
            match self.write_one(writer, &mut state, commit) {
                Ok(number) => written.push((commit, number)),
                Err(error) => *hold(&commit.done) = Some(Err(error)),
            }
        }
        let sync = written.iter().any(|(commit, _)| commit.durability == Durability::Sync);
        // Buffered commits outlast the process, so they are at least handed to the operating system.
        let kept = match &mut writer.log {
            Some(log) if sync => log.sync(),
            Some(log) if !written.is_empty() => log.flush(),
            _ => Ok(()),
        };
        if let Err(error) = kept {
            self.latch();
            let mut first = Some(error);
            for (commit, _) in written {
                *hold(&commit.done) = Some(Err(first.take().unwrap_or_else(|| self.latched())));
            }
            return;
        }
        self.show(state);
        self.keeper.ring();
        for (commit, number) in written {
            *hold(&commit.done) = Some(Ok(number));
        }
    }

    /// Applies a commit to the state and appends it to the log.
    fn write_one(&self, writer: &mut Writer, state: &mut Arc<State>, commit: &Waiting) -> Result<u64> {
        self.require_writable()?;
        if self.inner.loading.load(std::sync::atomic::Ordering::Acquire) {
            return Err(Error::invalid("commit", "a bulk load is going on; commit when it is finished"));
        }
        let storage = self.inner.storage.as_ref();
        let number = state.commit + 1;
        let stamp = stamp(state, &commit.changes, storage.now())?;
        let mut next = apply(state, number, stamp, &commit.changes)?;
        let stamped = Changes { known: Some(stamp.into()), ..commit.changes.clone() };
        let payload =
            serde_json::to_vec(&stamped).map_err(|error| Error::invalid("commit", error.to_string()))?;
        let logged = self.log(writer, &mut next).and_then(|log| log.append(number, &payload));
        logged.inspect_err(|_| self.latch())?;
        *state = Arc::new(next);
        Ok(number)
    }

    /// The log, made and published where there is none.
    fn log<'a>(&self, writer: &'a mut Writer, state: &mut State) -> Result<&'a mut Log> {
        let storage = self.inner.storage.as_ref();
        if writer.log.is_none() {
            let name = format!("log/{:06}.log", self.file_number());
            let log = Log::create(storage, &name)?;
            let manifest = Arc::make_mut(&mut state.manifest);
            manifest.logs.push(name);
            manifest.next_file = self.inner.next_file.load(std::sync::atomic::Ordering::Acquire);
            manifest.publish(storage)?;
            writer.log = Some(log);
        }
        writer.log.as_mut().ok_or_else(|| self.latched())
    }
}

/// When a commit is known: as it says, or now; never before the commits that were made already.
fn stamp(state: &State, changes: &Changes, now: i64) -> Result<i64> {
    let known = changes.known.as_ref().map_or(Ok(now), |known| time(&state.schema, known))?;
    Ok(state.stamps.last().map_or(known, |last| known.max(last)))
}

/// Applies the commits of the logs that the files do not hold.
pub(super) fn replay(storage: &dyn Storage, state: State) -> Result<(State, Writer)> {
    let (state, last) = replay_logs(storage, state)?;
    let Some(name) = state.manifest.logs.last() else { return Ok((state, Writer::default())) };
    let writer = match last {
        Some(last) => Writer { log: Some(Log::resume(storage, name, &last)?), dropped: last.dropped },
        None => Writer::default(),
    };
    Ok((state, writer))
}

/// As [`replay`], without writing anything; gives how far the last log goes.
pub(super) fn replay_logs(storage: &dyn Storage, mut state: State) -> Result<(State, Option<Replay>)> {
    let mut read: Option<(String, Replay)> = None;
    for name in state.manifest.logs.clone() {
        if let Some((name, before)) = read.filter(|(_, before)| before.dropped > 0) {
            // It was synced before the next one was begun.
            let damage = Corruption::new(0, "a commit that was durable cannot be read");
            return Err(damage.within(&name, "log", before.end).into());
        }
        let bytes = storage.read(&name)?;
        let replayed = log::replay(&name, bytes.slice(0..bytes.len()).unwrap_or(&[]))?;
        state = replay_frames(&name, &replayed.frames, state)?;
        read = Some((name, Replay { frames: Vec::new(), ..replayed }));
    }
    Ok((state, read.map(|(_, last)| last)))
}

pub(super) fn replay_frames(name: &str, frames: &[log::Frame], mut state: State) -> Result<State> {
    for frame in frames {
        if frame.commit <= state.commit {
            continue;
        }
        let damage = |reason: String| {
            let reason = format!("commit {}: {reason}", frame.commit);
            Error::from(Corruption::new(0, reason).within(name, "log", 0))
        };
        if frame.commit != state.commit + 1 {
            return Err(damage(format!("it follows commit {}", state.commit)));
        }
        let changes: Changes =
            serde_json::from_slice(&frame.payload).map_err(|error| damage(error.to_string()))?;
        let stamp = stamp(&state, &changes, 0)?;
        state = apply(&state, frame.commit, stamp, &changes).map_err(|error| damage(error.to_string()))?;
    }
    Ok(state)
}
