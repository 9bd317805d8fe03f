//! A folder of the file system. The only file of the crate that calls it, and the only one with `unsafe`.

#![expect(unsafe_code, reason = "sealed files are mapped; the note at the call says why that is sound")]
#![expect(clippy::disallowed_methods, reason = "this is where the file system and the clock are reached")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use memmap2::Mmap;

use super::{Bytes, Lock, Storage, Writer, too_short};
use crate::{Error, Result};

/// The file whose lock is the writer's. It stays behind, empty.
const LOCK: &str = "LOCK";

/// Written at once; large enough that a segment costs few calls.
const BUFFER: usize = 1 << 16;

/// A store's folder on disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// The storage in a folder, which need not be there yet.
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where a file lies. Names may come from a damaged manifest: none leads out of the folder.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !inside {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file of the store"));
        }
        Ok(self.folder.join(name))
    }

    /// Calls `operation` with the file's path, and names both in its error.
    fn at<T>(
        &self,
        action: &'static str,
        name: &str,
        operation: impl FnOnce(&Path) -> io::Result<T>,
    ) -> Result<T> {
        self.path(name).and_then(|path| operation(&path)).map_err(|source| Error::io(action, name, source))
    }

    /// Calls `operation` with the folder's path, and names it in its error.
    fn in_folder<T>(
        &self,
        action: &'static str,
        operation: impl FnOnce(&Path) -> io::Result<T>,
    ) -> Result<T> {
        operation(&self.folder).map_err(|source| Error::io(action, self.folder(), source))
    }
}

impl Storage for Disk {
    fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    fn list(&self) -> Result<Vec<String>> {
        self.in_folder("list", |folder| {
            let mut names = Vec::new();
            for (name, metadata) in entries(folder)? {
                if metadata.is_file() && name != LOCK {
                    names.push(name);
                } else if metadata.is_dir() {
                    let inner = entries(&folder.join(&name))?;
                    let files = inner.into_iter().filter(|(_, metadata)| metadata.is_file());
                    names.extend(files.map(|(file, _)| format!("{name}/{file}")));
                }
            }
            names.sort_unstable();
            Ok(names)
        })
    }

    fn exists(&self, name: &str) -> Result<bool> {
        self.at("look for", name, Path::try_exists)
    }

    fn open(&self, name: &str) -> Result<Bytes> {
        self.at("open", name, |path| {
            let file = File::open(path)?;
            if file.metadata()?.len() == 0 {
                return Ok(Bytes::from(Vec::new())); // an empty map is an error on some systems
            }
            // SAFETY: the bytes of a map must not change while it lives. The callers of `open` warrant that
            // the file is sealed: no writer of this crate touches it again, `create` and `rename` put another
            // file under its name instead of writing to it, and removing a mapped file leaves its bytes
            // readable. Files that grow or are cut are read by `read`, which copies. Whoever truncates or
            // rewrites a store's file from outside breaks the contract that the crate's page states.
            let map = unsafe { Mmap::map(&file)? };
            Ok(Bytes::mapped(map))
        })
    }

    fn read_from(&self, name: &str, offset: u64) -> Result<Bytes> {
        let read = self.at("read", name, |path| {
            let mut file = File::open(path)?;
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(offset))?;
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        read.map(Bytes::from)
    }

    fn create(&self, name: &str) -> Result<Box<dyn Writer>> {
        let file = self.at("create", name, |path| {
            make_room(path)?;
            File::create_new(path)
        })?;
        Ok(DiskWriter::boxed(name, file, 0))
    }

    fn append(&self, name: &str, length: u64) -> Result<Box<dyn Writer>> {
        let (file, found) = self.at("append to", name, |path| {
            if length == 0 {
                make_folder_of(path)?;
            }
            let file = OpenOptions::new().write(true).create(length == 0).truncate(false).open(path)?;
            let found = file.metadata()?.len();
            Ok((file, found))
        })?;
        if found < length {
            return Err(too_short(name, found, length));
        }
        self.at("append to", name, |_| {
            if found > length {
                file.set_len(length)?;
            }
            (&file).seek(SeekFrom::Start(length))
        })?;
        Ok(DiskWriter::boxed(name, file, length))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let target =
            self.at("rename a file to", to, |path| make_folder_of(path).map(|()| path.to_owned()))?;
        self.at("rename", from, |path| fs::rename(path, &target))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.at("remove", name, |path| fs::remove_file(path))
    }

    fn link(&self, from: &dyn Storage, name: &str) -> bool {
        let linked = |source: PathBuf| {
            let path = self.path(name)?;
            make_room(&path)?;
            fs::hard_link(source, path)
        };
        // Whatever stands against it (another file system, a file that is gone): a copy will do.
        from.path_of(name).is_some_and(|source| linked(source).is_ok())
    }

    fn path_of(&self, name: &str) -> Option<PathBuf> {
        self.path(name).ok()
    }

    fn sync_folder(&self) -> Result<()> {
        self.in_folder("sync", |folder| {
            for (name, metadata) in entries(folder)? {
                if metadata.is_dir() {
                    sync_entries(&folder.join(name))?;
                }
            }
            sync_entries(folder)
        })
    }

    fn lock(&self) -> Result<Box<dyn Lock>> {
        let file = self.at("open", LOCK, |path| {
            make_folder_of(path)?;
            OpenOptions::new().write(true).create(true).truncate(false).open(path)
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(DiskLock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { folder: self.folder() }),
            Err(TryLockError::Error(source)) => Err(Error::io("lock", LOCK, source)),
        }
    }

    fn now(&self) -> i64 {
        now()
    }

    fn random(&self) -> u64 {
        random()
    }
}

/// Seconds since 1970 by the machine's clock.
pub(super) fn now() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    }
}

/// A number from the machine's randomness, which keys the standard library's hashers.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// What lies in a folder: nothing where it is missing. Names that are no text are none of ours.
fn entries(folder: &Path) -> io::Result<Vec<(String, fs::Metadata)>> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        match fs::metadata(entry.path()) {
            Ok(metadata) => found.push((name, metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // a writer removed it meanwhile
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Makes the folder of a new file, and removes an older file of its name: not truncated in place, for somebody may have
/// mapped it.
fn make_room(file: &Path) -> io::Result<()> {
    make_folder_of(file)?;
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn make_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), make_folder)
}

/// Makes a folder and those above it, each durably.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_entries(above),
    }
}

/// Makes the names in a folder durable.
#[cfg(unix)]
fn sync_entries(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems open no folders; their file systems keep the order of such changes themselves.
#[cfg(not(unix))]
fn sync_entries(_folder: &Path) -> io::Result<()> {
    Ok(())
}

struct DiskWriter {
    name: String,
    file: BufWriter<File>,
    position: u64,
}

impl DiskWriter {
    fn boxed(name: &str, file: File, position: u64) -> Box<dyn Writer> {
        Box::new(Self { name: name.to_owned(), file: BufWriter::with_capacity(BUFFER, file), position })
    }
}

impl Write for DiskWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Writer for DiskWriter {
    fn sync(&mut self) -> Result<()> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|source| Error::io("sync", self.name.as_str(), source))
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// The lock lives as long as the file is open.
#[derive(Debug)]
struct DiskLock {
    _file: File,
}

impl Lock for DiskLock {}
