//! Half-open intervals of time.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::civil::{DAY, Stamp, days};
use crate::{Error, Result};

/// The first second that a time may name: a day before 1900, so that the year 1900 is whole in every zone.
pub(crate) const EARLIEST: i64 = (days(1900, 1, 1) - 1) * DAY;

/// The last second that a time may name: a day after 2200.
pub(crate) const LATEST: i64 = (days(2201, 1, 1) + 1) * DAY - 1;

/// A half-open interval of time: it holds its start and all seconds up to its end, but not the end.
///
/// Times are whole seconds since 1970-01-01T00:00Z, within the years 1900 to 2200. A [`Calendar`](super::Calendar)
/// makes the spans of its days, months and years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bounds")]
pub struct Span {
    start: i64,
    end: i64,
}

/// A span as it is read, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    start: i64,
    end: i64,
}

impl Span {
    /// All times: the years 1900 to 2200, whole in every zone.
    pub const ALL: Self = Self { start: EARLIEST, end: LATEST + 1 };

    /// From `start` up to `end`, in seconds since 1970-01-01T00:00Z. The span is empty where they are equal.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the end lies before the start, or one of them outside the years 1900 to 2200.
    pub fn new(start: i64, end: i64) -> Result<Self> {
        let allowed = Self::ALL.start..=Self::ALL.end;
        if let Some(outside) = [start, end].into_iter().find(|time| !allowed.contains(time)) {
            return Err(Error::invalid(
                "span",
                format!("{outside} lies outside the years 1900 to 2200; give whole seconds since 1970"),
            ));
        }
        if end < start {
            return Err(Error::invalid(
                "span",
                format!(
                    "it ends at {} before it starts at {}; swap the two",
                    Stamp::utc(end),
                    Stamp::utc(start)
                ),
            ));
        }
        Ok(Self { start, end })
    }

    /// From `start` on.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the start lies outside the years 1900 to 2200.
    pub fn since(start: i64) -> Result<Self> {
        Self::new(start, Self::ALL.end)
    }

    /// Up to `end`, without it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the end lies outside the years 1900 to 2200.
    pub fn until(end: i64) -> Result<Self> {
        Self::new(Self::ALL.start, end)
    }

    /// The first second of the span.
    #[must_use]
    pub const fn start(self) -> i64 {
        self.start
    }

    /// The first second after the span.
    #[must_use]
    pub const fn end(self) -> i64 {
        self.end
    }

    /// Whether the span holds a time.
    #[must_use]
    pub const fn contains(self, time: i64) -> bool {
        self.start <= time && time < self.end
    }

    /// What both spans hold; empty where they share nothing.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        let start = self.start.max(other.start);
        Self { start, end: self.end.min(other.end).max(start) }
    }

    /// Whether the span holds no time.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Start and end in UTC: `2011-07-01T00:00:00+00:00..2011-08-01T00:00:00+00:00`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", Stamp::utc(self.start), Stamp::utc(self.end))
    }
}

impl TryFrom<Bounds> for Span {
    type Error = Error;

    fn try_from(bounds: Bounds) -> Result<Self> {
        Self::new(bounds.start, bounds.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_half_open() {
        let span = Span::new(10, 20).unwrap();
        assert_eq!((span.start(), span.end()), (10, 20));
        assert!(!span.contains(9) && span.contains(10) && span.contains(19) && !span.contains(20));
        assert!(!span.is_empty());
        let empty = Span::new(10, 10).unwrap();
        assert!(empty.is_empty() && !empty.contains(10));
    }

    #[test]
    fn intersections_hold_what_both_hold() {
        let span = |start, end| Span::new(start, end).unwrap();
        assert_eq!(span(0, 10).intersect(span(5, 20)), span(5, 10));
        assert_eq!(span(0, 10).intersect(Span::ALL), span(0, 10));
        assert!(span(0, 10).intersect(span(10, 20)).is_empty());
        assert!(span(30, 40).intersect(span(10, 20)).is_empty());
        assert_eq!(Span::since(5).unwrap().intersect(Span::until(8).unwrap()), span(5, 8));
    }

    #[test]
    fn times_lie_in_1900_to_2200() {
        assert_eq!(Span::ALL.to_string(), "1899-12-31T00:00:00+00:00..2201-01-02T00:00:00+00:00");
        assert!(
            Span::ALL.contains(EARLIEST) && Span::ALL.contains(LATEST) && !Span::ALL.contains(LATEST + 1)
        );
        assert!(Span::new(EARLIEST, LATEST + 1).is_ok());
        for (start, end) in [(EARLIEST - 1, 0), (0, LATEST + 2), (i64::MIN, i64::MAX)] {
            let error = Span::new(start, end).unwrap_err().to_string();
            assert!(error.contains("1900 to 2200"), "{error}");
        }
        assert!(Span::since(i64::MAX).is_err() && Span::until(i64::MIN).is_err());
        let error = Span::new(86_400, 0).unwrap_err().to_string();
        assert!(error.contains("1970-01-01T00:00:00+00:00 before it starts at 1970-01-02"), "{error}");
    }

    #[test]
    fn reading_a_span_checks_it() {
        let json = serde_json::to_string(&Span::new(1, 2).unwrap()).unwrap();
        assert_eq!(json, r#"{"start":1,"end":2}"#);
        assert_eq!(serde_json::from_str::<Span>(&json).unwrap(), Span::new(1, 2).unwrap());
        assert!(serde_json::from_str::<Span>(r#"{"start":2,"end":1}"#).is_err());
        assert!(serde_json::from_str::<Span>(r#"{"start":2}"#).is_err());
    }
}
