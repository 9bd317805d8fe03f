//! Periods that a hotline reports by: noon-days, assessment months, seasons, and what of a period has passed.

use std::borrow::Borrow;

use super::civil::{self, DAY, Stamp, Step, shown};
use super::{Calendar, Grain, Span};
use crate::{Error, Result};

impl Calendar {
    /// The step that holds a time.
    #[must_use]
    pub fn step(&self, grain: impl Borrow<Grain>, time: i64) -> Span {
        let grain = grain.borrow();
        let (start, next) = (self.start(grain, time), self.next(grain, time));
        Span::new(start, next).unwrap_or(Span::ALL) // both lie within the allowed years, in this order
    }

    /// The noon-day of a date: from 12:00 of the day before to 12:00 of the date.
    ///
    /// # Errors
    /// As for [`day`](Self::day).
    pub fn noon_day(&self, year: i32, month: u32, day: u32) -> Result<Span> {
        self.day(year, month, day)?;
        let noon = civil::days(year.into(), month.into(), day.into()) * DAY + DAY / 2;
        Span::new(self.zone.instant(noon - DAY), self.zone.instant(noon))
    }

    /// The month that starts on a day of this month, and ends on the day before it in the next:
    /// `month_from(19, 2025, 10)` is the assessment month from 2025-10-19 to 2025-11-18.
    ///
    /// # Errors
    /// As for [`day`](Self::day); a month has no day 0 and none after the 31st. Where it is too short for the day, the
    /// period starts on the month's last.
    pub fn month_from(&self, day: u32, year: i32, month: u32) -> Result<Span> {
        let number = i64::from(year) * 12 + i64::from(month) - 1;
        let exists = (1..=12).contains(&month) && (1..=31).contains(&day);
        let name = || format!("{year:04}-{month:02}-{day:02}");
        self.span(Step::MonthFrom(day.into()), number, year, exists, name)
    }

    /// A season of a year, from a month and day to another, both included; where that lies before the first, to that of
    /// the year after. `season(2025, (11, 1), (3, 15))` is the heating season from 2025-11-01 to 2026-03-15.
    ///
    /// # Errors
    /// As for [`day`](Self::day). February 29th is the 28th in a year that lacks it.
    pub fn season(&self, year: i32, first: (u32, u32), last: (u32, u32)) -> Result<Span> {
        let in_year = |year: i32, (month, day): (u32, u32)| {
            let day = if (month, day) == (2, 29) && self.day(year, 2, 29).is_err() { 28 } else { day };
            self.day(year, month, day)
        };
        let end = in_year(if last < first { year.saturating_add(1) } else { year }, last)?.end();
        Span::new(in_year(year, first)?.start(), end)
    }

    /// What has passed of a step by a time: from its first instant up to, but without, `until`. A time that ends a step is
    /// the end of that step: month to date, up to the first instant of April, is March.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a time outside the years 1900 to 2200.
    pub fn to_date(&self, grain: impl Borrow<Grain>, until: i64) -> Result<Span> {
        let last = until
            .checked_sub(1)
            .ok_or_else(|| Error::invalid("time", "it lies outside the years 1900 to 2200"))?;
        Span::new(self.start(grain, last), until)
    }

    /// Which hour of the day, day of the week or month of the year starts at a time, by the wall clock: 0 to 23, 1 to 7 from Monday,
    /// 1 to 12.
    pub(crate) fn part(&self, grain: Grain, time: i64) -> u32 {
        let local = time + self.zone.offset(time);
        let part = match grain {
            Grain::Hour => local.rem_euclid(DAY) / 3600,
            Grain::Month => civil::date(self.zone.day(time)).1,
            _ => (self.zone.day(time) + 3).rem_euclid(7) + 1, // 1970-01-01 was a Thursday
        };
        part as u32 // at most 23
    }

