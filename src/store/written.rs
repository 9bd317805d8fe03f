//! Files that are written and that no manifest names yet.

use std::io::Write as _;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::segment::Segment;

use super::Store;

/// Files that no manifest names yet. They are removed when this is dropped, unless they were [kept](Self::keep).
#[derive(Debug)]
pub(super) struct Written {
    store: Store,
    names: Vec<String>,
}

impl Written {
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone(), names: Vec::new() }
    }

    /// Writes a file, durably but for its name.
    pub(super) fn file(&mut self, name: String, bytes: &[u8]) -> Result<String> {
        self.names.push(name.clone());
        let mut file = self.store.inner.storage.create(&name)?;
        file.write_all(bytes).map_err(|error| Error::io("write", &name, error))?;
        file.sync()?;
        Ok(name)
    }

    /// Writes a segment of a partition into a folder and opens it.
    pub(super) fn segment(&mut self, folder: &str, partition: i32, bytes: &[u8]) -> Result<Arc<Segment>> {
        let schema = self.store.schema();
        let partition = schema.calendar().partition_name(schema.partition(), partition);
        let name = format!("{folder}/{partition}-{:06}.segment", self.store.file_number());
        let name = self.file(name, bytes)?;
        Ok(Arc::new(Segment::open(&name, self.store.inner.storage.open(&name)?)?))
    }

    /// Writes deaths of a segment.
    pub(super) fn deaths(&mut self, segment: &str, bytes: &[u8]) -> Result<String> {
        let number = self.store.file_number();
        self.file(format!("{segment}-{number:06}.deaths"), bytes)
    }

    /// A manifest names them now.
    pub(super) fn keep(&mut self) {
        self.names.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // After a failed publication nobody knows whether the manifest names them.
        if self.store.require_writable().is_ok() {
            self.store.remove(&self.names);
        }
    }
}
