//! A change of some fields of an order.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Moment, Value};
use crate::tree::Step;

/// A change of some fields of an order's latest version; all other fields stay as they are.
///
/// ```
/// use zonal::Patch;
///
/// let closed = Patch::new().outcome("solved", "yes").clock("closed", "2026-03-04T10:00:00+08:00");
/// let reopened = Patch::new().clear("closed");
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Patch {
    pub(crate) created: Option<Moment>,
    pub(crate) place: Option<Vec<Step>>,
    /// Some(None) clears the point; it is null where it is written, and a point left alone is not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "written")]
    pub(crate) location: Option<Option<(i32, i32)>>,
    /// None clears the field.
    pub(crate) values: BTreeMap<String, Option<Value>>,
}

/// What is written is given, null too.
fn written<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl Patch {
    /// A patch that changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the time at which the order was created; the order may move to another partition.
    #[must_use]
    pub fn created(mut self, time: impl Into<Moment>) -> Self {
        self.created = Some(time.into());
        self
    }

    /// Moves the order to another unit; an empty path takes its place away.
    #[must_use]
    pub fn place(mut self, path: impl IntoIterator<Item = impl Into<Step>>) -> Self {
        self.place = Some(path.into_iter().map(Into::into).collect());
        self
    }

    /// Changes the node of a further tree.
    #[must_use]
    pub fn tree(self, name: impl Into<String>, path: impl IntoIterator<Item = impl Into<Step>>) -> Self {
        self.with(name, Value::Tree(path.into_iter().map(Into::into).collect()))
    }

    /// Changes the value of a category.
    #[must_use]
    pub fn category(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(name, Value::Category(value.into()))
    }

    /// Changes the tags of a tags field, all at once.
    #[must_use]
    pub fn tags(self, name: impl Into<String>, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with(name, Value::Tags(tags.into_iter().map(Into::into).collect()))
    }

    /// Changes the label of an outcome.
    #[must_use]
    pub fn outcome(self, name: impl Into<String>, label: impl Into<String>) -> Self {
        self.with(name, Value::Outcome(label.into()))
    }

    /// Changes a stored measure.
    #[must_use]
    pub fn measure(self, name: impl Into<String>, value: i64) -> Self {
        self.with(name, Value::Measure(value))
    }

    /// Changes the time of a clock.
    #[must_use]
    pub fn clock(self, name: impl Into<String>, time: impl Into<Moment>) -> Self {
        self.with(name, Value::Clock(time.into()))
    }

    /// Changes the identity under a key.
    #[must_use]
    pub fn key(self, name: impl Into<String>, key: u64) -> Self {
        self.with(name, Value::Key(key))
    }

    /// Changes a text.
    #[must_use]
    pub fn text(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.with(name, Value::Text(text.into()))
    }

    /// Changes the point, in 10⁻⁷ degrees.
    #[must_use]
    pub fn location_e7(mut self, longitude: i32, latitude: i32) -> Self {
        self.location = Some(Some((longitude, latitude)));
        self
    }

    /// Makes a field missing; `place` and `location` are fields, too.
    #[must_use]
    pub fn clear(mut self, name: impl Into<String>) -> Self {
        match name.into().as_str() {
            crate::schema::PLACE => self.place = Some(Vec::new()),
            crate::schema::LOCATION => self.location = Some(None),
            name => {
                self.values.insert(name.to_owned(), None);
            }
        }
        self
    }

    /// Changes any field by its name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Value) -> Self {
        self.values.insert(name.into(), Some(value));
        self
    }
}
