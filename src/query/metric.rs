//! What is computed for each group.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::schema::COUNT;

/// What is computed for each group of an answer.
///
/// The text form, used on the command line and in JSON, is `count`, a counter's name, `rate:NUM/DEN`,
/// `sum:X`, `mean:X`, `min:X`, `max:X`, `p50:X` (any percent from `p0` to `p100`) and `distinct:KEY`.
///
/// ```
/// use zonal::{Metric, quantile};
///
/// let metric: Metric = "p90:minutes_to_close".parse()?;
/// assert_eq!(metric, quantile("minutes_to_close", 90));
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Metric {
    /// The number of orders.
    Count,
    /// The number of orders that a counter counts.
    Counter(String),
    /// One counter over another (`count` is one too); over 0 there is no rate.
    Rate(String, String),
    /// The sum of a measure over the orders that have it.
    Sum(String),
    /// The mean of a measure over the orders that have it, kept as sum and count.
    Mean(String),
    /// The smallest value of a measure.
    Min(String),
    /// The largest value of a measure.
    Max(String),
    /// The smallest value of a measure whose cumulative share reaches this many percent.
    Quantile(String, u8),
    /// The exact number of different keys.
    Distinct(String),
}

/// The number of orders.
#[must_use]
pub fn count() -> Metric {
    Metric::Count
}

/// The number of orders that the counter `name` counts.
pub fn counter(name: impl Into<String>) -> Metric {
    Metric::Counter(name.into())
}

/// The counter `numerator` over the counter `denominator`; either may be `count`.
pub fn rate(numerator: impl Into<String>, denominator: impl Into<String>) -> Metric {
    Metric::Rate(numerator.into(), denominator.into())
}

/// The sum of a measure.
pub fn sum(measure: impl Into<String>) -> Metric {
    Metric::Sum(measure.into())
}

/// The mean of a measure.
pub fn mean(measure: impl Into<String>) -> Metric {
    Metric::Mean(measure.into())
}

/// The smallest value of a measure.
pub fn min(measure: impl Into<String>) -> Metric {
    Metric::Min(measure.into())
}

/// The largest value of a measure.
pub fn max(measure: impl Into<String>) -> Metric {
    Metric::Max(measure.into())
}

/// The smallest value of a measure whose cumulative share reaches `percent` (0 to 100).
pub fn quantile(measure: impl Into<String>, percent: u8) -> Metric {
    Metric::Quantile(measure.into(), percent)
}

/// The exact number of different keys.
pub fn distinct(key: impl Into<String>) -> Metric {
    Metric::Distinct(key.into())
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => f.write_str(COUNT),
            Self::Counter(name) => f.write_str(name),
            Self::Rate(numerator, denominator) => write!(f, "rate:{numerator}/{denominator}"),
            Self::Sum(measure) => write!(f, "sum:{measure}"),
            Self::Mean(measure) => write!(f, "mean:{measure}"),
            Self::Min(measure) => write!(f, "min:{measure}"),
            Self::Max(measure) => write!(f, "max:{measure}"),
            Self::Quantile(measure, percent) => write!(f, "p{percent}:{measure}"),
            Self::Distinct(key) => write!(f, "distinct:{key}"),
        }
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some((kind, name)) = text.split_once(':') else {
            return Ok(if text == COUNT { Self::Count } else { Self::Counter(text.to_owned()) });
        };
        let owned = name.to_owned();
        match kind {
            "rate" => match name.split_once('/') {
                Some((numerator, denominator)) => Ok(rate(numerator, denominator)),
                None => Err(Error::invalid(format!("metric {text:?}"), "a rate is written rate:NUM/DEN")),
            },
            "sum" => Ok(Self::Sum(owned)),
            "mean" => Ok(Self::Mean(owned)),
            "min" => Ok(Self::Min(owned)),
            "max" => Ok(Self::Max(owned)),
            "distinct" => Ok(Self::Distinct(owned)),
            _ => match kind.strip_prefix('p').and_then(|percent| percent.parse().ok()) {
                Some(percent @ 0..=100) => Ok(Self::Quantile(owned, percent)),
                _ => Err(Error::unknown(
                    "kind of metric",
                    kind,
                    ["count", "rate", "sum", "mean", "min", "max", "p50", "p90", "distinct"],
                )),
            },
        }
    }
}

impl TryFrom<String> for Metric {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> Self {
        metric.to_string()
    }
}

impl From<&Metric> for Metric {
    fn from(metric: &Metric) -> Self {
        metric.clone()
    }
}
