//! The steps of a calendar.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::civil::{self, DAY, Step};
use crate::{Error, Result};

/// A step of a calendar.
///
/// As text, in serde and on the command line: `hour`, `day`, `week`, `month`, `quarter`, `half-year`, `year`, and for the
/// calendars of hotlines `noon-day`, `month-from-19` (any day from 1 to 31) and `from:2025-09-01,2026-01-20` (any dates).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Grain {
    /// From one full hour of the wall clock to the next. Where the clock jumps a new hour starts, so that an
    /// hour that is shown twice is two, and some zones have shorter ones.
    Hour,
    /// A date.
    Day,
    /// An ISO week: seven days from Monday.
    Week,
    /// A month.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// Six months from January or July.
    HalfYear,
    /// A year.
    Year,
    /// From noon to noon: the noon-day of a date ends on it at 12:00, and starts at 12:00 of the day before.
    NoonDay,
    /// From this day of a month to the day before it in the next; in a month that is too short for it, from the last.
    /// The assessment month from the 19th to the 18th is `MonthFrom(19)`.
    MonthFrom(u8),
    /// From each of a list of dates to the day before the next: school terms, holidays and what lies between, the periods of a
    /// campaign. What comes before the first date is one step, and so is what comes from the last on.
    Dates(Dates),
}

/// Dates that ascend: see [`Grain::Dates`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dates(Arc<[i64]>);

impl Dates {
    /// Of dates such as `2025-09-01`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text that is no date of the years 1900 to 2200, for dates that do not ascend, and for none at all.
    pub fn new(dates: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let mut days: Vec<i64> = Vec::new();
        for text in dates {
            let invalid = |reason| Error::invalid(format!("date {:?}", text.as_ref()), reason);
            let date: jiff::civil::Date =
                text.as_ref().parse().map_err(|_| invalid("it is no date; write 2025-09-01"))?;
            if !(1900..=2200).contains(&date.year()) {
                return Err(invalid("it lies outside the years 1900 to 2200"));
            }
            let day = civil::days(date.year().into(), date.month().into(), date.day().into());
            if days.last().is_some_and(|last| *last >= day) {
                return Err(invalid("dates ascend; put it before the one before it"));
            }
            days.push(day);
        }
        if days.is_empty() {
            return Err(Error::invalid("grain", "a list of dates has one at least"));
        }
        Ok(Self(days.into()))
    }
}

impl fmt::Display for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dates: Vec<String> = self.0.iter().map(|day| civil::shown(*day)).collect();
        f.pad(&dates.join(","))
    }
}

/// What precedes the day in the text of a month that starts on another day than the first.
const MONTH_FROM: &str = "month-from-";

/// What precedes a list of dates.
const FROM: &str = "from:";

impl Grain {
    const NAMES: [(Self, &str); 8] = [
        (Self::Hour, "hour"),
        (Self::Day, "day"),
        (Self::Week, "week"),
        (Self::Month, "month"),
        (Self::Quarter, "quarter"),
        (Self::HalfYear, "half-year"),
        (Self::Year, "year"),
        (Self::NoonDay, "noon-day"),
    ];

    /// The whole days that a step is made of, of a clock that runs [`ahead`](Self::ahead); an hour is not.
    pub(super) fn step(&self) -> Option<Step<'_>> {
        match self {
            Self::Hour => None,
            Self::Day | Self::NoonDay => Some(Step::Day),
            Self::MonthFrom(day) => Some(Step::MonthFrom(i64::from(*day))),
            Self::Dates(Dates(first)) => Some(Step::Days(first)),
            Self::Week => Some(Step::Week),
            Self::Month => Some(Step::Months(1)),
            Self::Quarter => Some(Step::Months(3)),
            Self::HalfYear => Some(Step::Months(6)),
            Self::Year => Some(Step::Months(12)),
        }
    }

    /// How many seconds the days of this grain start before midnight.
    pub(super) const fn ahead(&self) -> i64 {
        match self {
            Self::NoonDay => DAY / 2,
            _ => 0,
        }
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::MonthFrom(day) = self {
            return f.pad(&format!("{MONTH_FROM}{day}"));
        }
        if let Self::Dates(dates) = self {
            return f.pad(&format!("{FROM}{dates}"));
        }
        let name = Self::NAMES.iter().find(|(grain, _)| grain == self).map_or("", |(_, name)| name);
        f.pad(name)
    }
}

impl FromStr for Grain {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(day) = text.strip_prefix(MONTH_FROM) {
            let day = day.parse().ok().filter(|day| (1..=31).contains(day));
            let invalid =
                || Error::invalid(format!("grain {text:?}"), "a month starts on a day from 1 to 31");
            return day.map(Self::MonthFrom).ok_or_else(invalid);
        }
        if let Some(dates) = text.strip_prefix(FROM) {
            return Dates::new(dates.split(',')).map(Self::Dates);
        }
        let known = Self::NAMES.iter().find(|(_, name)| *name == text);
        let unknown = || Error::unknown("grain", text, Self::NAMES.iter().map(|(_, name)| *name));
        known.map(|(grain, _)| grain.clone()).ok_or_else(unknown)
    }
}

impl TryFrom<String> for Grain {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Grain> for String {
    fn from(grain: Grain) -> Self {
        grain.to_string()
    }
}

/// How much time one partition of a store holds, by the orders' creation.
///
/// As text and in serde: `day`, `month`, `year`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionGrain {
    /// A day, for more than a million orders a month.
    Day,
    /// A month, which suits most cities.
    #[default]
    Month,
    /// A year, for few orders over many years.
    Year,
}

impl PartitionGrain {
    pub(super) const fn step(self) -> Step<'static> {
        match self {
            Self::Day => Step::Day,
            Self::Month => Step::Months(1),
            Self::Year => Step::Months(12),
        }
    }
}

impl From<PartitionGrain> for Grain {
    fn from(partition: PartitionGrain) -> Self {
        match partition {
            PartitionGrain::Day => Self::Day,
            PartitionGrain::Month => Self::Month,
            PartitionGrain::Year => Self::Year,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_serde_agree() {
        let terms = Grain::Dates(Dates::new(["1999-12-31", "2025-09-01"]).unwrap());
        let from = [(Grain::MonthFrom(19), "month-from-19"), (terms, "from:1999-12-31,2025-09-01")];
        for (grain, name) in Grain::NAMES.into_iter().chain(from) {
            assert_eq!(grain.to_string(), name);
            assert_eq!(name.parse::<Grain>().unwrap(), grain);
            assert_eq!(serde_json::to_string(&grain).unwrap(), format!("{name:?}"));
            assert_eq!(serde_json::from_str::<Grain>(&format!("{name:?}")).unwrap(), grain);
        }
        for partition in [PartitionGrain::Day, PartitionGrain::Month, PartitionGrain::Year] {
            let name = Grain::from(partition).to_string();
            assert_eq!(serde_json::to_string(&partition).unwrap(), format!("{name:?}"));
        }
    }

    #[test]
    fn an_unknown_grain_names_the_nearest() {
        let error = "mont".parse::<Grain>().unwrap_err();
        assert!(
            error.to_string().starts_with("there is no grain \"mont\"; the nearest are month"),
            "{error}"
        );
        for wrong in [
            "Hour",
            "month-from-0",
            "month-from-32",
            "month-from-",
            "month-from-x",
            "from:",
            "from:2025-02-29",
            "from:2025-09-01,2025-09-01",
            "from:2025-09-01,2025-08-31",
            "from:1899-12-31",
            "from:2201-01-01",
        ] {
            assert!(wrong.parse::<Grain>().is_err(), "{wrong}");
        }
    }
}
