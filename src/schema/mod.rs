//! What a store's orders carry: the schema, its fields, and how a schema grows.

mod builder;
mod form;
mod growth;

pub use builder::SchemaBuilder;

use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, PartitionGrain};
use crate::error::{Error, Result};
use crate::filter::Filter;
use form::Form;
use growth::Growth;

/// The name under which queries and filters speak of the place tree.
pub(crate) const PLACE: &str = "place";
/// The name of the primary clock.
pub(crate) const CREATED: &str = "created";
/// The name under which filters speak of an order's point.
pub(crate) const LOCATION: &str = "location";
/// The metric that every answer has.
pub(crate) const COUNT: &str = "count";
/// Names that no field or counter may take: filters in text form have some of them as words.
const RESERVED: [&str; 9] = ["id", PLACE, CREATED, LOCATION, COUNT, "and", "or", "not", "all"];

/// What the orders of a store carry.
///
/// A schema is built with [`Schema::builder`] or read from TOML ([`Schema::from_toml`]), is stored in the
/// store's folder, and says once what every later call speaks of by name.
///
/// ```
/// use zonal::{Schema, is};
///
/// let schema = Schema::builder("Asia/Shanghai")
///     .place(["city", "district", "street"])
///     .category("channel")
///     .outcome("solved", ["yes", "no"])
///     .counter("solved", is("solved", "yes"))
///     .build()?;
/// assert_eq!(schema.time_zone(), "Asia/Shanghai");
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Schema {
    calendar: Calendar,
    partition: PartitionGrain,
    pub(crate) place: TreeField,
    pub(crate) trees: Vec<TreeField>,
    pub(crate) categories: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) outcomes: Vec<OutcomeField>,
    pub(crate) counters: Vec<CounterField>,
    pub(crate) measures: Vec<MeasureField>,
    pub(crate) clocks: Vec<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) location: bool,
    pub(crate) texts: Vec<String>,
}

/// A tree of the schema and the names of its levels, from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeField {
    pub(crate) name: String,
    pub(crate) levels: Vec<String>,
}

/// An outcome and its labels; a label's number is its place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutcomeField {
    pub(crate) name: String,
    pub(crate) labels: Vec<String>,
}

/// A named filter over outcomes and categories.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CounterField {
    pub(crate) name: String,
    pub(crate) filter: Filter,
}

/// A measure and where its values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MeasureField {
    pub(crate) name: String,
    pub(crate) source: MeasureSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MeasureSource {
    /// Given with the order.
    Stored,
    /// From one clock to another in whole units, rounded down; computed, never stored.
    Between { from: Clock, to: Clock, unit: Unit },
}

/// A clock of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Clock {
    Created,
    Other(usize),
}

/// The unit in which a measure between two clocks counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Unit {
    /// 1 s.
    Seconds,
    /// 60 s.
    Minutes,
    /// 3,600 s.
    Hours,
    /// 86,400 s, whatever the local clocks did.
    Days,
}

impl Unit {
    pub(crate) fn seconds(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Days => 86_400,
        }
    }
}

/// A field of the schema, found by its name: what it is, and which one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    Place,
    Tree(usize),
    Category(usize),
    Tags(usize),
    Outcome(usize),
    Measure(usize),
    Clock(Clock),
    Key(usize),
    Location,
    Text(usize),
}

impl Schema {
    /// Starts a schema whose local times are those of `time_zone`, an IANA name such as `Asia/Shanghai`.
    pub fn builder(time_zone: impl Into<String>) -> SchemaBuilder {
        SchemaBuilder::new(time_zone.into())
    }

    /// Reads a schema from its TOML form.
    ///
    /// ```
    /// let schema = zonal::Schema::from_toml(r#"
    ///     time_zone = "America/New_York"
    ///     [place]
    ///     levels = ["city", "ward", "precinct"]
    ///     [[category]]
    ///     name = "channel"
    ///     [[clock]]
    ///     name = "closed"
    ///     [[measure]]
    ///     name = "minutes_to_close"
    ///     between = ["created", "closed"]
    ///     unit = "minutes"
    /// "#)?;
    /// assert_eq!(schema.place_levels(), ["city", "ward", "precinct"]);
    /// # Ok::<(), zonal::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] names the line or the field that is wrong.
    #[cfg(feature = "import")]
    pub fn from_toml(text: &str) -> Result<Self> {
        let form: Form = toml::from_str(text).map_err(|error| Error::invalid("schema", error.to_string()))?;
        form.try_into()
    }

