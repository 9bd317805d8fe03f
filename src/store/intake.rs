//! Checking orders against the schema and turning names into numbers.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::order::{Moment, Order, Patch, Value};
use crate::order_id::OrderId;
use crate::schema::{Clock, Field, MeasureSource, Schema};
use crate::segment::{ColumnId, Layout, MISSING, Row, TEXT_LIMIT, column_of};
use crate::tree::{Forest, Step};

/// Takes orders in. It owns the trees of its load, which grow by the names that new orders bring.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) schema: Arc<Schema>,
    pub(crate) layout: Layout,
    pub(crate) forest: Forest,
    /// The commit that the rows are born in.
    born: i64,
}

/// 180° and 90° in 10⁻⁷ degrees.
const EAST: i32 = 1_800_000_000;
const NORTH: i32 = 900_000_000;

impl Intake {
    pub(crate) fn new(schema: Arc<Schema>, forest: Forest, born: u64) -> Self {
        let layout = Layout::new(&schema);
        Self { schema, layout, forest, born: i64::try_from(born).unwrap_or(i64::MAX) }
    }

    /// Resolves an order. One that does not fit leaves the trees as they were.
    pub(crate) fn row(&mut self, order: &Order) -> Result<Row> {
        let complain = |reason: String| Error::order(order.id(), reason);
        let id = OrderId::parse(order.id()).map_err(|error| complain(reason(error)))?;
        let mut row = Row {
            id,
            columns: vec![MISSING; self.layout.columns().len()],
            tags: vec![Vec::new(); self.layout.tags()],
            texts: vec![None; self.layout.texts()],
        };
        self.set(&mut row, ColumnId::Born, self.born);
        let (point, place) = (order.point(), Some(order.place_path()));
        self.write(&mut row, Some(order.created()), point, place, order.values()).map_err(complain)?;
        Ok(row)
    }

