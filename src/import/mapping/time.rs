//! Times as exports write them.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::fmt::temporal::DateTimeParser;
use jiff::{Timestamp, ToSpan, civil};

use super::column::{Column, Fault};
use crate::calendar::{Calendar, LocalTime, Span};
use crate::error::{Error, Result};

/// A column of times.
#[derive(Debug, Clone)]
pub(crate) struct TimeColumn {
    pub(crate) column: Column,
    /// Tried in this order.
    pub(super) formats: Vec<Format>,
    pub(super) range: Span,
}

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// A pattern such as `%Y-%m-%d %H:%M:%S`.
    Pattern(String),
    /// ISO 8601: `2011-07-01`, `2011-07-01T09:00:00`, with or without an offset.
    Iso,
    /// Days since 1900 as spreadsheets count them, the time of day as a fraction.
    Excel,
    /// Seconds since 1970-01-01T00:00:00Z.
    Unix,
}

/// What a text says about time.
#[derive(Debug, PartialEq, Eq)]
enum Written {
    Instant(i64),
    Local(DateTime),
    Day(Date),
}

impl TimeColumn {
    /// The instant in a field, and whether the zone's clock shows that time once, twice or never.
    pub(crate) fn time(&self, field: &str, calendar: &Calendar) -> Result<(i64, LocalTime), Fault> {
        let text = self.column.text(field)?;
        let written = self.formats.iter().find_map(|format| format.read(&text)).ok_or(Fault::Unreadable)?;
        let (instant, kind) = match written {
            Written::Instant(instant) => (instant, LocalTime::Plain),
            Written::Local(local) => {
                let resolved = calendar.resolve(local).map_err(|_| Fault::OutOfRange)?;
                (resolved.instant, resolved.kind)
            }
            Written::Day(date) => {
                let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
                let span = calendar.day(date.year().into(), month.into(), day.into());
                (span.map_err(|_| Fault::OutOfRange)?.start(), LocalTime::Plain)
            }
        };
        if self.range.contains(instant) { Ok((instant, kind)) } else { Err(Fault::OutOfRange) }
    }
}

impl Format {
    pub(super) fn new(text: &str) -> Result<Self> {
        match text {
            "iso" => Ok(Self::Iso),
            "excel" => Ok(Self::Excel),
            "unix" => Ok(Self::Unix),
            pattern => {
                check(pattern).map_err(|reason| Error::invalid(format!("format {pattern:?}"), reason))?;
                Ok(Self::Pattern(pattern.to_owned()))
            }
        }
    }

    fn read(&self, text: &str) -> Option<Written> {
        match self {
            Self::Pattern(pattern) => read_pattern(pattern, text),
            Self::Iso => read_iso(text),
            Self::Excel => read_excel(text),
            Self::Unix => text.parse().ok().map(Written::Instant),
        }
    }
}