    /// What the step that holds a time is called: `2011-07-01` for a day and a noon-day, `2011-W26`, `2011-07`, `2011-Q3`,
    /// `2011-H2`, `2011`; `2011-07-19..2011-08-18` for a month that starts on another day and
    /// between two dates of a list (`2011-07-19..` from the last on), `2011-07-01 09:00-04:00` for an hour.
    #[must_use]
    pub fn name(&self, grain: impl Borrow<Grain>, time: i64) -> String {
        let grain = grain.borrow();
        let start = self.start(grain, time);
        let Some(step) = grain.step() else {
            let hour = Stamp::new(start, self.zone.offset(start)).to_string();
            return format!("{} {}{}", part(&hour, 0..10), part(&hour, 11..16), part(&hour, 19..));
        };
        let number = self.number(grain, step, start);
        let first = step.first_day(number);
        let (year, month, _) = civil::date(first);
        match grain {
            Grain::Week => {
                // A week belongs to the year of its Thursday.
                let (year, _, _) = civil::date(first + 3);
                let week = (first + 3 - civil::days(year, 1, 1)) / 7 + 1;
                format!("{year:04}-W{week:02}")
            }
            Grain::Month => format!("{year:04}-{month:02}"),
            Grain::Quarter => format!("{year:04}-Q{}", (month + 2) / 3),
            Grain::HalfYear => format!("{year:04}-H{}", (month + 5) / 6),
            Grain::Year => format!("{year:04}"),
            Grain::MonthFrom(_) => format!("{}..{}", shown(first), shown(step.first_day(number + 1) - 1)),
            Grain::Dates(_) => {
                let inside = |day: i64| Some(day).filter(|day| (1900..=2200).contains(&civil::date(*day).0));
                let ends = [inside(first), inside(step.first_day(number + 1)).map(|next| next - 1)];
                ends.map(|day| day.map_or(String::new(), shown)).join("..")
            }
            Grain::Hour | Grain::Day | Grain::NoonDay => shown(first),
        }
    }
}

