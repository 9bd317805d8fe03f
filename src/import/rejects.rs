//! The file of rows that could not be orders.

use std::io::Write;

use csv::StringRecord;

use crate::error::{Error, Result};

/// Writes rejected rows as CSV: the file, the line on which the row starts, the reason, and the fields as
/// they were.
pub(super) struct Rejects<'a> {
    out: csv::Writer<Box<dyn Write + 'a>>,
    /// The header last written.
    header: StringRecord,
}

impl<'a> Rejects<'a> {
    pub(super) fn new(out: impl Write + 'a) -> Self {
        let out: Box<dyn Write + 'a> = Box::new(out);
        let out = csv::WriterBuilder::new().flexible(true).from_writer(out);
        Self { out, header: StringRecord::new() }
    }

    /// Writes a row, and the header before it where that is another than the last.
    pub(super) fn write(
        &mut self,
        file: &str,
        header: &StringRecord,
        line: u64,
        reason: &str,
        row: &StringRecord,
    ) -> Result<()> {
        if self.header != *header {
            self.record(["file", "line", "reason"].into_iter().chain(header))?;
            self.header.clone_from(header);
        }
        self.record([file, &line.to_string(), reason].into_iter().chain(row))
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|error| Error::io("write", "the rejected rows", error))
    }

    fn record<'b>(&mut self, fields: impl Iterator<Item = &'b str>) -> Result<()> {
        self.out.write_record(fields).map_err(|error| Error::io("write", "the rejected rows", error.into()))
    }
}
