//! The write-ahead log: what commits write before they are visible, and what opening reads back.
//!
//! ```text
//! file    ┌───────────────────┬────────────────────┬──────────┬──────────────┬───────┬───────┬─
//!         │ magic "zonallog"  │ format version u32 │ salt u64 │ crc32 of the │ frame │ frame │ …
//!         │                   │                    │          │ header, u32  │       │       │
//!         └───────────────────┴────────────────────┴──────────┴──────────────┴───────┴───────┴─
//! frame   ┌──────────┬───────────────┬────────────┬─────────────┬──────────────┬─────────┐
//!         │ salt u64 │ crc32 of what │ length u32 │ commit u64  │ durable u64  │ payload │
//!         │          │ follows, u32  │ of payload │             │              │         │
//!         └──────────┴───────────────┴────────────┴─────────────┴──────────────┴─────────┘
//! ```
//!
//! *Durable* is how much of the file was known to be on disk when the frame was written. A frame that cannot be
//! read below the highest such offset is corruption; any other ends the log, because a power cut may lose any
//! part of what was not synced. The salt is random for each file, so that frames of an older file are never taken for
//! this one's; it has a checksum of its own, as without it every frame would look like a torn tail.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::io::Write as _;

use crate::cursor::Cursor;
use crate::error::{Corruption, Error, Result};
use crate::storage::{Storage, Writer};

const MAGIC: &[u8; 8] = b"zonallog";
const VERSION: u32 = 1;
const FILE_HEADER: usize = 24;
const FRAME_HEADER: usize = 32;

/// The log that commits are appended to.
pub(crate) struct Log {
    name: String,
    salt: u64,
    file: Box<dyn Writer>,
    durable: u64,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("name", &self.name)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

/// One commit as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) commit: u64,
    pub(crate) payload: Vec<u8>,
}

/// What a log file holds.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) frames: Vec<Frame>,
    /// Where the last whole frame ends; what lies behind was never acknowledged.
    pub(crate) end: u64,
    /// Bytes behind that end.
    pub(crate) dropped: u64,
    pub(crate) salt: u64,
}

impl Log {
    /// A new, empty log file, durable.
    pub(crate) fn create(storage: &dyn Storage, name: &str) -> Result<Self> {
        let salt = storage.random();
        let mut file = storage.create(name)?;
        let mut header = [&MAGIC[..], &VERSION.to_le_bytes(), &salt.to_le_bytes()].concat();
        header.extend(crc32fast::hash(&header).to_le_bytes());
        file.write_all(&header).map_err(|error| Error::io("write", name, error))?;
        file.sync()?;
        storage.sync_folder()?;
        let durable = file.position();
        Ok(Self { name: name.to_owned(), salt, file, durable })
    }

    /// Goes on after what a replay has read; what it dropped is cut off.
    pub(crate) fn resume(storage: &dyn Storage, name: &str, replay: &Replay) -> Result<Self> {
        let mut file = storage.append(name, replay.end)?;
        file.sync()?;
        let durable = file.position();
        Ok(Self { name: name.to_owned(), salt: replay.salt, file, durable })
    }

    /// Appends a commit; it is durable after [`sync`](Self::sync).
    pub(crate) fn append(&mut self, commit: u64, payload: &[u8]) -> Result<()> {
        let too_long = || Error::invalid("commit", "it has more than 4 GiB; split it, or load in bulk");
        let length = u32::try_from(payload.len()).map_err(|_| too_long())?;
        let mut covered = length.to_le_bytes().to_vec();
        covered.extend(commit.to_le_bytes());
        covered.extend(self.durable.to_le_bytes());
        covered.extend(payload);
        let mut frame = self.salt.to_le_bytes().to_vec();
        frame.extend(crc32fast::hash(&covered).to_le_bytes());
        frame.extend(covered);
        self.file.write_all(&frame).map_err(|error| Error::io("write", &self.name, error))
    }

