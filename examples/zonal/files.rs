//! The files and folders that the user names.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use zonal::{Snapshot, Store};

use super::{Failure, Result, args};

/// Opens the store to change it.
pub(crate) fn store(args: &args::Store) -> Result<Store> {
    Ok(Store::open(&args.folder)?)
}

/// Opens the store to read it, whoever else has it open.
pub(crate) fn reader(args: &args::Store) -> Result<Store> {
    Ok(Store::open_read_only(&args.folder)?)
}

/// The store as of the commit or the time that is asked for.
pub(crate) fn snapshot(args: &args::Reading) -> Result<Snapshot> {
    let store = reader(&args.store)?;
    match &args.as_of {
        Some(text) => Ok(store.snapshot_at(commit(&store, text)?)?),
        None => Ok(store.snapshot()),
    }
}

/// The number of a commit, or of the last one that was known by a time.
pub(crate) fn commit(store: &Store, text: &str) -> Result<u64> {
    match text.parse() {
        Ok(commit) => Ok(commit),
        Err(_) => Ok(store.commit_at(store.snapshot().calendar().parse(text)?)),
    }
}

/// Opens a file to read it.
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| failure("open", path, &error))
}

/// Makes a file, or empties the one that is there.
pub(crate) fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|error| failure("make", path, &error))
}

/// Reads a file as text.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| failure("read", path, &error))
}

fn failure(action: &str, path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot {action} {}: {error}", path.display());
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::InvalidData => {
            Failure::Input(message)
        }
        _ => Failure::Failed(message),
    }
}
