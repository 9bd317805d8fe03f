//! Flushing: batches become segments, deaths become files, and the log starts anew.
//!
//! The writer is held to close the batches and the log, and again to publish. Between the two, commits go on into new
//! batches and a new log; what they end of the closed batches is carried over.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::segment::{Death, Deaths, Rows};
use crate::storage::Storage;
use crate::tree::{Forest, log};

use super::compact::Merged;
use super::live::Stage;
use super::manifest::{Manifest, NodeLog, SegmentFile};
use super::sealing::Sealing;
use super::stamps::Stamps;
use super::write::hold;
use super::written::Written;
use super::{Live, STAMPS, State, Store, node_file};

impl Store {
    /// Seals everything that is only in memory and in the log into files, so that opening the store need not replay
    /// it. Without a call nothing is lost: the log has every commit. Commits go on meanwhile; those that come later are
    /// in the log still.
    ///
    /// Every flush adds a segment to each partition that changed; where they get many, the shortest are merged.
    ///
    /// # Errors
    /// [`Error::Io`] where a file cannot be written; the store goes on from its log then.
    pub fn flush(&self) -> Result<()> {
        self.require_kept()?;
        self.flush_now()
    }

    pub(super) fn flush_now(&self) -> Result<()> {
        self.seal_batches()?;
        self.merge_crowded()
    }

    fn seal_batches(&self) -> Result<()> {
        let _exchange = hold(&self.inner.exchange);
        let Some(state) = self.close_batches()? else { return Ok(()) };
        let mut written = Written::new(self);
        let mut manifest = (*state.manifest).clone();
        let merged = self.merge_batches(&state, &mut written)?;
        let new = merged.iter().filter_map(|merged| merged.live.clone());
        let lives: Vec<Live> = state.lives.iter().cloned().chain(new).collect();
        let deaths = write_deaths(&lives, &manifest, &mut written)?;
        let storage = self.inner.storage.as_ref();
        write_nodes(storage, &state.forest, &mut manifest.nodes)?;
        write_stamps(storage, &state.stamps, &mut manifest)?;
        storage.sync_folder()?;
        let writer = hold(&self.inner.writer);
        self.require_writable()?;
        let mut next = (*self.state()).clone();
        merged.into_iter().try_for_each(|merged| next.exchange(merged))?;
        // Commits have added to the logs alone.
        let later = next.manifest.logs.iter().filter(|log| !state.manifest.logs.contains(log));
        manifest.logs = later.cloned().collect();
        manifest.commit = state.commit;
        manifest.segments = segment_files(&next.lives, &deaths);
        let replaced = self.publish(State { manifest: Arc::new(manifest), ..next })?;
        written.keep();
        drop(writer);
        self.remove(&replaced);
        Ok(())
    }

    /// Ends the log, and keeps commits from adding to the batches: what is in them now will be sealed. None where
    /// there is nothing to seal.
    pub(super) fn close_batches(&self) -> Result<Option<State>> {
        let mut writer = hold(&self.inner.writer);
        self.require_writable()?;
        let mut state = (*self.state()).clone();
        if state.commit == state.manifest.commit {
            return Ok(None);
        }
        if let Some(mut log) = writer.log.take() {
            // A later log is read only as far as this one is whole.
            log.sync().inspect_err(|_| self.latch())?;
        }
        for live in state.lives.iter_mut().filter(|live| live.stage == Stage::Open) {
            live.stage = Stage::Closed;
        }
        self.show(Arc::new(state.clone()));
        Ok(Some(state))
    }

    /// Seals the batches of each partition into one segment.
    fn merge_batches(&self, state: &State, written: &mut Written) -> Result<Vec<Merged>> {
        let mut by_partition: BTreeMap<i32, Vec<Live>> = BTreeMap::new();
        for batch in state.lives.iter().filter(|live| live.stage != Stage::Sealed) {
            by_partition.entry(batch.segment.summary().partition).or_default().push(batch.clone());
        }
        let sealing = Sealing::new(&state.schema, &state.forest, state.manifest.schemas.len())?;
        let seal = |(partition, batches): (i32, Vec<Live>)| -> Result<_> {
            let (mut live, moved) = sealing.merge(&batches, Rows::new(&sealing.layout), partition)?;
            live.segment = written.segment("segments", partition, live.segment.whole())?;
            live.stage = Stage::Sealed;
            Ok(Merged { live: Some(live), after: state.commit, moved, ..Merged::default() })
        };
        by_partition.into_iter().map(seal).collect()
    }

    /// Removes files that no manifest names. What cannot be removed now is removed when the store is opened next.
    pub(super) fn remove(&self, names: &[String]) {
        for name in names {
            let _ = self.inner.storage.remove(name);
        }
    }
}

/// Writes the deaths of sealed segments that the manifest's files do not have. Gives, for every segment that has
/// some, their file.
pub(super) fn write_deaths(
    lives: &[Live],
    manifest: &Manifest,
    written: &mut Written,
) -> Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<String, String> =
        manifest.segments.iter().filter_map(|file| Some((file.name.clone(), file.deaths.clone()?))).collect();
    for live in lives.iter().filter(|live| live.stage == Stage::Sealed) {
        let name = live.segment.name();
        let more = live.all_deaths().any(|death| death.died > manifest.commit);
        if more || (live.ended_versions() > 0 && !files.contains_key(name)) {
            let mut list: Vec<Death> = live.all_deaths().copied().collect();
            list.sort_unstable();
            let file = written.deaths(name, &Deaths::encode(&list))?;
            files.insert(name.to_owned(), file);
        }
    }
    Ok(files)
}

/// What the manifest says of sealed segments, each with the file of its deaths.
pub(super) fn segment_files(lives: &[Live], deaths: &BTreeMap<String, String>) -> Vec<SegmentFile> {
    let sealed = lives.iter().filter(|live| live.stage == Stage::Sealed);
    sealed
        .map(|live| {
            let name = live.segment.name().to_owned();
            SegmentFile { deaths: deaths.get(&name).cloned(), name }
        })
        .collect()
}

/// Appends the stamps that the file does not have. What stands behind its committed length was never published.
pub(super) fn write_stamps(storage: &dyn Storage, stamps: &Stamps, manifest: &mut Manifest) -> Result<()> {
    let from = usize::try_from(manifest.commit).unwrap_or(usize::MAX);
    let mut file = storage.append(STAMPS, manifest.stamps)?;
    file.write_all(&stamps.encode(from)).map_err(|error| Error::io("write", STAMPS, error))?;
    file.sync()?;
    manifest.stamps = file.position();
    Ok(())
}

/// Appends the nodes that the node logs do not have, and notes how much they have then.
pub(super) fn write_nodes(
    storage: &dyn Storage,
    forest: &Forest,
    logs: &mut BTreeMap<String, NodeLog>,
) -> Result<()> {
    for (name, tree) in forest.all() {
        let old = logs.get(&name).copied().unwrap_or(NodeLog { bytes: 0, nodes: 0 });
        let nodes = tree.len() as u64;
        if nodes == old.nodes {
            continue;
        }
        let file_name = node_file(&name);
        let mut file = storage.append(&file_name, old.bytes)?;
        let mut bytes = if old.bytes == 0 { log::header() } else { Vec::new() };
        bytes.extend(log::encode(tree, usize::try_from(old.nodes).unwrap_or(usize::MAX)));
        file.write_all(&bytes).map_err(|error| Error::io("write", &file_name, error))?;
        file.sync()?;
        logs.insert(name, NodeLog { bytes: file.position(), nodes });
    }
    Ok(())
}
