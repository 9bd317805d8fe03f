//! Time: spans, and the steps of a calendar in one zone.
//!
//! All times are whole seconds since 1970-01-01T00:00Z. The years 1900 to 2200 are allowed; steps that reach
//! beyond are cut there, so that every step is a valid [`Span`]. Nothing here reads the clock.

mod align;
mod civil;
mod grain;
mod period;
mod span;
#[cfg(test)]
mod tests;
mod zone;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;

use crate::{Error, Result};
use civil::{DAY, Stamp, Step};
use zone::Zone;

pub use align::Alignment;
pub use grain::{Dates, Grain, PartitionGrain};
pub use span::Span;
pub(crate) use span::{EARLIEST, LATEST};
#[cfg(any(test, feature = "import"))]
pub(crate) use zone::LocalTime;

/// The days, weeks, months and years of a time zone, right across its changes of the clock.
///
/// A day starts at its first instant: at 01:00 where midnight was skipped. A day that a zone skipped is empty.
/// The rules of the zones are compiled in. Cheap to clone.
#[derive(Clone)]
pub struct Calendar {
    zone: Arc<Zone>,
}

/// What a local time stands for.
#[cfg(any(test, feature = "import"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) instant: i64,
    pub(crate) kind: LocalTime,
}

impl Calendar {
    /// The calendar of a time zone, by its name in the IANA database: `Asia/Shanghai`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest names.
    pub fn new(zone: &str) -> Result<Self> {
        Ok(Self { zone: Arc::new(Zone::new(zone)?) })
    }