    /// Hands everything appended to the operating system.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(|error| Error::io("write", &self.name, error))
    }

    /// Makes everything appended durable.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.file.sync()?;
        self.durable = self.file.position();
        Ok(())
    }
}

/// Reads a log file.
pub(crate) fn replay(name: &str, bytes: &[u8]) -> Result<Replay> {
    let damaged = |damage: Corruption| damage.within(name, "log", 0);
    let salt = read_header(bytes).map_err(damaged)?;
    let frames = bytes.get(FILE_HEADER..).unwrap_or_default();
    read_frames(name, frames, FILE_HEADER as u64, salt)
}

/// Reads what a log has got since a replay of it: `bytes` are those behind its end.
pub(crate) fn replay_more(name: &str, before: &Replay, bytes: &[u8]) -> Result<Replay> {
    read_frames(name, bytes, before.end, before.salt)
}

/// The salt of a log.
fn read_header(bytes: &[u8]) -> Result<u64, Corruption> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(MAGIC.len())? != MAGIC {
        return Err(Corruption::new(0, "it does not begin like a log"));
    }
    let version = cursor.u32()?;
    if version != VERSION {
        return Err(Corruption::new(8, format!("format version {version} is not known")));
    }
    let salt = cursor.u64()?;
    let computed = crc32fast::hash(bytes.get(..cursor.offset()).unwrap_or_default());
    // Under the fuzzer a checksum would only hide what lies behind it.
    if cursor.u32()? != computed && !cfg!(fuzzing) {
        return Err(Corruption::new(0, "the checksum of its header does not agree"));
    }
    debug_assert_eq!(cursor.offset(), FILE_HEADER, "magic, version, salt and checksum");
    Ok(salt)
}

/// Reads frames; the bytes begin at an offset of the file.
fn read_frames(name: &str, bytes: &[u8], start: u64, salt: u64) -> Result<Replay> {
    let mut frames = Vec::new();
    let (mut at, mut durable) = (0, 0);
    while let Some((frame, known, next)) = read_frame(bytes, at, salt) {
        frames.push(frame);
        durable = durable.max(known);
        at = next;
    }
    // A later frame may know that what cannot be read here was durable.
    let mut ahead = at;
    while let Some(found) = find_salt(bytes, ahead, salt) {
        durable = durable.max(read_frame(bytes, found, salt).map_or(0, |(_, known, _)| known));
        ahead = found.saturating_add(1);
    }
    let end = start.saturating_add(at as u64);
    if end < durable {
        let damage = Corruption::new(at, "a commit that was durable cannot be read");
        return Err(damage.within(name, "log", start).into());
    }
    Ok(Replay { frames, end, dropped: bytes.len().saturating_sub(at) as u64, salt })
}

/// The frame that begins at an offset, what it knows to be durable, and where it ends.
fn read_frame(bytes: &[u8], at: usize, salt: u64) -> Option<(Frame, u64, usize)> {
    let mut cursor = Cursor::new(bytes.get(at..)?);
    if cursor.u64().ok()? != salt {
        return None;
    }
    let crc = cursor.u32().ok()?;
    let covered = cursor.rest();
    let length = cursor.u32().ok()? as usize;
    let (commit, durable) = (cursor.u64().ok()?, cursor.u64().ok()?);
    debug_assert_eq!(cursor.offset(), FRAME_HEADER, "salt, checksum, length, commit and durable");
    let payload = cursor.take(length).ok()?;
    let end = cursor.offset();
    // Salt and checksum are not covered.
    let covered = covered.get(..end.checked_sub(12)?)?;
    let whole = crc32fast::hash(covered) == crc || cfg!(fuzzing);
    whole.then(|| (Frame { commit, payload: payload.to_vec() }, durable, at.saturating_add(end)))
}

fn find_salt(bytes: &[u8], from: usize, salt: u64) -> Option<usize> {
    let pattern = salt.to_le_bytes();
    let found = bytes.get(from..)?.windows(pattern.len()).position(|window| window == pattern)?;
    from.checked_add(found)
}

#[cfg(test)]
mod tests;
