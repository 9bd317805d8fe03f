//! The plain form of a mapping file, as serde reads it. What it means is told at [`Mapping`](super::Mapping).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::calendar::PartitionGrain;
use crate::schema::Unit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) time_zone: String,
    #[serde(default)]
    pub(super) partition: PartitionGrain,
    #[serde(default)]
    pub(super) missing: Vec<String>,
    #[serde(default)]
    pub(super) file: FileForm,
    pub(super) order: OrderForm,
    pub(super) place: PlaceForm,
    pub(super) location: Option<LocationForm>,
    #[serde(default, rename = "tree")]
    pub(super) trees: Vec<TreeForm>,
    #[serde(default, rename = "category")]
    pub(super) categories: Vec<CategoryForm>,
    #[serde(default)]
    pub(super) tags: Vec<TagsForm>,
    #[serde(default, rename = "outcome")]
    pub(super) outcomes: Vec<OutcomeForm>,
    #[serde(default, rename = "clock")]
    pub(super) clocks: Vec<ClockForm>,
    #[serde(default, rename = "measure")]
    pub(super) measures: Vec<MeasureForm>,
    #[serde(default, rename = "key")]
    pub(super) keys: Vec<KeyForm>,
    #[serde(default, rename = "text")]
    pub(super) texts: Vec<TextForm>,
    #[serde(default, rename = "counter")]
    pub(super) counters: Vec<CounterForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileForm {
    #[serde(default)]
    pub(super) encoding: EncodingForm,
    #[serde(default = "comma")]
    pub(super) delimiter: char,
    #[serde(default = "first_row")]
    pub(super) header_row: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Deserialize)]
pub(crate) enum EncodingForm {
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "gb18030")]
    Gb18030,
}

fn comma() -> char {
    ','
}

fn first_row() -> u64 {
    1
}

impl Default for FileForm {
    fn default() -> Self {
        Self { encoding: EncodingForm::Auto, delimiter: comma(), header_row: first_row() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderForm {
    pub(super) id: Short<ColumnForm>,
    pub(super) created: Short<TimeForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceForm {
    pub(super) levels: Vec<String>,
    pub(super) columns: Vec<Short<LevelForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TreeForm {
    pub(super) name: String,
    pub(super) levels: Vec<String>,
    pub(super) columns: Vec<Short<LevelForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryForm {
    pub(super) name: String,
    pub(super) column: Option<String>,
    pub(super) value: Option<String>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagsForm {
    pub(super) name: String,
    pub(super) column: Option<String>,
    pub(super) separator: Option<String>,
    #[serde(default)]
    pub(super) columns: Vec<String>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeForm {
    pub(super) name: String,
    pub(super) column: String,
    /// Texts and what they mean. Where each stands in the file gives the order of the labels.
    pub(super) labels: HashMap<Spanned<String>, String>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockForm {
    pub(super) name: String,
    pub(super) column: String,
    #[serde(default)]
    pub(super) formats: Vec<String>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureForm {
    pub(super) name: String,
    pub(super) column: Option<String>,
    pub(super) between: Option<[String; 2]>,
    pub(super) unit: Option<Unit>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyForm {
    pub(super) name: String,
    pub(super) column: String,
    #[serde(default)]
    pub(super) integer: bool,
    pub(super) secret: Option<String>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextForm {
    pub(super) name: String,
    pub(super) column: String,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocationForm {
    pub(super) longitude: String,
    pub(super) latitude: String,
    pub(super) default: Option<[f64; 2]>,
    pub(super) missing: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CounterForm {
    pub(super) name: String,
    #[serde(rename = "where")]
    pub(super) filter: String,
}

/// Where a text comes from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnForm {
    pub(super) column: String,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

/// Where a time comes from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeForm {
    pub(super) column: String,
    #[serde(default)]
    pub(super) formats: Vec<String>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

/// Where the name of one level comes from, and its code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelForm {
    pub(super) column: Option<String>,
    pub(super) value: Option<String>,
    pub(super) code: Option<Short<ColumnForm>>,
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clean: CleanForm,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CleanForm {
    pub(super) strip_prefix: Option<String>,
    #[serde(default)]
    pub(super) integer: bool,
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
    pub(super) range: Option<[BoundForm; 2]>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "a range takes two whole numbers, or two times in quotes")]
pub(super) enum BoundForm {
    Number(i64),
    Time(String),
}

/// A form that may be shortened to the name of its column.
pub(super) struct Short<T>(pub(super) T);

impl From<String> for ColumnForm {
    fn from(column: String) -> Self {
        Self { column, missing: None, clean: CleanForm::default() }
    }
}

impl From<String> for TimeForm {
    fn from(column: String) -> Self {
        Self { column, formats: Vec::new(), missing: None, clean: CleanForm::default() }
    }
}

impl From<String> for LevelForm {
    fn from(column: String) -> Self {
        let clean = CleanForm::default();
        Self { column: Some(column), value: None, code: None, missing: None, clean }
    }
}

impl<'de, T: Deserialize<'de> + From<String>> Deserialize<'de> for Short<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShortVisitor(PhantomData))
    }
}

struct ShortVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + From<String>> Visitor<'de> for ShortVisitor<T> {
    type Value = Short<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column, or a table")
    }

    fn visit_str<E: de::Error>(self, column: &str) -> Result<Self::Value, E> {
        Ok(Short(T::from(column.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Short)
    }
}
