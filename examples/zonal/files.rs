//! The files and folders that the user names.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use super::{Failure, Result, args};

/// Opens the store.
pub(crate) fn store(args: &args::Store) -> Result<zonal::Store> {
    Ok(zonal::Store::open(&args.folder)?)
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