    /// The time zone's name.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.zone.name()
    }

    /// A day.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is no such date, or its year is outside 1900 to 2200; so for all spans
    /// of a calendar.
    pub fn day(&self, year: i32, month: u32, day: u32) -> Result<Span> {
        let number = civil::days(year.into(), month.into(), day.into());
        let exists =
            (1..=12).contains(&month) && civil::date(number) == (year.into(), month.into(), day.into());
        self.span(Step::Day, number, year, exists, || format!("{year:04}-{month:02}-{day:02}"))
    }

    /// An ISO week. Week 1 is the one that holds January 4th, and may start in the year before.
    ///
    /// # Errors
    /// As for [`day`](Self::day).
    pub fn week(&self, iso_year: i32, week: u32) -> Result<Span> {
        let first = Step::Week.number(civil::days(iso_year.into(), 1, 4));
        let after = Step::Week.number(civil::days(i64::from(iso_year) + 1, 1, 4));
        let number = first + i64::from(week) - 1;
        let exists = (first..after).contains(&number);
        self.span(Step::Week, number, iso_year, exists, || format!("{iso_year:04}-W{week:02}"))
    }

    /// A month, from 1 to 12.
    ///
    /// # Errors
    /// As for [`day`](Self::day).
    pub fn month(&self, year: i32, month: u32) -> Result<Span> {
        self.part_of_year(1, year, month, || format!("{year:04}-{month:02}"))
    }

    /// A quarter, from 1 to 4.
    ///
    /// # Errors
    /// As for [`day`](Self::day).
    pub fn quarter(&self, year: i32, quarter: u32) -> Result<Span> {
        self.part_of_year(3, year, quarter, || format!("{year:04}-Q{quarter}"))
    }

    /// A half year, 1 or 2.
    ///
    /// # Errors
    /// As for [`day`](Self::day).
    pub fn half_year(&self, year: i32, half: u32) -> Result<Span> {
        self.part_of_year(6, year, half, || format!("{year:04}-H{half}"))
    }

    /// A year.
    ///
    /// # Errors
    /// As for [`day`](Self::day).
    pub fn year(&self, year: i32) -> Result<Span> {
        self.part_of_year(12, year, 1, || format!("{year:04}"))
    }

    /// The first instant of the step that holds a time.
    #[must_use]
    pub fn start(&self, grain: impl Borrow<Grain>, time: i64) -> i64 {
        let grain = grain.borrow();
        let time = time.clamp(EARLIEST, LATEST);
        let start = match grain.step() {
            None => self.zone.hour(time),
            Some(step) => self.first_of(grain, step, self.number(grain, step, time)),
        };
        start.max(EARLIEST)
    }

    /// The first instant of the step after the one that holds a time.
    #[must_use]
    pub fn next(&self, grain: impl Borrow<Grain>, time: i64) -> i64 {
        let grain = grain.borrow();
        let time = time.clamp(EARLIEST, LATEST);
        let next = match grain.step() {
            None => self.zone.hours_after(time).next().unwrap_or(Span::ALL.end()),
            Some(step) => self.first_of(grain, step, self.number(grain, step, time) + 1),
        };
        next.min(Span::ALL.end())
    }

    /// The first instants of all steps that share a time with the span, and the end of the last: one more
    /// than there are steps. They ascend strictly. None for an empty span.
    #[must_use]
    pub fn steps(&self, grain: impl Borrow<Grain>, span: Span) -> Vec<i64> {
        let grain = grain.borrow();
        if span.is_empty() {
            return Vec::new();
        }
        let first = self.start(grain, span.start());
        match grain.step() {
            None => up_to(span.end(), first, self.zone.hours_after(first)),
            Some(step) => {
                let following = self.number(grain, step, first) + 1;
                let locals = (following..).map(|number| step.first_day(number) * DAY - grain.ahead());
                up_to(span.end(), first, self.zone.instants(locals))
            }
        }
    }

    /// The number of the step that holds a time.
    fn number(&self, grain: &Grain, step: Step<'_>, time: i64) -> i64 {
        step.number((self.zone.local(time) + grain.ahead()).div_euclid(DAY))
    }

    /// The first instant of a step.
    fn first_of(&self, grain: &Grain, step: Step<'_>, number: i64) -> i64 {
        self.zone.instant(step.first_day(number) * DAY - grain.ahead())
    }

    /// The time that a text names: a date (`2011-07-01`, its first instant), a date and time
    /// (`2011-07-01T09:00` or `2011-07-01 09:00:30`), or one with its offset (`2011-07-01T09:00:00-04:00`,
    /// `2011-07-01T13:00:00Z`).
    ///
    /// Without an offset it is a time of this calendar's zone. One that the clock showed twice is the earlier, one
    /// that it skipped is as much later as the clock was set forward. Fractions of a second are dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other text, and for times outside the years 1900 to 2200.
    pub fn parse(&self, text: &str) -> Result<i64> {
        let invalid = |reason: &str| Error::invalid(format!("time {text:?}"), reason);
        let forms = "write 2011-07-01, 2011-07-01T09:00 or 2011-07-01T09:00:00-04:00";
        let pieces = DateTimeParser::new()
            .parse_pieces(text)
            .ok()
            .filter(|pieces| pieces.time_zone_annotation().is_none())
            .ok_or_else(|| invalid(&format!("it is no date or time; {forms}")))?;
        let local = local_second(pieces.date().to_datetime(pieces.time().unwrap_or_default()));
        let instant = match (pieces.to_numeric_offset(), pieces.time()) {
            (Some(offset), Some(_)) => local - i64::from(offset.seconds()),
            (Some(_), None) => return Err(invalid(&format!("a date alone has no offset; {forms}"))),
            (None, Some(_)) => self.zone.resolve(local).0,
            (None, None) => self.zone.first_instant(local.div_euclid(DAY)),
        };
        allowed(instant).ok_or_else(|| invalid("it lies outside the years 1900 to 2200"))
    }

    /// The instant that a wall clock of the zone means, and whether it shows that time once, twice or never.
    /// Fractions of a second are dropped.
    #[cfg(any(test, feature = "import"))]
    pub(crate) fn resolve(&self, civil: DateTime) -> Result<Resolved> {
        let (instant, kind) = self.zone.resolve(local_second(civil));
        let outside =
            || Error::invalid(format!("time \"{civil}\""), "it lies outside the years 1900 to 2200");
        allowed(instant).map(|instant| Resolved { instant, kind }).ok_or_else(outside)
    }

    /// A time in RFC 3339 with the zone's offset: `2011-07-01T00:00:00-04:00`.
    #[must_use]
    pub fn format(&self, time: i64) -> String {
        let time = time.clamp(EARLIEST, Span::ALL.end());
        Stamp::new(time, self.zone.offset(time)).to_string()
    }

    /// The number of the partition that holds a time: the days since 1970-01-01, `year * 12 + month - 1`, or the
    /// year. Partitions hold the same times as the steps of their grain.
    pub(crate) fn partition(&self, grain: PartitionGrain, time: i64) -> i32 {
        let day = self.zone.day(time.clamp(EARLIEST, LATEST));
        grain.step().number(day) as i32 // three centuries have some hundred thousand days
    }

    /// How a partition is named in files: `2011-07-01`, `2011-07`, `2011`.
    pub(crate) fn partition_name(&self, grain: PartitionGrain, partition: i32) -> String {
        let (year, month, day) = civil::date(grain.step().first_day(partition.into()));
        match grain {
            PartitionGrain::Day => format!("{year:04}-{month:02}-{day:02}"),
            PartitionGrain::Month => format!("{year:04}-{month:02}"),
            PartitionGrain::Year => format!("{year:04}"),
        }
    }

    /// The `part`-th so many months of a year, counted from 1.
    fn part_of_year(&self, months: i64, year: i32, part: u32, name: impl Fn() -> String) -> Result<Span> {
        let parts = 12 / months;
        let number = i64::from(year) * parts + i64::from(part) - 1;
        self.span(Step::Months(months), number, year, (1..=parts).contains(&part.into()), name)
    }

    fn span(
        &self,
        step: Step<'_>,
        number: i64,
        year: i32,
        exists: bool,
        name: impl Fn() -> String,
    ) -> Result<Span> {
        let invalid = |reason| Err(Error::invalid(name(), reason));
        if !(1900..=2200).contains(&year) {
            return invalid("it lies outside the years 1900 to 2200");
        }
        if !exists {
            return invalid("the calendar has none such");
        }
        let first = |number| self.zone.first_instant(step.first_day(number));
        Span::new(first(number), first(number + 1))
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calendar").field(&self.zone()).finish()
    }
}

/// `first` and what follows of an ascending sequence, without repetitions, to the first that is not before `end`.
fn up_to(end: i64, first: i64, following: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut last = first;
    let mut steps = vec![first];
    for next in following {
        if next > last {
            last = next.min(Span::ALL.end());
            steps.push(last);
        }
        if last >= end {
            break;
        }
    }
    steps
}

/// What a wall clock shows, in seconds as if its zone were UTC.
fn local_second(civil: DateTime) -> i64 {
    let day = civil::days(civil.year().into(), civil.month().into(), civil.day().into());
    day * DAY + i64::from(civil.hour()) * 3600 + i64::from(civil.minute()) * 60 + i64::from(civil.second())
}

fn allowed(instant: i64) -> Option<i64> {
    (EARLIEST..=LATEST).contains(&instant).then_some(instant)
}
