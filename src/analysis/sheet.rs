//! Small tables from outside, as CSV in UTF-8 with a header.

use std::io::Read;

use crate::error::{Error, Result};

/// A table whose errors name it and the line.
pub(super) struct Sheet<R> {
    what: &'static str,
    names: Vec<String>,
    reader: csv::Reader<R>,
}

impl<R: Read> Sheet<R> {
    /// Reads the header.
    pub(super) fn open(what: &'static str, csv: R) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(csv);
        let header = reader.headers().map_err(|error| invalid(what, 1, error))?;
        let names = header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        Ok(Self { what, names, reader })
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Where a column stands.
    pub(super) fn column(&self, name: &str) -> Result<usize> {
        let missing = || format!("there is no column {name:?}; it has {}", self.names.join(", "));
        let found = self.names.iter().position(|known| known == name);
        found.ok_or_else(|| invalid(self.what, 1, missing()))
    }

    /// Calls `each` with the fields of every row; what it refuses is said of the row's line.
    pub(super) fn each(
        mut self,
        mut each: impl FnMut(&csv::StringRecord) -> Result<(), String>,
    ) -> Result<()> {
        for record in self.reader.records() {
            let line = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
            let record = record.map_err(|error| invalid(self.what, line(error.position()), &error))?;
            each(&record).map_err(|reason| invalid(self.what, line(record.position()), reason))?;
        }
        Ok(())
    }
}

fn invalid(what: &str, line: u64, reason: impl ToString) -> Error {
    Error::invalid(format!("{what}, line {line}"), reason.to_string())
}
