//! From CSV files to orders.
//!
//! A file is unpacked and decoded ([`text`]), cut into rows ([`read`]), and each row is turned into an order
//! as the [`mapping`] says ([`row`]). What cannot be an order is written aside ([`rejects`]) and everything
//! that was noticed is counted ([`report`]); nothing is dropped silently.

mod hash;
mod mapping;
mod read;
mod rejects;
mod report;
mod row;
mod target;
mod text;

pub use mapping::Mapping;
pub use report::{ColumnReport, Example, ImportReport};

use std::io::{Read, Write};

use crate::error::Result;
use crate::order::Moment;
use crate::store::{Progress, Store};
use read::Tally;
use rejects::Rejects;
use target::{Commits, Target};

/// An import of CSV files into a store: one bulk load and one commit, or an [`upsert`](Self::upsert).
///
/// ```
/// use zonal::{Import, Mapping, Store};
///
/// let mapping = Mapping::from_toml(r#"
///     time_zone = "Asia/Shanghai"
///     [order]
///     id = "编号"
///     created = "时间"
///     [place]
///     levels = ["street", "community"]
///     columns = ["街道", "社区"]
/// "#)?;
/// let csv = "编号,时间,街道,社区\n1,2018-02-08,坪山街道,六和社区\n2,2018-02-09,坪山街道,\n3,,,\n";
///
/// let store = Store::in_memory(mapping.schema().clone())?;
/// let mut rejects = Vec::new();
/// let mut import = Import::new(&store, &mapping)?.rejects(&mut rejects);
/// import.file("february.csv", csv.as_bytes())?;
/// let report = import.finish()?;
/// assert_eq!((report.rows, report.imported, report.rejected), (3, 2, 1));
/// assert_eq!(
///     String::from_utf8_lossy(&rejects),
///     "file,line,reason,编号,时间,街道,社区\n\
///      february.csv,4,\"created is missing: 时间 is \"\"\"\"\",3,,,\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Dropped before [`finish`](Self::finish), a bulk load leaves the store as it was.
#[must_use]
pub struct Import<'a> {
    mapping: &'a Mapping,
    target: Target,
    tally: Tally<'a>,
}

impl<'a> Import<'a> {
    /// Starts an import.
    ///
    /// # Errors
    /// [`Error::SchemaDiffers`](crate::Error::SchemaDiffers) where the store has not the mapping's schema; open it
    /// with that ([`Store::open_with`]) where the mapping has fields that the store lacks. As for [`Store::load`] otherwise.
    pub fn new(store: &Store, mapping: &'a Mapping) -> Result<Self> {
        Self::into(mapping, store, || Ok(Target::Load(store.load()?)))
    }

    /// Starts an import that goes on beside other writers: rows become commits of some thousand orders, as they are read. A
    /// row that says what the store has already is passed over, so that a whole export can be given every day. Where
    /// an id comes again, each of its rows is a version. Dropped, it leaves what it has committed.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn upsert(store: &Store, mapping: &'a Mapping) -> Result<Self> {
        Self::into(mapping, store, || Ok(Target::Commits(Commits::new(store)?)))
    }

    fn into(mapping: &'a Mapping, store: &Store, target: impl FnOnce() -> Result<Target>) -> Result<Self> {
        store.schema().require_same(mapping.schema())?;
        Ok(Self { mapping, target: target()?, tally: Tally::new(mapping) })
    }

    /// Says when the orders became known, for exports of an earlier day; now without this call.
    pub fn known_at(mut self, time: impl Into<Moment>) -> Self {
        self.target = self.target.known_at(time.into());
        self
    }

    /// Writes rows that cannot be orders to `out`, as CSV in UTF-8: the file, the line on which the row
    /// starts, counted from 1, the reason, and the fields as they were. Without this call they are only
    /// counted.
    pub fn rejects(mut self, out: impl Write + 'a) -> Self {
        self.tally.rejects = Some(Rejects::new(out));
        self
    }

    /// Reads a CSV file, plain or packed with gzip. The name is what the report calls it. To show how far it
    /// has come, wrap the reader.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown) where the file lacks a column that the mapping names, and
    /// [`Error::Invalid`](crate::Error::Invalid) where it has no header: nothing has been read of it then.
    /// [`Error::Io`](crate::Error::Io) where reading or writing fails: drop the import.
    pub fn file(&mut self, name: &str, bytes: impl Read) -> Result<()> {
        let target = &mut self.target;
        read::file(self.mapping, name, bytes, &mut self.tally, |order| target.push(order))
    }

    /// Makes the orders part of the store, durably; all at once in a bulk load.
    ///
    /// # Errors
    /// As for [`Load::finish`](crate::Load::finish) or [`Commit::finish`](crate::Commit::finish).
    pub fn finish(self) -> Result<ImportReport> {
        self.finish_with(|_| {})
    }

    /// As [`finish`](Self::finish), and says how far it has come.
    ///
    /// # Errors
    /// As for [`finish`](Self::finish).
    pub fn finish_with(self, progress: impl FnMut(Progress)) -> Result<ImportReport> {
        let mut tally = self.tally;
        if let Some(rejects) = tally.rejects.take() {
            rejects.finish()?;
        }
        let written = self.target.finish_with(progress)?;
        Ok(tally.report(written))
    }
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("mapping", &self.mapping)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
