//! One order as a service writes it and reads it back.

mod patch;
mod value;

pub use patch::Patch;
pub use value::{Moment, Value};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::tree::Step;

/// One work order.
///
/// An order is built by name and checked against the schema when it is written: an unknown field, a label that
/// the outcome does not have or a time that cannot be read is an error that names the order.
///
/// ```
/// use zonal::Order;
///
/// let order = Order::new("2026030100123", "2026-03-01T09:12:00+08:00")
///     .place(["北京市", "朝阳区", "望京街道"])
///     .tree("topic", ["基础民生", "供暖"])
///     .category("channel", "phone")
///     .outcome("solved", "yes")
///     .key("caller", 0x9f3a_12c4);
/// assert_eq!(order.id(), "2026030100123");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    id: String,
    created: Moment,
    place: Vec<Step>,
    /// Longitude and latitude in 10⁻⁷ degrees.
    location: Option<(i32, i32)>,
    values: BTreeMap<String, Value>,
}

impl Order {
    /// An order with its id, text of 1 to 64 bytes, and the time at which it was created.
    pub fn new(id: impl Into<String>, created: impl Into<Moment>) -> Self {
        Self {
            id: id.into(),
            created: created.into(),
            place: Vec::new(),
            location: None,
            values: BTreeMap::new(),
        }
    }

    /// The unit the order belongs to, as its path from the top; a path may end at any level.
    #[must_use]
    pub fn place(mut self, path: impl IntoIterator<Item = impl Into<Step>>) -> Self {
        self.place = path.into_iter().map(Into::into).collect();
        self
    }

    /// The node of a further tree, as its path from the top.
    #[must_use]
    pub fn tree(self, name: impl Into<String>, path: impl IntoIterator<Item = impl Into<Step>>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        self.with(name, Value::Tree(path))
    }

    /// The value of a category.
    #[must_use]
    pub fn category(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(name, Value::Category(value.into()))
    }

    /// The tags of a tags field; the same tag twice is one.
    #[must_use]
    pub fn tags(self, name: impl Into<String>, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let tags = tags.into_iter().map(Into::into).collect();
        self.with(name, Value::Tags(tags))
    }

    /// The label of an outcome.
    #[must_use]
    pub fn outcome(self, name: impl Into<String>, label: impl Into<String>) -> Self {
        self.with(name, Value::Outcome(label.into()))
    }

    /// The value of a stored measure: any integer but `i64::MIN`.
    #[must_use]
    pub fn measure(self, name: impl Into<String>, value: i64) -> Self {
        self.with(name, Value::Measure(value))
    }

    /// The time of a clock.
    #[must_use]
    pub fn clock(self, name: impl Into<String>, time: impl Into<Moment>) -> Self {
        self.with(name, Value::Clock(time.into()))
    }

    /// The identity under a key: any number but 2⁶³, which stands for *missing* inside.
    #[must_use]
    pub fn key(self, name: impl Into<String>, key: u64) -> Self {
        self.with(name, Value::Key(key))
    }

    /// A text to be stored and given back.
    #[must_use]
    pub fn text(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.with(name, Value::Text(text.into()))
    }

    /// The point, in degrees; it is kept in 10⁻⁷ degrees (about a centimetre).
    #[must_use]
    pub fn location(self, longitude: f64, latitude: f64) -> Self {
        const SCALE: f64 = 1e7;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what does not fit saturates, and is refused when written"
        )]
        let scaled =
            |degrees: f64| if degrees.is_nan() { i32::MIN } else { (degrees * SCALE).round() as i32 };
        self.location_e7(scaled(longitude), scaled(latitude))
    }

    /// The point, in 10⁻⁷ degrees.
    #[must_use]
    pub fn location_e7(mut self, longitude: i32, latitude: i32) -> Self {
        self.location = Some((longitude, latitude));
        self
    }

    /// Any field by its name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Value) -> Self {
        self.values.insert(name.into(), value);
        self
    }

    /// The order id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The time at which the order was created.
    #[must_use]
    pub fn created(&self) -> &Moment {
        &self.created
    }

    /// The path of the unit; empty for an order without place.
    #[must_use]
    pub fn place_path(&self) -> &[Step] {
        &self.place
    }

    /// The point in 10⁻⁷ degrees, longitude first.
    #[must_use]
    pub fn point(&self) -> Option<(i32, i32)> {
        self.location
    }

    /// The value of a field; none when it is missing.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// All fields that are not missing, by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }
}
