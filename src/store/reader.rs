//! Reading a store that another process, or another handle, may be writing to.
//!
//! A reader takes no lock and changes nothing. It reads the manifest, then the files that it names; sealed files stay mapped,
//! so that their removal does no harm. A file that is gone was replaced, and then there is a newer manifest.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::log::{self, Replay};
use crate::storage::{Disk, Storage};

use super::manifest::{MANIFEST, Manifest};
use super::write::{Writer, hold, replay_frames, replay_logs};
use super::{State, Store};

/// How often opening begins anew because a writer has replaced the files meanwhile.
const ATTEMPTS: usize = 100;

/// What a store that is open for reading knows of the files.
#[derive(Debug)]
pub(super) struct Reader {
    /// What the manifest's files hold, without the log.
    sealed: State,
    /// How far the last log was read.
    log: Option<Replay>,
}

impl Store {
    /// Opens the store in `folder` for reading: beside a writer in this process or another, without the permission to write.
    /// Nothing in the folder is changed. What the store holds is what was there now; [`refresh`](Self::refresh) sees what
    /// came since. Every call that would write is [`Error::ReadOnly`].
    ///
    /// # Errors
    /// As for [`open`](Self::open), without [`Error::Locked`].
    pub fn open_read_only(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_read_only_on(Arc::new(Disk::new(folder.as_ref())))
    }

    pub(crate) fn open_read_only_on(storage: Arc<dyn Storage>) -> Result<Self> {
        if !storage.exists(MANIFEST)? {
            return Err(Error::NotAStore { folder: storage.folder() });
        }
        let (reader, state) = settled(storage.as_ref(), || Reader::open(storage.as_ref(), None))?;
        Ok(Self::with(storage, state, Writer::default(), None, Some(reader)))
    }

    /// Sees the commits that a writer has made since the store was opened for reading, or refreshed, and says whether there
    /// are any; snapshots taken from now on show them. It reads the manifest and what is new in the log, and opens the files
    /// that are new. A store that is open for writing is always up to date.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or [`Error::Io`], as their texts say; the store shows what it did before, then.
    pub fn refresh(&self) -> Result<bool> {
        let Some(reader) = &self.inner.reader else { return Ok(false) };
        let (mut reader, storage) = (hold(reader), self.inner.storage.as_ref());
        let before = self.state();
        let Some(state) = settled(storage, || reader.refresh(storage, &before))? else { return Ok(false) };
        let newer = state.commit > before.commit;
        self.show(Arc::new(state));
        Ok(newer)
    }
}

impl Reader {
    /// Reads the store; what an earlier state of it has read already is not read again.
    fn open(storage: &dyn Storage, before: Option<&State>) -> Result<(Self, State)> {
        let sealed = State::open_after(storage, before)?;
        let (state, log) = replay_logs(storage, sealed.clone())?;
        Ok((Self { sealed, log }, state))
    }

    /// The state after what came since; none where nothing did.
    fn refresh(&mut self, storage: &dyn Storage, state: &State) -> Result<Option<State>> {
        if Manifest::read(storage)? != *self.sealed.manifest {
            let (reader, state) = Self::open(storage, Some(&self.sealed))?;
            *self = reader;
            return Ok(Some(state));
        }
        let (Some(name), Some(before)) = (self.sealed.manifest.logs.last(), &self.log) else {
            return Ok(None);
        };
        let bytes = storage.read_from(name, before.end)?;
        let replayed = log::replay_more(name, before, bytes.slice(0..bytes.len()).unwrap_or(&[]))?;
        if replayed.frames.is_empty() {
            return Ok(None);
        }
        let state = replay_frames(name, &replayed.frames, state.clone())?;
        self.log = Some(Replay { frames: Vec::new(), ..replayed });
        Ok(Some(state))
    }
}

/// What `open` gives, once no writer replaces the files under it. A failure counts when the manifest is still the same.
pub(super) fn settled<T>(storage: &dyn Storage, mut open: impl FnMut() -> Result<T>) -> Result<T> {
    let mut manifest = Manifest::read(storage)?;
    for _ in 0..ATTEMPTS {
        match open() {
            Ok(opened) => return Ok(opened),
            Err(error) => {
                let now = Manifest::read(storage)?;
                if now == manifest {
                    return Err(error);
                }
                manifest = now;
            }
        }
    }
    open()
}
