//! Reading a file row by row, and counting what is met.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

use csv::StringRecord;

use super::mapping::{Fault, Mapping};
use super::rejects::Rejects;
use super::report::{ColumnReport, Example, ImportReport};
use super::row::{Converted, Note, Noticed, Rejection, Rows};
use super::target::Written;
use super::text::{Text, unpack};
use crate::error::{Error, Result};
use crate::order::Order;

/// What has been met so far.
pub(super) struct Tally<'a> {
    pub(super) rejects: Option<Rejects<'a>>,
    rows: u64,
    rejected: u64,
    reasons: BTreeMap<&'static str, u64>,
    ignored: Vec<String>,
    columns: Vec<ColumnReport>,
    levels_cut: BTreeMap<String, u64>,
    negative: BTreeMap<String, u64>,
}

/// A file from its header on.
struct File<'a, R> {
    mapping: &'a Mapping,
    name: &'a str,
    csv: csv::Reader<BufReader<Text<R>>>,
}

/// Fails where a file lacks a column that the mapping names.
pub(super) fn check(mapping: &Mapping, name: &str, bytes: impl Read) -> Result<()> {
    let mut header = StringRecord::new();
    open(mapping, name, unpack(bytes).map_err(failed(name))?, &mut header)
        .and_then(|_| positions(mapping, name, &header))
        .map(|_| ())
}

/// Reads a file. `receive` gets the orders; one that it refuses as input is rejected.
pub(super) fn file(
    mapping: &Mapping,
    name: &str,
    bytes: impl Read,
    tally: &mut Tally<'_>,
    mut receive: impl FnMut(Order) -> Result<()>,
) -> Result<()> {
    let mut header = StringRecord::new();
    let mut file = open(mapping, name, unpack(bytes).map_err(failed(name))?, &mut header)?;
    let rows = Rows { mapping, positions: positions(mapping, name, &header)?, width: header.len() };
    tally.note_ignored(mapping, &header);
    let mut record = StringRecord::new();
    while let Some(line) = file.read(&mut record)? {
        tally.rows += 1;
        let rejection = match rows.convert(&record) {
            Err(rejection) => rejection,
            Ok(Converted { order, noticed }) => match receive(order) {
                Ok(()) => {
                    tally.note(&noticed, |slot| Example {
                        file: name.to_owned(),
                        line,
                        value: rows.field(&record, slot).to_owned(),
                    });
                    continue;
                }
                Err(error) if error.is_input() => {
                    Rejection { kind: "does not fit the schema", reason: reason(error) }
                }
                Err(error) => return Err(error),
            },
        };
        tally.reject(name, &header, line, &rejection, &record)?;
    }
    Ok(())
}

fn failed(name: &str) -> impl Fn(io::Error) -> Error {
    move |error| Error::io("read", name, error)
}

/// Opens a file and reads its header.
fn open<'a, R: Read>(
    mapping: &'a Mapping,
    name: &'a str,
    plain: R,
    header: &mut StringRecord,
) -> Result<File<'a, R>> {
    let mut text = BufReader::new(Text::new(plain, mapping.file.encoding).map_err(failed(name))?);
    for _ in 1..mapping.file.header_row {
        text.skip_until(b'\n').map_err(failed(name))?;
    }
    let csv = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(mapping.file.delimiter)
        .from_reader(text);
    let mut file = File { mapping, name, csv };
    if file.read(header)?.is_none() {
        return Err(Error::invalid(name, format!("there is no header on line {}", mapping.file.header_row)));
    }
    header.trim();
    Ok(file)
}

impl<R: Read> File<'_, R> {
    /// Reads the next row and tells the line on which it starts.
    fn read(&mut self, record: &mut StringRecord) -> Result<Option<u64>> {
        let before = self.csv.position().line();
        let found = self.csv.read_record(record).map_err(|error| failed(self.name)(error.into()))?;
        // The line now reached, without the line ends in quotes and the one that ended the row.
        let quoted = record.iter().flat_map(str::bytes).filter(|&byte| byte == b'\n').count() as u64;
        let line = self.csv.position().line().saturating_sub(quoted + 1).max(before);
        Ok(found.then_some(line + self.mapping.file.header_row - 1))
    }
}

fn reason(error: Error) -> String {
    match error {
        Error::InvalidOrder { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// Where the mapping's columns stand in the file.
fn positions(mapping: &Mapping, file: &str, header: &StringRecord) -> Result<Vec<usize>> {
    let find = |column: &str| {
        let mut found = header.iter().enumerate().filter(|(_, name)| *name == column).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(at),
            (None, _) => Err(Error::unknown(format!("column of {file}"), column, header.iter())),
            (Some(_), Some(_)) => {
                Err(Error::invalid(file, format!("column {column:?} stands twice in the header")))
            }
        }
    };
    mapping.columns.iter().map(|mapped| find(&mapped.column)).collect()
}

impl<'a> Tally<'a> {
    pub(super) fn new(mapping: &Mapping) -> Self {
        Self {
            rejects: None,
            rows: 0,
            rejected: 0,
            reasons: BTreeMap::new(),
            ignored: Vec::new(),
            columns: mapping.columns.iter().map(ColumnReport::new).collect(),
            levels_cut: BTreeMap::new(),
            negative: BTreeMap::new(),
        }
    }

    pub(super) fn report(self, written: Written) -> ImportReport {
        ImportReport {
            rows: self.rows,
            imported: written.orders,
            changed: written.changed,
            unchanged: written.unchanged,
            rejected: self.rejected,
            reasons: self.reasons,
            repeated: written.repeated,
            ignored: self.ignored,
            columns: self.columns,
            levels_cut: self.levels_cut,
            negative: self.negative,
            commit: written.commit,
            bytes: written.bytes,
        }
    }

    fn note_ignored(&mut self, mapping: &Mapping, header: &StringRecord) {
        for name in header {
            let known = name.is_empty()
                || mapping.columns.iter().any(|mapped| mapped.column == name)
                || self.ignored.iter().any(|ignored| ignored == name);
            if !known {
                self.ignored.push(name.to_owned());
            }
        }
    }

    fn note(&mut self, row: &Noticed, example: impl Fn(usize) -> Example) {
        for &(slot, note) in &row.notes {
            let Some(column) = self.columns.get_mut(slot) else { continue };
            *match note {
                Note::Fault(Fault::Missing) => &mut column.missing,
                Note::Fault(Fault::Unreadable) => &mut column.unreadable,
                Note::Fault(Fault::OutOfRange) => &mut column.out_of_range,
                Note::Ambiguous => &mut column.ambiguous,
                Note::Skipped => &mut column.skipped,
            } += 1;
            if matches!(note, Note::Fault(Fault::Unreadable | Fault::OutOfRange)) && column.example.is_none()
            {
                column.example = Some(example(slot));
            }
        }
        for (counts, names) in [(&mut self.levels_cut, &row.levels_cut), (&mut self.negative, &row.negative)]
        {
            for name in names {
                *counts.entry(name.clone()).or_default() += 1;
            }
        }
    }

    fn reject(
        &mut self,
        file: &str,
        header: &StringRecord,
        line: u64,
        rejection: &Rejection,
        record: &StringRecord,
    ) -> Result<()> {
        self.rejected += 1;
        *self.reasons.entry(rejection.kind).or_default() += 1;
        match &mut self.rejects {
            Some(rejects) => rejects.write(file, header, line, &rejection.reason, record),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
