//! The only seam to the outside: files, the clock, randomness, the writer's lock.
//!
//! Everything above asks a [`Storage`] for them, so that one store runs on a folder ([`Disk`]) and another in
//! memory ([`Memory`]), and so that tests can count reads, fail any operation and cut the power between two.

mod bytes;
mod disk;
#[cfg(test)]
mod faults;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::{Corruption, Error, Result};

pub(crate) use bytes::Bytes;
pub(crate) use disk::Disk;
pub(crate) use memory::Memory;

/// A folder of files, with the machine's clock and randomness.
///
/// Names are relative to the folder, separated by `/`, at most one folder deep.
pub(crate) trait Storage: Send + Sync + fmt::Debug {
    /// What messages call the folder.
    fn folder(&self) -> String;

    /// The names of all files, sorted; none where the folder is missing. The lock is not among them.
    fn list(&self) -> Result<Vec<String>>;

    /// Whether there is a file of that name.
    fn exists(&self, name: &str) -> Result<bool>;

    /// A sealed file, whole. The caller warrants that nobody writes to it again: it may be mapped.
    fn open(&self, name: &str) -> Result<Bytes>;

    /// A copy of what a file holds now. This is how a file that still grows, or may be cut, is read.
    fn read(&self, name: &str) -> Result<Bytes> {
        self.read_from(name, 0)
    }

    /// A copy of what a file holds now from an offset on; nothing where it is not that long.
    fn read_from(&self, name: &str, offset: u64) -> Result<Bytes>;

    /// A new, empty file, in place of an older one of that name. Makes its folder where that is missing.
    fn create(&self, name: &str) -> Result<Box<dyn Writer>>;

    /// Goes on writing to a file at `length`, after cutting off what lies behind it. A file that is missing
    /// is created for length 0; one that is shorter than `length` is corrupt.
    fn append(&self, name: &str, length: u64) -> Result<Box<dyn Writer>>;

    /// Gives a file another name, in place of an older file of that name, at once or not at all.
    fn rename(&self, from: &str, to: &str) -> Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> Result<()>;

    /// Takes over a sealed file of another storage under its name without copying it, in place of an older file; says
    /// whether that was possible.
    fn link(&self, _from: &dyn Storage, _name: &str) -> bool {
        false
    }

    /// Where a file lies, for storages whose files are the operating system's.
    fn path_of(&self, _name: &str) -> Option<PathBuf> {
        None
    }

    /// Makes all creations, renames and removals so far durable.
    fn sync_folder(&self) -> Result<()>;

    /// Takes the writer's lock, or says [`Error::Locked`]. It is released when dropped, and by the operating
    /// system when the process dies.
    fn lock(&self) -> Result<Box<dyn Lock>>;

    /// Seconds since 1970-01-01T00:00Z.
    fn now(&self) -> i64;

    /// A number that nobody can foresee.
    fn random(&self) -> u64;
}

/// A file being written, always at its end.
///
/// What is written is durable after [`sync`](Self::sync), and the file's name after [`Storage::sync_folder`].
pub(crate) trait Writer: io::Write + Send {
    /// Makes all bytes so far durable.
    fn sync(&mut self) -> Result<()>;

    /// The file's length, with the bytes that are still buffered.
    fn position(&self) -> u64;
}

/// Held while a store is open for writing.
pub(crate) trait Lock: Send + Sync + fmt::Debug {}

/// The error of [`Storage::append`] for a file that lost bytes it is known to have held.
fn too_short(name: &str, found: u64, expected: u64) -> Error {
    let reason = format!("the file ends here, {expected} bytes were written to it");
    Corruption::new(0, reason).within(name, "end", found).into()
}
