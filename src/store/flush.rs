//! Flushing: batches become segments, deaths become files, and the log starts anew.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::segment::{Death, Deaths, Segment};
use crate::storage::Storage;

use super::apply::Sealing;
use super::manifest::{Manifest, SegmentFile};
use super::write::hold;
use super::{Live, STAMPS, State, Store, load};

impl Store {
    /// Seals everything that is only in memory and in the log into files, so that opening the store need not replay
    /// it. Without a call nothing is lost: the log has every commit.
    ///
    /// # Errors
    /// [`Error::Io`] where a file cannot be written; the store goes on from its log then.
    pub fn flush(&self) -> Result<()> {
        let mut writer = hold(&self.inner.writer);
        self.require_writable()?;
        let state = self.state();
        if state.commit == state.manifest.commit {
            return Ok(());
        }
        let storage = self.inner.storage.as_ref();
        let mut manifest = state.manifest.clone();
        let lives = self.seal_batches(&state, &mut manifest)?;
        let next = State { lives, ..(*state).clone() };
        let mut replaced = write_lists(storage, &next, &mut manifest)?;
        let flushed = State::open_nodes(storage, &state.manifest, &state.schema)?;
        load::write_nodes(self, &flushed, &state.forest, &mut manifest.nodes)?;
        storage.sync_folder()?;
        manifest.commit = state.commit;
        replaced.extend(manifest.log.take());
        self.publish(State { manifest, ..next })?;
        writer.log = None;
        self.remove_replaced(&replaced);
        Ok(())
    }

    /// Removes files that no manifest names any more. What cannot be removed now is removed when the store is opened next.
    pub(super) fn remove_replaced(&self, names: &[String]) {
        for name in names {
            let _ = self.inner.storage.remove(name);
        }
    }

    /// Seals the batches of each partition into one segment.
    fn seal_batches(&self, state: &State, manifest: &mut Manifest) -> Result<Vec<Live>> {
        let storage = self.inner.storage.as_ref();
        let (mut lives, batches): (Vec<Live>, Vec<Live>) =
            state.lives.iter().cloned().partition(|live| live.sealed);
        let mut by_partition: BTreeMap<i32, Vec<Live>> = BTreeMap::new();
        for batch in batches {
            by_partition.entry(batch.segment.summary().partition).or_default().push(batch);
        }
        let sealing = Sealing::new(&state.schema, &state.forest, manifest.schemas.len())?;
        for (partition, batches) in by_partition {
            let merged = sealing.merge(&batches)?;
            let partition = state.schema.calendar().partition_name(state.schema.partition(), partition);
            let name = format!("segments/{partition}-{:06}.segment", manifest.next_file);
            manifest.next_file += 1;
            write_file(storage, &name, merged.segment.whole())?;
            let segment = Arc::new(Segment::open(&name, storage.open(&name)?)?);
            lives.push(merged.sealed_as(segment));
        }
        lives.sort_by_key(|live| live.segment.summary().partition);
        Ok(lives)
    }
}

/// Writes the deaths and the stamps of a state that the manifest's files do not have, notes them in the manifest, and
/// gives the files that they replace.
pub(super) fn write_lists(
    storage: &dyn Storage,
    state: &State,
    manifest: &mut Manifest,
) -> Result<Vec<String>> {
    let known: BTreeMap<String, Option<String>> =
        manifest.segments.drain(..).map(|file| (file.name, file.deaths)).collect();
    let mut replaced = Vec::new();
    for live in &state.lives {
        let name = live.segment.name().to_owned();
        let written = known.get(&name).cloned().flatten();
        let mut list: Vec<Death> = live.all_deaths().copied().collect();
        let more = list.iter().any(|death| death.died > manifest.commit);
        let deaths = if more || (written.is_none() && !list.is_empty()) {
            list.sort_unstable();
            let file = format!("{name}-{:06}.deaths", manifest.next_file);
            manifest.next_file += 1;
            write_file(storage, &file, &Deaths::encode(&list))?;
            replaced.extend(written);
            Some(file)
        } else {
            written
        };
        manifest.segments.push(SegmentFile { name, deaths });
    }
    let from = usize::try_from(manifest.commit).unwrap_or(usize::MAX);
    let mut file = storage.append(STAMPS, manifest.stamps)?;
    file.write_all(&state.stamps.encode(from)).map_err(|error| Error::io("write", STAMPS, error))?;
    file.sync()?;
    manifest.stamps = file.position();
    Ok(replaced)
}

pub(super) fn write_file(storage: &dyn Storage, name: &str, bytes: &[u8]) -> Result<()> {
    let mut file = storage.create(name)?;
    file.write_all(bytes).map_err(|error| Error::io("write", name, error))?;
    file.sync()
}
