//! What a field of an order holds.

use serde::{Deserialize, Serialize};

use crate::tree::Step;

/// The value of one field of an [`Order`](crate::Order).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Value {
    /// A tree's node, as its path from the top.
    Tree(Vec<Step>),
    /// A category's value.
    Category(String),
    /// The tags of a tags field.
    Tags(Vec<String>),
    /// An outcome's label.
    Outcome(String),
    /// A measure.
    Measure(i64),
    /// The time of a clock.
    Clock(Moment),
    /// An identity.
    Key(u64),
    /// A text.
    Text(String),
}

/// A time as it was given: seconds since 1970-01-01T00:00:00Z, or text.
///
/// Text is a date, a date-time, or RFC 3339; without an offset it is in the schema's time zone. It is read
/// when the order is written. Times read back from a store are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    Seconds(i64),
    /// Text, read with the schema's calendar.
    Text(String),
}

impl Moment {
    /// The seconds, where the time was given or read back as such.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        match self {
            Self::Seconds(seconds) => Some(*seconds),
            Self::Text(_) => None,
        }
    }
}

impl From<i64> for Moment {
    fn from(seconds: i64) -> Self {
        Self::Seconds(seconds)
    }
}

impl From<&str> for Moment {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Moment {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<jiff::Timestamp> for Moment {
    fn from(time: jiff::Timestamp) -> Self {
        Self::Seconds(time.as_second())
    }
}
