//! Which orders a question is about.

mod condition;
mod reference;
mod text;

pub(crate) use condition::{Condition, Leaf, Test, resolve};
pub use reference::NodeRef;
pub(crate) use text::parse;

use std::fmt;
use std::ops::Not;

use serde::{Deserialize, Serialize};

use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::schema::Schema;

/// A condition on an order.
///
/// Filters are two-valued: a missing value equals nothing, so *is not* and *not* keep orders whose value is
/// missing.
///
/// # Text form
///
/// [`Schema::filter`](crate::Schema::filter) reads the text form, and `Display` writes it:
///
/// | text | keeps |
/// |---|---|
/// | `channel=phone\|web` | a category's, outcome's or tags' value is one of these |
/// | `channel!=phone` | every other order, those without a channel too |
/// | `topic=Street/Lights\|code:17` | the node is at or under one of these (`\/` is a slash in a name) |
/// | `place=Boston/17` | the unit is at or under this one |
/// | `tags~a&b`, `tags~a\|b` | all, or any, of the tags |
/// | `channel=`, `closed=` | the value is missing |
/// | `minutes>=10`, `minutes=0` | a measure; also `<`, `<=`, `>` |
/// | `closed<2012-01-01` | a clock; a date stands for its first second in the schema's time zone |
/// | `location=-71.1,42.3,-71.0,42.4` | the point lies in west, south, east, north, edges included |
/// | `a and b`, `a or b`, `not a`, `( … )` | as they say; `and` binds tighter than `or` |
///
/// A value runs to the next `|`, `and`, `or` or closing bracket; put it in double quotes where it holds one of
/// these, and write `\"` and `\\` within.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Filter {
    /// Every order.
    #[default]
    All,
    /// Orders that every one of these keeps.
    And(Vec<Filter>),
    /// Orders that at least one of these keeps.
    Or(Vec<Filter>),
    /// Orders that this one does not keep.
    Not(Box<Filter>),
    /// Orders whose category or outcome has one of these values, or that have one of these tags.
    Is {
        /// The category, outcome or tags field.
        field: String,
        /// The values.
        values: Vec<String>,
    },
    /// Orders that have all of these tags.
    HasAll {
        /// The tags field.
        field: String,
        /// The tags.
        values: Vec<String>,
    },
    /// Orders at or under one of these nodes.
    Under {
        /// The tree; `place` is one.
        tree: String,
        /// The nodes.
        nodes: Vec<NodeRef>,
    },
    /// Orders without a value of this field: category, outcome, tree, tags, measure, clock, key, location, text.
    Missing {
        /// The field.
        field: String,
    },
    /// Orders whose measure lies between these values, both included.
    Between {
        /// The measure.
        measure: String,
        /// The smallest value kept.
        least: i64,
        /// The largest value kept.
        most: i64,
    },
    /// Orders whose clock lies in a span.
    During {
        /// The clock; `created` is one.
        clock: String,
        /// The span.
        span: Span,
    },
    /// Orders whose point lies in a box, edges included, in 10⁻⁷ degrees.
    Within {
        /// The smallest longitude.
        west: i32,
        /// The smallest latitude.
        south: i32,
        /// The largest longitude.
        east: i32,
        /// The largest latitude.
        north: i32,
    },
}

/// Orders whose category or outcome is `value`, or that have it as a tag.
pub fn is(field: impl Into<String>, value: impl Into<String>) -> Filter {
    Filter::Is { field: field.into(), values: vec![value.into()] }
}

/// Orders whose category or outcome is one of `values`, or that have one of them as a tag.
pub fn any_of(field: impl Into<String>, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    Filter::Is { field: field.into(), values: values.into_iter().map(Into::into).collect() }
}

/// Orders that have all of these tags.
pub fn has_all(field: impl Into<String>, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    Filter::HasAll { field: field.into(), values: values.into_iter().map(Into::into).collect() }
}

/// Orders at or under a node of a tree.
pub fn under(tree: impl Into<String>, node: impl Into<NodeRef>) -> Filter {
    Filter::Under { tree: tree.into(), nodes: vec![node.into()] }
}

/// Orders without a value of this field.
pub fn missing(field: impl Into<String>) -> Filter {
    Filter::Missing { field: field.into() }
}

/// Orders whose measure lies in `least..=most`.
pub fn between(measure: impl Into<String>, least: i64, most: i64) -> Filter {
    Filter::Between { measure: measure.into(), least, most }
}

/// Orders whose clock lies in a span.
pub fn during(clock: impl Into<String>, span: Span) -> Filter {
    Filter::During { clock: clock.into(), span }
}

impl Filter {
    /// Orders that both keep.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) => other,
            (this, Self::All) => this,
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (this, other) => Self::And(vec![this, other]),
        }
    }

    /// Orders that at least one keeps.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut any) => {
                any.push(other);
                Self::Or(any)
            }
            this => Self::Or(vec![this, other]),
        }
    }

    /// Calls `visit` with the field of every condition.
    pub(crate) fn each_field(&self, visit: &mut impl FnMut(&str)) {
        match self {
            Self::All => {}
            Self::And(filters) | Self::Or(filters) => {
                filters.iter().for_each(|filter| filter.each_field(visit));
            }
            Self::Not(filter) => filter.each_field(visit),
            Self::Is { field, .. } | Self::HasAll { field, .. } | Self::Missing { field } => visit(field),
            Self::Under { tree, .. } => visit(tree),
            Self::Between { measure, .. } => visit(measure),
            Self::During { clock, .. } => visit(clock),
            Self::Within { .. } => visit(crate::schema::LOCATION),
        }
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(self, f)
    }
}

/// Fails where the outcome does not have one of the labels.
pub(crate) fn check_labels(schema: &Schema, outcome: usize, labels: &[String]) -> Result<()> {
    let Some(outcome) = schema.outcomes.get(outcome) else { return Ok(()) };
    match labels.iter().find(|label| !outcome.labels.contains(label)) {
        Some(label) => Err(Error::unknown(
            format!("label of outcome {:?}", outcome.name),
            label,
            outcome.labels.iter().map(String::as_str),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