    /// The next version of an order. What the patch does not name stays as it is, whatever names have become
    /// ambiguous since. One that does not fit leaves the trees as they were.
    pub(crate) fn patched(&mut self, mut row: Row, patch: &Patch) -> Result<Row> {
        let id = row.id.to_string();
        let complain = |reason: String| Error::order(&id, reason);
        self.set(&mut row, ColumnId::Born, self.born);
        if patch.location == Some(None) {
            self.clear(&mut row, crate::schema::LOCATION).map_err(complain)?;
        }
        for (name, _) in patch.values.iter().filter(|(_, value)| value.is_none()) {
            self.clear(&mut row, name).map_err(complain)?;
        }
        let values = patch.values.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)));
        let (created, place) = (patch.created.as_ref(), patch.place.as_deref());
        self.write(&mut row, created, patch.location.flatten(), place, values).map_err(complain)?;
        Ok(row)
    }

    /// Writes what is given into a row.
    fn write<'a>(
        &mut self,
        row: &mut Row,
        created: Option<&Moment>,
        point: Option<(i32, i32)>,
        place: Option<&[Step]>,
        values: impl Iterator<Item = (&'a str, &'a Value)>,
    ) -> Result<(), String> {
        if let Some(created) = created {
            let created = self.time(created).map_err(|error| format!("created: {}", reason(error)))?;
            self.set(row, ColumnId::Created, created);
        }
        if let Some((longitude, latitude)) = point {
            self.set_point(row, longitude, latitude)?;
        }
        // Paths, categories and tags grow the trees, so they come when all else is known to fit.
        let mut names: Vec<(Field, &Value)> = Vec::new();
        for (name, value) in values {
            let field = self.schema.require(name).map_err(|error| error.to_string())?;
            match (field, value) {
                (Field::Tree(_), Value::Tree(_))
                | (Field::Category(_), Value::Category(_))
                | (Field::Tags(_), Value::Tags(_)) => names.push((field, value)),
                _ => self.set_plain(row, field, name, value)?,
            }
        }
        self.check_paths(place.unwrap_or_default(), &names).map_err(reason)?;
        if let Some(place) = place {
            let place = self.forest.place.intern_path(place).map_err(reason)?;
            self.set(row, ColumnId::Place, place.map_or(MISSING, |node| node.index().into()));
        }
        names.into_iter().try_for_each(|(field, value)| self.set_named(row, field, value)).map_err(reason)
    }

    /// Makes a field missing.
    fn clear(&self, row: &mut Row, name: &str) -> Result<(), String> {
        let field = self.schema.require(name).map_err(|error| error.to_string())?;
        match field {
            Field::Tags(number) => row.tags.get_mut(number).map_or((), Vec::clear),
            Field::Text(number) => row.texts.get_mut(number).map_or((), |text| *text = None),
            Field::Location => {
                self.set(row, ColumnId::Longitude, MISSING);
                self.set(row, ColumnId::Latitude, MISSING);
            }
            Field::Clock(Clock::Created) => return Err(format!("{name:?} is never missing")),
            _ => match column_of(field).filter(|column| self.layout.position(*column).is_some()) {
                Some(column) => self.set(row, column, MISSING),
                None => return Err(format!("{name:?} is computed from two clocks; clear one of these")),
            },
        }
        Ok(())
    }

    fn set(&self, row: &mut Row, column: ColumnId, value: i64) {
        if let Some(slot) = self.layout.position(column).and_then(|position| row.columns.get_mut(position)) {
            *slot = value;
        }
    }

    pub(crate) fn born(&self) -> i64 {
        self.born
    }

    fn set_point(&self, row: &mut Row, longitude: i32, latitude: i32) -> Result<(), String> {
        self.check_point(longitude, latitude)?;
        self.set(row, ColumnId::Longitude, longitude.into());
        self.set(row, ColumnId::Latitude, latitude.into());
        Ok(())
    }

    pub(crate) fn check_point(&self, longitude: i32, latitude: i32) -> Result<(), String> {
        if !self.schema.location {
            return Err("has a point, the schema has no location".to_owned());
        }
        if !(-EAST..=EAST).contains(&longitude) || !(-NORTH..=NORTH).contains(&latitude) {
            return Err("the point has to lie within ±180° of longitude and ±90° of latitude".to_owned());
        }
        Ok(())
    }

    /// Sets a field whose value is not a name in a tree.
    fn set_plain(&self, row: &mut Row, field: Field, name: &str, value: &Value) -> Result<(), String> {
        match (field, value) {
            (Field::Outcome(number), Value::Outcome(label)) => {
                crate::filter::check_labels(&self.schema, number, std::slice::from_ref(label))
                    .map_err(|error| error.to_string())?;
                let labels = self.schema.outcomes.get(number).map_or(&[][..], |outcome| &outcome.labels);
                let position = (0i64..).zip(labels).find(|(_, known)| *known == label);
                self.set(row, ColumnId::Outcome(number), position.map_or(MISSING, |(position, _)| position));
            }
            (Field::Measure(number), Value::Measure(value)) => {
                let stored = self.schema.measures.get(number).map(|measure| &measure.source);
                if stored != Some(&MeasureSource::Stored) {
                    return Err(format!("{name:?} is computed from two clocks; give these"));
                }
                if *value == MISSING {
                    return Err(format!("{name:?} cannot be {MISSING}, which stands for missing"));
                }
                self.set(row, ColumnId::Measure(number), *value);
            }
            (Field::Clock(Clock::Other(number)), Value::Clock(time)) => {
                let time = self.time(time).map_err(|error| format!("{name}: {}", reason(error)))?;
                self.set(row, ColumnId::Clock(number), time);
            }
            (Field::Key(number), Value::Key(key)) => {
                if key.cast_signed() == MISSING {
                    return Err(format!("{name:?} cannot be {key}, which stands for missing"));
                }
                self.set(row, ColumnId::Key(number), key.cast_signed());
            }
            (Field::Text(number), Value::Text(text)) => {
                if text.len() > TEXT_LIMIT {
                    return Err(format!(
                        "{name:?} has {} bytes, a text takes up to {TEXT_LIMIT}",
                        text.len()
                    ));
                }
                if let Some(slot) = row.texts.get_mut(number) {
                    *slot = Some(text.clone());
                }
            }
            (Field::Clock(Clock::Created) | Field::Place | Field::Location, _) => {
                return Err(format!(
                    "{name:?} is not set as a field; Order::new, place and location set what every order has"
                ));
            }
            _ => {
                return Err(format!(
                    "{name:?} is {} of the schema, the order has {}",
                    kind(field),
                    given(value)
                ));
            }
        }
        Ok(())
    }

    /// Fails where a path or a name could not be taken in.
    fn check_paths(&self, place: &[Step], names: &[(Field, &Value)]) -> Result<()> {
        self.forest.place.check_path(place)?;
        for (field, value) in names {
            let Some(tree) = self.forest.of(*field) else { continue };
            match value {
                Value::Tree(path) => tree.check_path(path)?,
                Value::Category(value) => tree.check_path(&[Step::from(value)])?,
                Value::Tags(tags) => tags.iter().try_for_each(|tag| tree.check_path(&[Step::from(tag)]))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn set_named(&mut self, row: &mut Row, field: Field, value: &Value) -> Result<()> {
        match (field, value) {
            (Field::Tree(number), Value::Tree(path)) => {
                let Some(tree) = self.forest.trees.get_mut(number) else { return Ok(()) };
                let node = tree.intern_path(path)?;
                self.set(row, ColumnId::Tree(number), node.map_or(MISSING, |node| node.index().into()));
            }
            (Field::Category(number), Value::Category(value)) => {
                let Some(tree) = self.forest.categories.get_mut(number) else { return Ok(()) };
                let node = tree.intern(None, value, None)?;
                self.set(row, ColumnId::Category(number), node.index().into());
            }
            (Field::Tags(number), Value::Tags(tags)) => {
                let (Some(tree), Some(list)) = (self.forest.tags.get_mut(number), row.tags.get_mut(number))
                else {
                    return Ok(());
                };
                list.clear();
                for tag in tags {
                    list.push(tree.intern(None, tag, None)?.index());
                }
                list.sort_unstable();
                list.dedup();
            }
            _ => {}
        }
        Ok(())
    }

    /// The seconds of a time.
    pub(crate) fn time(&self, moment: &Moment) -> Result<i64> {
        time(&self.schema, moment)
    }
}

/// The seconds of a time, within the years that zonal keeps.
pub(super) fn time(schema: &Schema, moment: &Moment) -> Result<i64> {
    use crate::calendar::{EARLIEST, LATEST};
    match moment {
        Moment::Text(text) => schema.calendar().parse(text),
        Moment::Seconds(seconds) if (EARLIEST..=LATEST).contains(seconds) => Ok(*seconds),
        Moment::Seconds(seconds) => {
            Err(Error::invalid("time", format!("{seconds} lies outside the years 1900 to 2200")))
        }
    }
}

fn kind(field: Field) -> &'static str {
    match field {
        Field::Place => "the place",
        Field::Tree(_) => "a tree",
        Field::Category(_) => "a category",
        Field::Tags(_) => "a tags field",
        Field::Outcome(_) => "an outcome",
        Field::Measure(_) => "a measure",
        Field::Clock(_) => "a clock",
        Field::Key(_) => "a key",
        Field::Location => "the location",
        Field::Text(_) => "a text",
    }
}

fn given(value: &Value) -> &'static str {
    match value {
        Value::Tree(_) => "a path",
        Value::Category(_) => "a category's value",
        Value::Tags(_) => "tags",
        Value::Outcome(_) => "an outcome's label",
        Value::Measure(_) => "a measure",
        Value::Clock(_) => "a time",
        Value::Key(_) => "a key",
        Value::Text(_) => "a text",
    }
}

/// What an error says, without what it is about.
fn reason(error: Error) -> String {
    match error {
        Error::Invalid { reason, .. } | Error::InvalidOrder { reason, .. } => reason,
        other => other.to_string(),
    }
}
