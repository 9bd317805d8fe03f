//! The mapping file: which column of a CSV file becomes which field of an order.

mod build;
mod column;
mod form;
mod time;

use std::collections::BTreeMap;
use std::io::Read;

pub(super) use build::e7;
pub(super) use column::{Column, Fault};
pub(super) use form::EncodingForm as Encoding;
pub(super) use time::TimeColumn;

use super::hash::Secret;
use crate::error::{Error, Result};
use crate::schema::Schema;

/// How CSV files become orders: a schema, and for each of its fields where the values come from.
///
/// A mapping is written in TOML. This one uses most of what there is:
///
/// ```
/// let mapping = zonal::Mapping::from_toml(r#"
///     time_zone = "America/New_York"
///     partition = "month"                    # day, month or year; month if not said
///     missing = ["", "-", "N/A"]             # spellings of missing in all columns; an empty field always is
///
///     [file]                                 # all of this can be left out
///     encoding = "auto"                      # or utf-8, gb18030
///     delimiter = ","
///     header_row = 1                         # the line of the column names, counted from 1
///
///     [order]
///     id = "case_id"
///     created = { column = "opened", formats = ["%m/%d/%Y %I:%M:%S %p", "excel"] }
///
///     [place]                                # one column for each level, from the top
///     levels = ["city", "ward", "precinct"]
///     columns = [
///         { value = "Boston" },
///         { column = "ward", clean = { strip_prefix = "Ward ", integer = true, range = [1, 22] } },
///         { column = "precinct", code = "precinct_code", missing = ["0"] },
///     ]
///
///     [location]
///     longitude = "lon"
///     latitude = "lat"
///     default = [-71.0587, 42.3594]          # the point that the source gives where it knows none
///
///     [[tree]]
///     name = "topic"
///     levels = ["reason", "type"]
///     columns = ["reason", "type"]
///
///     [[category]]
///     name = "channel"
///     column = "source"
///     clean = { values = { Tel = "phone", Telephone = "phone" } }
///
///     [[tags]]
///     name = "marks"
///     column = "marks"
///     separator = ";"                        # or columns = ["mark_1", "mark_2"]
///
///     [[outcome]]
///     name = "on_time"
///     column = "ontime"
///     labels = { ONTIME = "yes", OVERDUE = "no" }
///
///     [[clock]]
///     name = "closed"
///     column = "closed_dt"                   # without formats: iso
///     clean = { range = ["2011-01-01", "2013-01-01"] }
///
///     [[measure]]
///     name = "cost"
///     column = "cost"
///
///     [[measure]]
///     name = "minutes_to_close"
///     between = ["created", "closed"]
///     unit = "minutes"
///
///     [[key]]
///     name = "caller"
///     column = "phone"
///     secret = "any long text that stays in the house"
///
///     [[text]]
///     name = "address"
///     column = "address"
///
///     [[counter]]
///     name = "on_time"
///     where = "on_time=yes"
/// "#)?;
/// assert_eq!(mapping.schema().place_levels(), ["city", "ward", "precinct"]);
/// # Ok::<(), zonal::Error>(())
/// ```
///
/// **Columns** are named as in the file's header. Columns that the mapping does not name are ignored, and the
/// [report](crate::ImportReport) lists them. Where a place level, a tree level, the order's id or its time
/// takes more than a column's name, it is a table. A level or a category may be a constant: `{ value =
/// "Boston" }`, `value = "phone"`.
///
/// **Missing.** Every text is trimmed first. It is missing when it is empty or one of the spellings in
/// `missing`; a column's own list replaces the general one. A path ends at its first missing level. A value
/// that cannot be read is counted in the report and is missing then; without its id or `created`, a row is
/// rejected.
///
/// **Clean** changes a text in this order: `strip_prefix` goes; `integer` writes a whole number in its
/// shortest form (`09` is `9`, `17.0` is `17`; anything else is unreadable); `values` replaces whole texts; a
/// value outside of `range` is out of range, which is counted and missing. A range of numbers holds both its
/// ends. A range of times, which are written as in [`Calendar::parse`](crate::Calendar::parse), holds its
/// start and not its end, like every span.
///
/// **Times** are read with the first of their `formats` that fits the whole text: a pattern of strptime's
/// directives (as in [`jiff::fmt::strtime`]), with or without a time of day and an offset; `iso` for ISO
/// 8601; `excel` for days since 1900 as spreadsheets count them, rounded to seconds; `unix` for seconds since
/// 1970. A date alone is its first instant.
///
/// **Codes.** Where a level has a `code`, the code identifies the node and the first name seen with it is its
/// label.
///
/// **Outcomes.** The labels are ordered by where they first stand in the file.
///
/// **Locations.** The point 0, 0 and the stated default are missing.
///
/// **Keys** are hashed: SipHash-2-4, keyed by the `secret`, so that the store holds no phone number. Without
/// a secret, whoever can guess a number can find it; with another secret, identities do not match. `integer =
/// true` takes a number as it is.
#[derive(Debug, Clone)]
pub struct Mapping {
    schema: Schema,
    pub(super) file: FileFormat,
    /// All columns that are read; a [`Column`] knows its place here.
    pub(super) columns: Vec<Mapped>,
    pub(super) id: Column,
    pub(super) created: TimeColumn,
    pub(super) fields: Vec<(String, Source)>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileFormat {
    pub(super) encoding: Encoding,
    pub(super) delimiter: u8,
    pub(super) header_row: u64,
}

/// A column of the file, and what it is for.
#[derive(Debug, Clone)]
pub(super) struct Mapped {
    pub(super) column: String,
    /// A field's name; of a level, the tree's name and the level's: `place.ward`.
    pub(super) field: String,
}

/// Where the values of a field come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Place(Vec<Level>),
    Tree(Vec<Level>),
    Category(Name),
    Tags { columns: Vec<Column>, separator: Option<String> },
    Outcome { column: Column, labels: BTreeMap<String, String> },
    Clock(TimeColumn),
    Measure(Column),
    Key { column: Column, identity: Identity },
    Location { longitude: Column, latitude: Column, default: Option<(i32, i32)> },
    Text(Column),
}

/// A level of a path.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) name: Name,
    pub(super) code: Option<Column>,
}

/// A name from a column, or always the same.
#[derive(Debug, Clone)]
pub(super) enum Name {
    Column(Column),
    Value(String),
}

/// How a text becomes an identity.
#[derive(Debug, Clone, Copy)]
pub(super) enum Identity {
    Integer,
    Hash(Secret),
}

impl Mapping {
    /// Reads a mapping from its TOML form.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the line, or the field, and what would be right. The schema in it is checked
    /// as [`Schema::from_toml`] does.
    pub fn from_toml(text: &str) -> Result<Self> {
        let form = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|&byte| byte == b'\n').count();
            invalid(format!("line {line}: {}", error.message()))
        })?;
        build::build(form)
    }

    /// Fails where a CSV file, plain or packed with gzip, lacks a column that the mapping names. Only the
    /// header is read.
    ///
    /// # Errors
    /// As for [`Import::file`](crate::Import::file).
    pub fn check(&self, name: &str, bytes: impl Read) -> Result<()> {
        super::read::check(self, name, bytes)
    }

    /// The schema that the mapping declares.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::invalid("mapping file", reason)
}

#[cfg(test)]
mod tests;