/// A pattern is good when it can read back what it writes, down to the day.
fn check(pattern: &str) -> Result<(), String> {
    const KNOWN: &str = "write a pattern such as %Y-%m-%d %H:%M:%S, or one of iso, excel, unix";
    let sample = civil::date(2011, 7, 4).at(21, 14, 59, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let written = sample.and_then(|sample| strtime::format(pattern, &sample));
    let written = written.map_err(|error| format!("{error}; {KNOWN}"))?;
    read_pattern(pattern, &written).map(|_| ()).ok_or_else(|| format!("it does not tell a day; {KNOWN}"))
}

fn read_pattern(pattern: &str, text: &str) -> Option<Written> {
    let parts = BrokenDownTime::parse(pattern, text).ok()?;
    if let Ok(instant) = parts.to_timestamp() {
        return Some(Written::Instant(floor(instant)));
    }
    let date = parts.to_date().ok()?;
    match parts.hour() {
        None => Some(Written::Day(date)),
        Some(_) => parts.to_time().ok().map(|time| Written::Local(date.to_datetime(time))),
    }
}

fn read_iso(text: &str) -> Option<Written> {
    let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
    match (pieces.time(), pieces.to_numeric_offset()) {
        (Some(time), None) => Some(Written::Local(pieces.date().to_datetime(time))),
        (Some(_), Some(_)) => text.parse::<Timestamp>().ok().map(|instant| Written::Instant(floor(instant))),
        (None, None) => Some(Written::Day(pieces.date())),
        (None, Some(_)) => None,
    }
}

/// Whole seconds; a fraction is dropped towards the past.
fn floor(instant: Timestamp) -> i64 {
    instant.as_second() - i64::from(instant.subsec_nanosecond() < 0)
}

/// Day 1 is 1900-01-01 and day 60 a February 29th that never was, so that later days count from 1899-12-30.
fn read_excel(text: &str) -> Option<Written> {
    const SECONDS: i64 = 86_400;
    const LAST_DAY: f64 = 2_958_465.0; // 9999-12-31
    let serial: f64 = text.parse().ok().filter(|serial| (1.0..=LAST_DAY).contains(serial))?;
    let seconds = (serial * 86_400.0).round() as i64; // it fits: the last day bounds it
    let (day, second) = (seconds / SECONDS, seconds % SECONDS);
    let start = match day {
        60 => return None,
        ..60 => civil::date(1899, 12, 31),
        _ => civil::date(1899, 12, 30),
    };
    let date = start.checked_add(day.days()).ok()?;
    if serial.fract() == 0.0 {
        return Some(Written::Day(date));
    }
    date.to_datetime(civil::Time::midnight()).checked_add(second.seconds()).ok().map(Written::Local)
}

#[cfg(test)]
mod tests {
    use super::super::column::Clean;
    use super::*;

    fn column(formats: &[&str], range: Span) -> TimeColumn {
        TimeColumn {
            column: Column { slot: 0, missing: Vec::new(), clean: Clean::default() },
            formats: formats.iter().map(|format| Format::new(format).unwrap()).collect(),
            range,
        }
    }

    /// The time in a zone, in RFC 3339.
    fn read(formats: &[&str], zone: &str, text: &str) -> Result<(String, LocalTime), Fault> {
        let calendar = Calendar::new(zone).unwrap();
        let (instant, kind) = column(formats, Span::ALL).time(text, &calendar)?;
        Ok((calendar.format(instant), kind))
    }

    #[track_caller]
    fn reads(formats: &[&str], text: &str, expected: &str) {
        let (time, kind) = read(formats, "America/New_York", text).unwrap();
        assert_eq!((time.as_str(), kind), (expected, LocalTime::Plain), "{text}");
    }

    #[test]
    fn patterns_with_and_without_a_time_of_day() {
        reads(&["%Y-%m-%d %H:%M:%S"], "2011-07-01 01:32:33", "2011-07-01T01:32:33-04:00");
        reads(&["%m/%d/%Y %I:%M:%S %p"], "07/01/2011 01:32:33 AM", "2011-07-01T01:32:33-04:00");
        reads(&["%m/%d/%Y %I:%M:%S %p"], "7/1/2011 1:32:33 PM", "2011-07-01T13:32:33-04:00");
        reads(&["%m/%d/%Y %I:%M:%S %p"], "07/01/2011 12:00:00 AM", "2011-07-01T00:00:00-04:00");
        reads(&["%Y/%m/%d %H:%M"], "2018/2/8 9:05", "2018-02-08T09:05:00-05:00");
        reads(&["%Y年%m月%d日"], "2018年2月8日", "2018-02-08T00:00:00-05:00");
        reads(&["%Y-%m-%d %H:%M:%S%z"], "2011-07-01 01:32:33+0000", "2011-06-30T21:32:33-04:00");
        reads(&["%Y-%m-%d", "%d.%m.%y"], "31.12.11", "2011-12-31T00:00:00-05:00");
    }

    #[test]
    fn iso_with_and_without_an_offset() {
        reads(&["iso"], "2011-07-01", "2011-07-01T00:00:00-04:00");
        reads(&["iso"], "2011-07-01T09:00", "2011-07-01T09:00:00-04:00");
        reads(&["iso"], "2011-07-01 09:00:30", "2011-07-01T09:00:30-04:00");
        reads(&["iso"], "2011-07-01T09:00:00.9Z", "2011-07-01T05:00:00-04:00");
        assert_eq!(read(&["iso"], "America/New_York", "2011-13-01"), Err(Fault::Unreadable));
    }

    #[test]
    fn spreadsheet_days_and_unix_seconds() {
        reads(&["excel"], "40725", "2011-07-01T00:00:00-04:00");
        reads(&["excel"], "40725.0642708333", "2011-07-01T01:32:33-04:00");
        reads(&["excel"], "40725.9999999", "2011-07-02T00:00:00-04:00");
        assert_eq!(read(&["excel"], "Etc/UTC", "59").unwrap().0, "1900-02-28T00:00:00+00:00");
        assert_eq!(read(&["excel"], "Etc/UTC", "61").unwrap().0, "1900-03-01T00:00:00+00:00");
        for nonsense in ["60.5", "0", "-1", "NaN", "inf", "1e300", "soon"] {
            assert_eq!(read(&["excel"], "Etc/UTC", nonsense), Err(Fault::Unreadable), "{nonsense}");
        }
        reads(&["unix"], "1309498353", "2011-07-01T01:32:33-04:00");
    }

    #[test]
    fn times_that_the_clock_showed_twice_or_never_are_told() {
        let formats = ["%Y-%m-%d %H:%M:%S"];
        let read = |text| read(&formats, "America/New_York", text).unwrap();
        let twice = ("2011-11-06T01:30:00-04:00".to_owned(), LocalTime::Ambiguous);
        assert_eq!(read("2011-11-06 01:30:00"), twice);
        let never = ("2011-03-13T03:30:00-04:00".to_owned(), LocalTime::Skipped);
        assert_eq!(read("2011-03-13 02:30:00"), never);
    }

    #[test]
    fn a_day_without_midnight_starts_at_one_and_is_plain() {
        let time = read(&["%Y-%m-%d"], "America/Sao_Paulo", "2018-11-04").unwrap();
        assert_eq!(time, ("2018-11-04T01:00:00-02:00".to_owned(), LocalTime::Plain));
    }

    #[test]
    fn years_like_3020_are_out_of_range() {
        for text in ["3020-07-01", "3020-07-01T09:00:00", "3020-07-01T09:00:00Z", "0011-07-01"] {
            assert_eq!(read(&["iso"], "Etc/UTC", text), Err(Fault::OutOfRange), "{text}");
        }
        let calendar = Calendar::new("Etc/UTC").unwrap();
        let column = column(&["iso"], calendar.year(2011).unwrap());
        assert_eq!(column.time("2012-01-01", &calendar), Err(Fault::OutOfRange));
        assert!(column.time("2011-12-31T23:59:59", &calendar).is_ok());
    }

    #[test]
    fn patterns_that_tell_no_day_are_refused() {
        for wrong in ["%H:%M", "%Y-%m", "%Y-%m-%d %", "%J", "excell", ""] {
            let error = Format::new(wrong).unwrap_err().to_string();
            assert!(error.contains("write a pattern such as"), "{error}");
        }
    }
}