    /// The TOML form of this schema.
    ///
    /// # Errors
    /// None that a schema could cause; the TOML writer's signature is passed on.
    #[cfg(feature = "import")]
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(&Form::from(self.clone()))
            .map_err(|error| Error::invalid("schema", error.to_string()))
    }

    /// The IANA name of the time zone.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        self.calendar.zone()
    }

    /// The calendar of the schema's time zone.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The step of `created` that makes one partition: day, month or year.
    #[must_use]
    pub fn partition(&self) -> PartitionGrain {
        self.partition
    }

    /// The names of the place tree's levels, from the top.
    #[must_use]
    pub fn place_levels(&self) -> &[String] {
        &self.place.levels
    }

    /// The names of the counters, in the order of their declaration.
    pub fn counters(&self) -> impl Iterator<Item = &str> {
        self.counters.iter().map(|counter| counter.name.as_str())
    }

    /// Parses the text form of a filter; see [`Filter`] for the grammar.
    ///
    /// # Errors
    /// [`Error::Invalid`] says where the text stops making sense; [`Error::Unknown`] names a field or a label
    /// that the schema does not have. Values of trees, categories and tags are looked up when a query runs.
    pub fn filter(&self, text: &str) -> Result<Filter> {
        crate::filter::parse(text, self)
    }

    /// The field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<Field> {
        let at = |names: &[String]| names.iter().position(|known| known == name);
        match name {
            PLACE => return Some(Field::Place),
            CREATED => return Some(Field::Clock(Clock::Created)),
            LOCATION if self.location => return Some(Field::Location),
            _ => {}
        }
        self.trees
            .iter()
            .position(|tree| tree.name == name)
            .map(Field::Tree)
            .or_else(|| at(&self.categories).map(Field::Category))
            .or_else(|| at(&self.tags).map(Field::Tags))
            .or_else(|| self.outcomes.iter().position(|outcome| outcome.name == name).map(Field::Outcome))
            .or_else(|| self.measures.iter().position(|measure| measure.name == name).map(Field::Measure))
            .or_else(|| at(&self.clocks).map(|clock| Field::Clock(Clock::Other(clock))))
            .or_else(|| at(&self.keys).map(Field::Key))
            .or_else(|| at(&self.texts).map(Field::Text))
    }

    /// The field of that name, or an error with the nearest names.
    pub(crate) fn require(&self, name: &str) -> Result<Field> {
        self.field(name).ok_or_else(|| Error::unknown("field", name, self.field_names()))
    }

    pub(crate) fn field_names(&self) -> impl Iterator<Item = &str> {
        [PLACE, CREATED]
            .into_iter()
            .chain(self.location.then_some(LOCATION))
            .chain(self.trees.iter().map(|tree| tree.name.as_str()))
            .chain(self.categories.iter().map(String::as_str))
            .chain(self.tags.iter().map(String::as_str))
            .chain(self.outcomes.iter().map(|outcome| outcome.name.as_str()))
            .chain(self.measures.iter().map(|measure| measure.name.as_str()))
            .chain(self.clocks.iter().map(String::as_str))
            .chain(self.keys.iter().map(String::as_str))
            .chain(self.texts.iter().map(String::as_str))
    }

    /// The number of a counter, or an error with the nearest names.
    pub(crate) fn counter(&self, name: &str) -> Result<usize> {
        self.counters
            .iter()
            .position(|counter| counter.name == name)
            .ok_or_else(|| Error::unknown("counter", name, self.counters()))
    }

    /// The number of a measure, or an error with the nearest names.
    pub(crate) fn measure(&self, name: &str) -> Result<usize> {
        let names = || self.measures.iter().map(|measure| measure.name.as_str());
        names().position(|known| known == name).ok_or_else(|| Error::unknown("measure", name, names()))
    }

    /// The clock of that name, or an error with the nearest names.
    pub(crate) fn clock(&self, name: &str) -> Result<Clock> {
        if name == CREATED {
            return Ok(Clock::Created);
        }
        self.clocks.iter().position(|known| known == name).map(Clock::Other).ok_or_else(|| {
            Error::unknown("clock", name, self.clocks.iter().map(String::as_str).chain([CREATED]))
        })
    }

    pub(crate) fn clock_name(&self, clock: Clock) -> &str {
        match clock {
            Clock::Created => CREATED,
            Clock::Other(number) => self.clocks.get(number).map_or("", String::as_str),
        }
    }

    /// The number of a key, or an error with the nearest names.
    pub(crate) fn key(&self, name: &str) -> Result<usize> {
        self.keys
            .iter()
            .position(|known| known == name)
            .ok_or_else(|| Error::unknown("key", name, self.keys.iter().map(String::as_str)))
    }

    /// This schema, the store's own, with what `given` adds to it; none where it adds nothing. What is new stands behind
    /// what was there: numbers of fields, labels and levels stay.
    ///
    /// # Errors
    /// [`Error::SchemaDiffers`] with all that `given` changes or lacks.
    pub(crate) fn grown(&self, given: &Self) -> Result<Option<Self>> {
        let growth = self.growth(given);
        if !growth.contradicted.is_empty() {
            return Err(Error::SchemaDiffers { differences: growth.contradicted });
        }
        if growth.added.is_empty() { Ok(None) } else { Self::try_from(growth.grown).map(Some) }
    }

    /// Fails with all in which `given` differs from this schema, the store's own; the order of its fields apart.
    #[cfg(any(test, feature = "import"))]
    pub(crate) fn require_same(&self, given: &Self) -> Result<()> {
        let differences = self.growth(given).differences();
        if differences.is_empty() { Ok(()) } else { Err(Error::SchemaDiffers { differences }) }
    }

    fn growth(&self, given: &Self) -> Growth {
        Growth::new(&Form::from(self.clone()), &Form::from(given.clone()))
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        Form::from(self.clone()) == Form::from(other.clone())
    }
}

#[cfg(test)]
mod tests;
