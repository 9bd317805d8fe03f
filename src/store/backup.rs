//! A copy of a store, taken while it is written to.

use std::io::Write as _;
use std::path::Path;

use crate::error::{Corruption, Error, Result};
use crate::log;
use crate::storage::{Bytes, Disk, Storage};

use super::manifest::{MANIFEST, Manifest};
use super::reader::settled;
use super::write::hold;
use super::{STAMPS, Store, node_file};

impl Store {
    /// Makes a copy of the store in `folder`, a store of its own, and gives the number of the last commit that it holds.
    /// Writers go on meanwhile. Sealed files never change, so on one file system the copy shares them and costs little
    /// room; it outlasts the removal of the store, but not the damage of such a file. To be safe from that, copy to
    /// another disk. A failed backup leaves a folder that is no store; it can be made again there.
    ///
    /// # Errors
    /// [`Error::AlreadyAStore`] where the folder holds one, [`Error::Io`] where a file cannot be read or written,
    /// [`Error::Latched`] after a failed write.
    pub fn backup(&self, folder: impl AsRef<Path>) -> Result<u64> {
        self.backup_to(&Disk::new(folder.as_ref()))
    }

    pub(crate) fn backup_to(&self, target: &dyn Storage) -> Result<u64> {
        let require_none = || match target.exists(MANIFEST)? {
            true => Err(Error::AlreadyAStore { folder: target.folder() }),
            false => Ok(()),
        };
        require_none()?;
        let _lock = target.lock()?;
        require_none()?;
        let source = self.inner.storage.as_ref();
        let taken = if self.inner.reader.is_some() {
            settled(source, || Taken::new(source, Manifest::read(source)?))?
        } else {
            // No commit is half written, and no file replaced, until all are opened; then they may be.
            let _writer = hold(&self.inner.writer);
            self.require_writable()?;
            Taken::new(source, (*self.state().manifest).clone())?
        };
        taken.write(source, target)
    }
}

/// A store at one moment: its sealed files are open, and those that grow have the length that the manifest names.
struct Taken {
    manifest: Manifest,
    sealed: Vec<(String, Bytes)>,
    logs: Vec<(String, Bytes)>,
}

impl Taken {
    fn new(source: &dyn Storage, manifest: Manifest) -> Result<Self> {
        let open = |name: &str| Ok((name.to_owned(), source.open(name)?));
        let sealed = manifest.sealed().map(open).collect::<Result<_>>()?;
        let read = |name: &String| Ok((name.clone(), source.read(name)?));
        let logs = manifest.logs.iter().map(read).collect::<Result<_>>()?;
        Ok(Self { sealed, logs, manifest })
    }

    /// Writes it all to another storage, the manifest last; gives the last commit.
    fn write(&self, source: &dyn Storage, target: &dyn Storage) -> Result<u64> {
        for (name, bytes) in &self.sealed {
            // It may have been replaced and removed meanwhile; the bytes are still there.
            if !target.link(source, name) {
                write(target, name, bytes.slice(0..bytes.len()).unwrap_or(&[]))?;
            }
        }
        let nodes = self.manifest.nodes.iter().map(|(tree, log)| (node_file(tree), log.bytes));
        let stamps = (self.manifest.stamps > 0).then(|| (STAMPS.to_owned(), self.manifest.stamps));
        for (name, length) in nodes.chain(stamps) {
            let bytes = source.read(&name)?;
            let committed = usize::try_from(length).ok().and_then(|length| bytes.slice(0..length));
            let committed = committed.ok_or_else(|| {
                let reason = format!("it has {} bytes, {length} are committed", bytes.len());
                Corruption::new(bytes.len(), reason).within(&name, "end", 0)
            })?;
            write(target, &name, committed)?;
        }
        let mut commit = self.manifest.commit;
        for (name, bytes) in &self.logs {
            let bytes = bytes.slice(0..bytes.len()).unwrap_or(&[]);
            let replayed = log::replay(name, bytes)?;
            commit = replayed.frames.last().map_or(commit, |frame| frame.commit.max(commit));
            let whole = usize::try_from(replayed.end).ok().and_then(|end| bytes.get(..end));
            write(target, name, whole.unwrap_or(bytes))?;
        }
        target.sync_folder()?;
        if let Err(error) = self.manifest.publish(target) {
            // It may have its name and yet not be durable.
            let _ = target.remove(MANIFEST);
            return Err(error);
        }
        Ok(commit)
    }
}

fn write(target: &dyn Storage, name: &str, bytes: &[u8]) -> Result<()> {
    let mut file = target.create(name)?;
    file.write_all(bytes).map_err(|error| Error::io("write", name, error))?;
    file.sync()
}
