//! From a row of a file to an order.

use csv::StringRecord;

use super::mapping::{Column, Fault, Identity, Level, Mapping, Name, Source, TimeColumn};
use crate::calendar::LocalTime;
use crate::order::{Order, Value};
use crate::schema::{CREATED, Clock, MeasureSource, Schema};
use crate::tree::Step;

/// A row that became an order, and what was noticed on the way.
pub(super) struct Converted {
    pub(super) order: Order,
    pub(super) noticed: Noticed,
}

/// What the report counts of a row.
pub(super) struct Noticed {
    /// By the place of the column in the mapping.
    pub(super) notes: Vec<(usize, Note)>,
    /// Trees in which a level has a value under a missing one.
    pub(super) levels_cut: Vec<String>,
    /// Measures whose second clock is before the first.
    pub(super) negative: Vec<String>,
}

/// What is counted in the report of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Fault(Fault),
    Ambiguous,
    Skipped,
}

/// Why a row is no order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    /// The kind of reason, to be counted.
    pub(super) kind: &'static str,
    /// The reason of this row.
    pub(super) reason: String,
}

/// Reads the rows of one file.
pub(super) struct Rows<'a> {
    pub(super) mapping: &'a Mapping,
    /// Where each column of the mapping stands in the file.
    pub(super) positions: Vec<usize>,
    /// How many fields a row has.
    pub(super) width: usize,
}

impl Rows<'_> {
    pub(super) fn convert(&self, record: &StringRecord) -> Result<Converted, Rejection> {
        if record.len() != self.width {
            let reason = format!("it has {} fields, the header has {}", record.len(), self.width);
            return Err(Rejection { kind: "wrong number of fields", reason });
        }
        let Mapping { id, created, fields, .. } = self.mapping;
        let id_text =
            id.text(self.field(record, id.slot)).map_err(|fault| self.rejection(record, id, "id", fault))?;
        let (created_at, local) = created
            .time(self.field(record, created.column.slot), self.mapping.schema().calendar())
            .map_err(|fault| self.rejection(record, &created.column, CREATED, fault))?;
        let order = Order::new(id_text, created_at);
        let mut row = Row { rows: self, record, notes: Vec::new(), levels_cut: Vec::new() };
        row.note_local(&created.column, local);
        let order = fields.iter().fold(order, |order, (name, source)| row.set(order, name, source));
        let negative = negative(self.mapping.schema(), &order);
        Ok(Converted { order, noticed: Noticed { notes: row.notes, levels_cut: row.levels_cut, negative } })
    }

    /// The field of a column, by its place in the mapping.
    pub(super) fn field<'r>(&self, record: &'r StringRecord, slot: usize) -> &'r str {
        self.positions.get(slot).and_then(|&position| record.get(position)).unwrap_or("")
    }

    fn rejection(&self, record: &StringRecord, column: &Column, what: &str, fault: Fault) -> Rejection {
        let created = what == CREATED;
        let (kind, fault) = match fault {
            Fault::Missing => (if created { "no created" } else { "no id" }, "is missing"),
            Fault::Unreadable => {
                (if created { "created cannot be read" } else { "id cannot be read" }, "cannot be read")
            }
            Fault::OutOfRange => {
                (if created { "created out of range" } else { "id out of range" }, "is out of range")
            }
        };
        let name = self.mapping.columns.get(column.slot).map_or("", |mapped| mapped.column.as_str());
        let value = self.field(record, column.slot);
        Rejection { kind, reason: format!("{what} {fault}: {name} is {value:?}") }
    }
}

/// One row on its way.
struct Row<'a> {
    rows: &'a Rows<'a>,
    record: &'a StringRecord,
    notes: Vec<(usize, Note)>,
    levels_cut: Vec<String>,
}

impl<'a> Row<'a> {
    fn set(&mut self, order: Order, name: &str, source: &Source) -> Order {
        match source {
            Source::Place(levels) => order.place(self.path(name, levels)),
            Source::Tree(levels) => match self.path(name, levels) {
                path if path.is_empty() => order,
                path => order.tree(name, path),
            },
            Source::Category(value) => put(order, name, self.name(value).map(Value::Category)),
            Source::Tags { columns, separator } => {
                let tags = self.tags(columns, separator.as_deref());
                if tags.is_empty() { order } else { order.tags(name, tags) }
            }
            Source::Outcome { column, labels } => {
                let label = column
                    .text(self.field(column))
                    .and_then(|text| labels.get(text.as_ref()).cloned().ok_or(Fault::Unreadable));
                put(order, name, self.noted(column, label).map(Value::Outcome))
            }
            Source::Clock(times) => put(order, name, self.time(times).map(|time| Value::Clock(time.into()))),
            Source::Measure(column) => {
                let number = column.number(self.field(column));
                put(order, name, self.noted(column, number).map(Value::Measure))
            }
            Source::Key { column, identity } => {
                let key = column.text(self.field(column)).and_then(|text| key(*identity, &text));
                put(order, name, self.noted(column, key).map(Value::Key))
            }
            Source::Location { longitude, latitude, default } => {
                match self.point(longitude, latitude, *default) {
                    Some((longitude, latitude)) => order.location_e7(longitude, latitude),
                    None => order,
                }
            }
            Source::Text(column) => {
                // What cannot be decoded marks itself; a long text is not given up for it.
                let field = self.field(column).trim();
                let text = match column.text(field) {
                    Err(Fault::Unreadable) => Ok(field.into()),
                    text => text,
                };
                put(order, name, self.noted(column, text).map(|text| Value::Text(text.into_owned())))
            }
        }
    }