/// A part of a time stamp, which is ASCII.
fn part(text: &str, range: impl std::slice::SliceIndex<str, Output = str>) -> &str {
    text.get(range).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai() -> Calendar {
        Calendar::new("Asia/Shanghai").unwrap()
    }

    fn dates(calendar: &Calendar, span: Span) -> String {
        format!("{} {}", &calendar.format(span.start())[..10], &calendar.format(span.end() - 1)[..10])
    }

    #[test]
    fn noon_begins_the_next_noon_day() {
        let calendar = shanghai();
        let noon = calendar.parse("2025-05-01T12:00:00").unwrap();
        assert_eq!(calendar.step(Grain::NoonDay, noon), calendar.noon_day(2025, 5, 2).unwrap());
        assert_eq!(calendar.name(Grain::NoonDay, noon), "2025-05-02");
        assert_eq!(calendar.step(Grain::NoonDay, noon - 1), calendar.noon_day(2025, 5, 1).unwrap());
        assert_eq!(calendar.name(Grain::NoonDay, noon - 1), "2025-05-01");
    }

    #[test]
    fn a_noon_day_has_the_hours_that_the_clock_gives_it() {
        let calendar = Calendar::new("America/New_York").unwrap();
        let hours = |day: Span| (day.end() - day.start()) / 3600;
        assert_eq!(hours(calendar.noon_day(2011, 3, 13).unwrap()), 23);
        assert_eq!(hours(calendar.noon_day(2011, 11, 6).unwrap()), 25);
        assert_eq!(hours(calendar.noon_day(2012, 2, 29).unwrap()), 24);
        assert!(calendar.noon_day(2011, 2, 29).is_err());
        // Samoa had no December 30th: its clock shows that noon, and more, at the first instant of the 31st.
        let apia = Calendar::new("Pacific/Apia").unwrap();
        let instant = |text: &str| apia.parse(text).unwrap();
        assert!(apia.noon_day(2011, 12, 30).is_ok());
        assert_eq!(hours(apia.step(Grain::NoonDay, instant("2011-12-29T23:00"))), 12);
        assert_eq!(hours(apia.step(Grain::NoonDay, instant("2011-12-31T11:00"))), 12);
    }

    #[test]
    fn an_assessment_month_runs_from_the_19th_to_the_18th() {
        let calendar = shanghai();
        let grain = Grain::MonthFrom(19);
        let inside = calendar.parse("2025-10-26").unwrap();
        assert_eq!(calendar.step(&grain, inside), calendar.month_from(19, 2025, 10).unwrap());
        assert_eq!(dates(&calendar, calendar.step(&grain, inside)), "2025-10-19 2025-11-18");
        assert_eq!(calendar.name(grain, inside), "2025-10-19..2025-11-18");
        assert_eq!(calendar.month_from(1, 2025, 10).unwrap(), calendar.month(2025, 10).unwrap());
        for (day, month) in [(0, 1), (32, 1), (1, 0), (1, 13)] {
            assert!(calendar.month_from(day, 2025, month).is_err());
        }
    }

    #[test]
    fn a_month_from_the_31st_starts_on_the_last_day_of_a_shorter_one() {
        let calendar = shanghai();
        let months = |year| (1..=4).map(move |month| (year, month));
        let found: Vec<_> = months(2023)
            .chain(months(2024))
            .map(|(year, month)| dates(&calendar, calendar.month_from(31, year, month).unwrap()))
            .collect();
        let expected = [
            "2023-01-31 2023-02-27",
            "2023-02-28 2023-03-30",
            "2023-03-31 2023-04-29",
            "2023-04-30 2023-05-30",
            "2024-01-31 2024-02-28",
            "2024-02-29 2024-03-30",
            "2024-03-31 2024-04-29",
            "2024-04-30 2024-05-30",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_season_may_cross_the_end_of_the_year() {
        let calendar = shanghai();
        let season = |year, first, last| dates(&calendar, calendar.season(year, first, last).unwrap());
        assert_eq!(season(2025, (11, 1), (3, 15)), "2025-11-01 2026-03-15");
        assert_eq!(season(2025, (6, 1), (8, 31)), "2025-06-01 2025-08-31");
        assert_eq!(season(2023, (12, 1), (2, 29)), "2023-12-01 2024-02-29");
        assert_eq!(season(2024, (12, 1), (2, 29)), "2024-12-01 2025-02-28");
        assert_eq!(season(2024, (5, 5), (5, 5)), "2024-05-05 2024-05-05");
        assert!(
            calendar.season(2024, (13, 1), (2, 1)).is_err()
                && calendar.season(2024, (1, 1), (2, 30)).is_err()
        );
        assert!(
            calendar.season(2200, (11, 1), (3, 15)).is_err()
                && calendar.season(i32::MAX, (2, 1), (1, 1)).is_err()
        );
    }

    #[test]
    fn to_date_ends_where_it_is_told() {
        let calendar = shanghai();
        let time = |text: &str| calendar.parse(text).unwrap();
        let to_date = |grain, until: &str| dates(&calendar, calendar.to_date(grain, time(until)).unwrap());
        assert_eq!(to_date(Grain::Month, "2025-03-31"), "2025-03-01 2025-03-30");
        assert_eq!(to_date(Grain::Month, "2025-04-01"), "2025-03-01 2025-03-31");
        assert_eq!(to_date(Grain::MonthFrom(19), "2025-03-19"), "2025-02-19 2025-03-18");
        assert_eq!(to_date(Grain::Week, "2021-01-02T09:00"), "2020-12-28 2021-01-02");
        assert_eq!(to_date(Grain::Year, "2024-02-29T00:00:01"), "2024-01-01 2024-02-29");
        assert!(
            calendar.to_date(Grain::Month, i64::MIN).is_err()
                && calendar.to_date(Grain::Month, i64::MAX).is_err()
        );
    }

    #[test]
    fn steps_have_names() {
        let calendar = Calendar::new("America/New_York").unwrap();
        let name = |grain, time: &str| calendar.name(grain, calendar.parse(time).unwrap());
        assert_eq!(name(Grain::Hour, "2011-11-06T01:30:00-05:00"), "2011-11-06 01:00-05:00");
        assert_eq!(name(Grain::Day, "2011-11-06T23:30"), "2011-11-06");
        assert_eq!(name(Grain::Week, "2021-01-03"), "2020-W53");
        assert_eq!(name(Grain::Week, "2021-01-04"), "2021-W01");
        assert_eq!(name(Grain::Week, "2018-12-31"), "2019-W01");
        assert_eq!(name(Grain::Month, "2011-11-06"), "2011-11");
        assert_eq!(name(Grain::Quarter, "2011-09-30"), "2011-Q3");
        assert_eq!(name(Grain::HalfYear, "2011-06-30"), "2011-H1");
        assert_eq!(name(Grain::HalfYear, "2011-07-01"), "2011-H2");
        assert_eq!(name(Grain::Year, "2011-07-01"), "2011");
        let terms = || Grain::Dates(crate::Dates::new(["2011-02-10", "2011-07-05"]).unwrap());
        assert_eq!(name(terms(), "2011-02-09T23:59:59"), "..2011-02-09");
        assert_eq!(name(terms(), "2011-07-04"), "2011-02-10..2011-07-04");
        assert_eq!(name(terms(), "2011-07-05"), "2011-07-05..");
    }
}
