//! What is printed: tables for people, JSON lines for programs.

use std::io::{BufWriter, StdoutLock, Write, stdout};

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use serde::Serialize;

use super::{Failure, Result};

/// The standard output. A reader that goes away ends the program quietly.
pub(crate) struct Output(BufWriter<StdoutLock<'static>>);

impl Output {
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(stdout().lock()))
    }

    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Result<()> {
        writeln!(self.0, "{text}").map_err(failure)
    }

    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?;
        self.line(text)
    }

    pub(crate) fn table(&mut self, table: &Table) -> Result<()> {
        self.line(table.trim_fmt())
    }

    /// Everything has been said.
    pub(crate) fn end(mut self) -> Result<()> {
        self.0.flush().map_err(failure)
    }
}

fn failure(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::Failed(format!("cannot write to the standard output: {error}")),
    }
}

/// A table without rows; columns from `numbers` on are aligned to the right.
pub(crate) fn table<T: ToString>(header: impl IntoIterator<Item = T>, numbers: usize) -> Table {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(line)).set_header(header);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What stands where there is no value.
pub(crate) const NONE: &str = "–";