    fn field(&self, column: &Column) -> &'a str {
        self.rows.field(self.record, column.slot)
    }

    /// The value of a column; what keeps it from having one is noted.
    fn noted<T>(&mut self, column: &Column, value: Result<T, Fault>) -> Option<T> {
        value.map_err(|fault| self.notes.push((column.slot, Note::Fault(fault)))).ok()
    }

    fn note_local(&mut self, column: &Column, local: LocalTime) {
        match local {
            LocalTime::Plain => {}
            LocalTime::Ambiguous => self.notes.push((column.slot, Note::Ambiguous)),
            LocalTime::Skipped => self.notes.push((column.slot, Note::Skipped)),
        }
    }

    fn name(&mut self, name: &Name) -> Option<String> {
        match name {
            Name::Value(value) => Some(value.clone()),
            Name::Column(column) => {
                let text = column.text(self.field(column));
                self.noted(column, text).map(Into::into)
            }
        }
    }

    /// The path down to its first missing level.
    fn path(&mut self, tree: &str, levels: &[Level]) -> Vec<Step> {
        let (mut path, mut ended, mut cut) = (Vec::new(), false, false);
        for level in levels {
            let Some(name) = self.name(&level.name) else {
                ended = true;
                continue;
            };
            if ended {
                cut |= matches!(level.name, Name::Column(_));
                continue;
            }
            let code = level.code.as_ref().and_then(|code| {
                let text = code.text(self.field(code));
                self.noted(code, text).map(Into::into)
            });
            path.push(Step { name, code });
        }
        if cut {
            self.levels_cut.push(tree.to_owned());
        }
        path
    }

    fn tags(&mut self, columns: &[Column], separator: Option<&str>) -> Vec<String> {
        let mut tags = Vec::new();
        for column in columns {
            let field = self.field(column);
            let mut add = |text: &str| {
                let tag = column.text(text);
                tags.extend(self.noted(column, tag).map(String::from));
            };
            match separator {
                // Of a list, only the whole can be missing; an empty place in it is nothing.
                Some(separator) if column.text(field) != Err(Fault::Missing) => {
                    field.split(separator).filter(|tag| !tag.trim().is_empty()).for_each(add);
                }
                _ => add(field),
            }
        }
        tags
    }

    fn time(&mut self, times: &TimeColumn) -> Option<i64> {
        let time = times.time(self.field(&times.column), self.rows.mapping.schema().calendar());
        let (instant, local) = self.noted(&times.column, time)?;
        self.note_local(&times.column, local);
        Some(instant)
    }

    fn point(
        &mut self,
        longitude: &Column,
        latitude: &Column,
        default: Option<(i32, i32)>,
    ) -> Option<(i32, i32)> {
        let east = degrees(longitude, self.field(longitude), 180.0);
        let north = degrees(latitude, self.field(latitude), 90.0);
        let (east, north) = (self.noted(longitude, east), self.noted(latitude, north));
        let point = east.zip(north)?;
        if point == (0, 0) || Some(point) == default {
            let missing = Note::Fault(Fault::Missing);
            self.notes.extend([(longitude.slot, missing), (latitude.slot, missing)]);
            return None;
        }
        Some(point)
    }
}

fn put(order: Order, name: &str, value: Option<Value>) -> Order {
    match value {
        Some(value) => order.with(name, value),
        None => order,
    }
}

/// Degrees in 10⁻⁷.
fn degrees(column: &Column, field: &str, most: f64) -> Result<i32, Fault> {
    let degrees: f64 = column.text(field)?.parse().map_err(|_| Fault::Unreadable)?;
    match degrees {
        _ if degrees.is_nan() => Err(Fault::Unreadable),
        _ if degrees.abs() > most => Err(Fault::OutOfRange),
        _ => Ok(super::mapping::e7(degrees)),
    }
}

fn key(identity: Identity, text: &str) -> Result<u64, Fault> {
    match identity {
        Identity::Hash(secret) => Ok(secret.identity(text)),
        Identity::Integer => match text.parse() {
            // Stands for missing in a store.
            Ok(key) if key == 1 << 63 => Err(Fault::OutOfRange),
            Ok(key) => Ok(key),
            Err(_) => Err(Fault::Unreadable),
        },
    }
}

/// The measures between two clocks that the order has the wrong way round.
fn negative(schema: &Schema, order: &Order) -> Vec<String> {
    let time = |clock| match clock {
        Clock::Created => order.created().seconds(),
        Clock::Other(_) => match order.value(schema.clock_name(clock)) {
            Some(Value::Clock(time)) => time.seconds(),
            _ => None,
        },
    };
    let backwards = |source: &MeasureSource| match source {
        MeasureSource::Between { from, to, .. } => {
            time(*from).zip(time(*to)).is_some_and(|(from, to)| to < from)
        }
        MeasureSource::Stored => false,
    };
    let measures = schema.measures.iter().filter(|measure| backwards(&measure.source));
    measures.map(|measure| measure.name.clone()).collect()
}
