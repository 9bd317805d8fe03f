//! Dates by arithmetic: days since 1970-01-01 in the proleptic Gregorian calendar, and steps made of them.
//!
//! By hand rather than through a library because every row of a bulk load and every step of an answer passes
//! here. A *local* second is what a wall clock shows, counted as if its zone were UTC.

use std::fmt;

pub(super) const DAY: i64 = 86_400;

/// The days from 1970-01-01 to a date.
///
/// Years are counted from March, so that the leap day is a year's last, and in eras of 400 years, which all
/// have the same length (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub(super) const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year, month and day that lie so many days after 1970-01-01.
pub(super) const fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// Steps of whole days. They are numbered without gaps: years by themselves, months by `year * 12 + month - 1`,
/// quarters and half years likewise, days from 1970-01-01 and weeks from the Monday before it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Day,
    Week,
    /// So many months, a divisor of twelve.
    Months(i64),
    /// From this day of a month to the day before it in the next, or from the last day of a month that lacks it.
    /// Numbered like the month it starts in.
    MonthFrom(i64),
    /// From each of these days, which ascend, to the day before the next. What comes before the first is step 0.
    Days(&'a [i64]),
}

/// Days outside of the allowed years, where the steps before the first and after the last of a list end.
const NEVER_YET: i64 = days(1899, 1, 1);
const NEVER_MORE: i64 = days(2203, 1, 1);

impl Step<'_> {
    /// The number of the step that holds a day.
    pub(super) fn number(self, day: i64) -> i64 {
        match self {
            Self::Day => day,
            Self::Week => (day + 3).div_euclid(7), // 1970-01-01 was a Thursday
            Self::Months(months) => {
                let (year, month, _) = date(day);
                (year * 12 + month - 1).div_euclid(months)
            }
            Self::MonthFrom(_) => {
                let number = Self::Months(1).number(day);
                if day < self.first_day(number) { number - 1 } else { number }
            }
            Self::Days(first) => first.partition_point(|first| *first <= day) as i64,
        }
    }

    /// The first day of a step.
    #[inline]
    pub(super) fn first_day(self, number: i64) -> i64 {
        match self {
            Self::Day => number,
            Self::Week => number * 7 - 3,
            Self::Months(months) => {
                let month = number * months;
                days(month.div_euclid(12), month.rem_euclid(12) + 1, 1)
            }
            Self::MonthFrom(day) => in_month(number, day),
            Self::Days(_) if number <= 0 => NEVER_YET,
            Self::Days(first) => {
                let at = usize::try_from(number - 1).unwrap_or(usize::MAX);
                first.get(at).copied().unwrap_or(NEVER_MORE)
            }
        }
    }
}

/// A day of a month that is numbered by `year * 12 + month - 1`; the month's last where it has none such.
pub(super) fn in_month(month: i64, day: i64) -> i64 {
    let (first, next) = (Step::Months(1).first_day(month), Step::Months(1).first_day(month + 1));
    let day = first + day - 1;
    if day < next { day } else { next - 1 }
}

/// A day as a date.
pub(super) fn shown(day: i64) -> String {
    let (year, month, day) = date(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// An instant in RFC 3339.
///
/// That knows only offsets of whole minutes. Before standard time zones kept their town's mean time, to the
/// second: then the offset is rounded and the clock with it, so that the text names the instant exactly.
pub(super) struct Stamp {
    local: i64,
    offset_minutes: i64,
}

impl Stamp {
    /// An instant, in seconds since 1970, at an offset from UTC in seconds.
    pub(super) const fn new(instant: i64, offset: i64) -> Self {
        let offset_minutes = (offset + 30).div_euclid(60);
        Self { local: instant + offset_minutes * 60, offset_minutes }
    }

    pub(super) const fn utc(instant: i64) -> Self {
        Self::new(instant, 0)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.local.div_euclid(DAY));
        let second = self.local.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let offset = self.offset_minutes.abs();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        write!(f, "{sign}{:02}:{:02}", offset / 60, offset % 60)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn every_day_of_four_centuries_agrees_with_jiff() {
        let mut expected = jiff::civil::date(1899, 1, 1);
        for day in days(1899, 1, 1)..days(2202, 1, 1) {
            let (year, month, of_month) = date(day);
            assert_eq!(
                (year, month, of_month),
                (i64::from(expected.year()), i64::from(expected.month()), i64::from(expected.day()))
            );
            assert_eq!(days(year, month, of_month), day);
            let weekday = i64::from(expected.weekday().to_monday_zero_offset());
            assert_eq!(Step::Week.first_day(Step::Week.number(day)), day - weekday);
            for step in
                [Step::Day, Step::Week, Step::Months(1), Step::Months(3), Step::Months(6), Step::Months(12)]
            {
                let number = step.number(day);
                assert!(step.first_day(number) <= day && day < step.first_day(number + 1));
            }
            expected += 1.day();
        }
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(Step::Months(12).number(days(2011, 12, 31)), 2011);
    }

    #[test]
    fn stamps_name_the_instant_exactly() {
        assert_eq!(Stamp::utc(0).to_string(), "1970-01-01T00:00:00+00:00");
        assert_eq!(Stamp::new(0, -16_200).to_string(), "1969-12-31T19:30:00-04:30");
        // Shanghai's mean time, 8:05:43 ahead.
        let before = -2_200_000_000;
        let text = Stamp::new(before, 29_143).to_string();
        assert_eq!(text, "1900-04-15T08:59:20+08:06");
        assert_eq!(text.parse::<jiff::Timestamp>().unwrap().as_second(), before);
    }
}
