//! Reading everything and checking it.

use serde::Serialize;

use crate::error::{Corruption, Result};
use crate::storage::Storage;

use super::manifest::MANIFEST;
use super::{Progress, State};

/// What was read and found whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Orders that segments hold, without ended versions. What only the log holds is read, and not among them.
    pub sealed_orders: u64,
}

/// The files of a store, opened anew, and what was checked by that.
pub(super) struct Opened {
    disk: State,
    verified: Verified,
}

/// Opens the files of the store; the writer says of which state they are. They are read from the storage anew, not through
/// the open segments' parsed footers, so that damage since the opening is found too.
pub(super) fn open(storage: &dyn Storage, state: Option<&State>) -> Result<Opened> {
    let disk = State::open(storage)?;
    if state.is_some_and(|state| disk.manifest != state.manifest) {
        let reason = "it is not the manifest that this store has written";
        return Err(Corruption::new(0, reason).within(MANIFEST, "manifest", 0).into());
    }
    let mut verified = Verified { files: 0, bytes: 0, sealed_orders: 0 };
    let mut count = |bytes: u64| {
        verified.files += 1;
        verified.bytes += bytes;
    };
    count(storage.read(MANIFEST)?.len() as u64);
    // Opening has read the node logs, the stamps and the deaths, all against their checksums.
    disk.manifest.nodes.values().for_each(|log| count(log.bytes));
    if disk.manifest.stamps > 0 {
        count(disk.manifest.stamps);
    }
    for name in disk.manifest.sealed() {
        count(storage.open(name)?.len() as u64);
    }
    let logs = &disk.manifest.logs;
    let mut last = disk.commit;
    for (at, log) in logs.iter().enumerate() {
        let bytes = storage.read(log)?;
        let replayed = crate::log::replay(log, bytes.slice(0..bytes.len()).unwrap_or(&[]))?;
        // The last log is empty where a flush had begun it and was cut short.
        last = replayed.frames.last().map_or(last, |frame| frame.commit.max(last));
        let ends = at + 1 == logs.len();
        if let Some(state) = state.filter(|state| ends && last < state.commit) {
            let reason = format!("it ends with commit {last}, the last one was {}", state.commit);
            return Err(Corruption::new(0, reason).within(log, "log", replayed.end).into());
        }
        count(bytes.len() as u64);
    }
    Ok(Opened { disk, verified })
}

/// Reads all segments. What opening has read counts as done.
pub(super) fn verify(opened: Opened, mut progress: impl FnMut(Progress)) -> Result<Verified> {
    let Opened { disk, mut verified } = opened;
    let segments = || disk.lives.iter().map(|live| &live.segment).chain(&disk.histories);
    let total = verified.files;
    let read = total.saturating_sub(segments().count() as u64);
    for (done, segment) in (read..).zip(segments()) {
        progress(Progress { stage: "verifying", done, total });
        segment.verify(&disk.forest)?;
    }
    let orders = disk.lives.iter().map(|live| u64::from(live.segment.rows()) - live.ended_versions());
    verified.sealed_orders = orders.sum();
    progress(Progress { stage: "verifying", done: total, total });
    Ok(verified)
}
