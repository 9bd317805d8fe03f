//! Which earlier span a span is compared with.

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

use super::civil::{self, DAY, Step, in_month};
use super::{Calendar, Grain, Span};
use crate::Result;

/// How an earlier span is laid beside a later one.
///
/// As text in serde: `same-dates`, `same-length`, `same-weekdays`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Alignment {
    /// From the same date to the same date; where a month is too short for it, its last: the days up to March 31st lie
    /// beside those up to February 28th. Whole steps of the grain lie beside whole steps.
    #[default]
    SameDates,
    /// From the same date on, as many days and seconds of the wall clock.
    SameLength,
    /// So many whole weeks earlier that the dates come closest, at least one: a year is 52 weeks.
    SameWeekdays,
}

impl Calendar {
    /// The span that lies `back` steps of a grain before this one.
    ///
    /// One [`Grain::Month`] back is the month before (环比), one [`Grain::Year`] the same period of the year before (同比).
    /// Counted from the span itself, so that the 31st does not become the 28th by way of February.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the earlier span would begin before 1900.
    pub fn earlier(
        &self,
        span: Span,
        back: u32,
        grain: impl Borrow<Grain>,
        alignment: Alignment,
    ) -> Result<Span> {
        let (back, grain) = (i64::from(back), grain.borrow());
        if *grain == Grain::Hour {
            return Span::new(span.start() - back * 3600, span.end() - back * 3600);
        }
        let (start, end) = (self.zone.local(span.start()), self.zone.local(span.end()));
        let earlier = |local: i64| local_earlier(local, back, grain);
        let dates = match alignment {
            Alignment::SameDates if self.is_whole(grain, span) => {
                let step = |local: i64| {
                    let local = local + grain.ahead();
                    let step = grain.step().unwrap_or(Step::Day);
                    step.first_day(step.number(local.div_euclid(DAY)) - back) * DAY - grain.ahead()
                };
                (step(start), step(end))
            }
            // The last second inside is what has a date, not the first one behind.
            Alignment::SameDates => (earlier(start), earlier(end - 1) + 1),
            Alignment::SameLength => (earlier(start), earlier(start) + (end - start)),
            Alignment::SameWeekdays => {
                let week = 7 * DAY;
                let weeks = ((start - earlier(start)) + week / 2).div_euclid(week).max(back.min(1));
                (start - weeks * week, end - weeks * week)
            }
        };
        // Where the earlier month is shorter than the distance of its dates, nothing is left of the span.
        Span::new(self.zone.instant(dates.0), self.zone.instant(dates.1.max(dates.0)))
    }

    /// Whether a span starts and ends where steps do.
    fn is_whole(&self, grain: &Grain, span: Span) -> bool {
        !span.is_empty() && [span.start(), span.end()].iter().all(|edge| self.start(grain, *edge) == *edge)
    }
}

/// The local second of the same time of day, so many steps earlier.
fn local_earlier(local: i64, back: i64, grain: &Grain) -> i64 {
    let months = match grain {
        Grain::Hour | Grain::Day | Grain::NoonDay => return local - back * DAY,
        Grain::Week => return local - back * 7 * DAY,
        Grain::Month | Grain::MonthFrom(_) => 1,
        Grain::Quarter => 3,
        Grain::HalfYear => 6,
        Grain::Year => 12,
        Grain::Dates(_) => {
            let step = grain.step().unwrap_or(Step::Day);
            let number = step.number(local.div_euclid(DAY));
            let since = local - step.first_day(number) * DAY;
            let (first, next) = (step.first_day(number - back), step.first_day(number - back + 1));
            // Before the first date there is no step that starts.
            return if number <= back && back > 0 {
                first * DAY
            } else {
                (first * DAY + since).min(next * DAY - 1)
            };
        }
    };
    let (year, month, day) = civil::date(local.div_euclid(DAY));
    in_month(year * 12 + month - 1 - back * months, day) * DAY + local.rem_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: &str, from: &str, to: &str, back: u32, grain: Grain, alignment: Alignment) -> String {
        let calendar = Calendar::new(zone).unwrap();
        let span = Span::new(calendar.parse(from).unwrap(), calendar.parse(to).unwrap()).unwrap();
        let earlier = calendar.earlier(span, back, grain, alignment).unwrap();
        let shown = |time| calendar.format(time)[..16].replace("T00:00", "");
        format!("{} {}", shown(earlier.start()), shown(earlier.end()))
    }

    fn beijing(from: &str, to: &str, back: u32, grain: Grain, alignment: Alignment) -> String {
        shown("Asia/Shanghai", from, to, back, grain, alignment)
    }

    #[test]
    fn dates_are_cut_at_the_end_of_a_shorter_month() {
        let dates = |from, to, grain| beijing(from, to, 1, grain, Alignment::SameDates);
        // Up to the 30th and 31st of March: up to the last of February.
        assert_eq!(dates("2025-03-01", "2025-03-31", Grain::Month), "2025-02-01 2025-03-01");
        assert_eq!(dates("2025-03-01", "2025-03-29", Grain::Month), "2025-02-01 2025-03-01");
        assert_eq!(dates("2025-03-01", "2025-03-28", Grain::Month), "2025-02-01 2025-02-28");
        assert_eq!(dates("2025-03-01", "2025-03-31T12:00", Grain::Month), "2025-02-01 2025-02-28T12:00");
        assert_eq!(dates("2025-03-31", "2025-04-10", Grain::Month), "2025-02-28 2025-03-10");
        assert_eq!(dates("2024-02-29", "2024-03-01", Grain::Year), "2023-02-28 2023-03-01");
        assert_eq!(dates("2024-02-01", "2024-03-01", Grain::Year), "2023-02-01 2023-03-01");
        // Nothing but the 29th to the 31st: the last day of February, once.
        assert_eq!(dates("2025-03-29", "2025-03-31T09:00", Grain::Month), "2025-02-28 2025-02-28T09:00");
    }

    #[test]
    fn whole_steps_lie_beside_whole_steps() {
        let dates = |from, to, back, grain| beijing(from, to, back, grain, Alignment::SameDates);
        assert_eq!(dates("2025-02-01", "2025-03-01", 1, Grain::Month), "2025-01-01 2025-02-01");
        assert_eq!(dates("2025-03-01", "2025-05-01", 1, Grain::Month), "2025-02-01 2025-04-01");
        assert_eq!(dates("2025-02-19", "2025-03-19", 1, Grain::MonthFrom(19)), "2025-01-19 2025-02-19");
        assert_eq!(dates("2025-04-01", "2025-07-01", 1, Grain::Quarter), "2025-01-01 2025-04-01");
        assert_eq!(dates("2021-01-04", "2021-01-11", 1, Grain::Week), "2020-12-28 2021-01-04");
        assert_eq!(
            dates("2025-05-01T12:00", "2025-05-02T12:00", 1, Grain::NoonDay),
            "2025-04-30T12:00 2025-05-01T12:00"
        );
        // Months are counted from the span itself.
        assert_eq!(dates("2025-03-31", "2025-04-01T09:00", 2, Grain::Month), "2025-01-31 2025-02-01T09:00");
    }

    #[test]
    fn lengths_and_weekdays_are_kept() {
        let span = |from, to, grain, alignment| beijing(from, to, 1, grain, alignment);
        assert_eq!(
            span("2025-03-01", "2025-04-01", Grain::Month, Alignment::SameLength),
            "2025-02-01 2025-03-04"
        );
        assert_eq!(
            span("2024-02-01", "2024-03-01", Grain::Year, Alignment::SameLength),
            "2023-02-01 2023-03-02"
        );
        assert_eq!(
            span("2025-05-01", "2025-05-06", Grain::Year, Alignment::SameWeekdays),
            "2024-05-02 2024-05-07"
        );
        assert_eq!(
            span("2025-05-01", "2025-05-02", Grain::Day, Alignment::SameWeekdays),
            "2025-04-24 2025-04-25"
        );
        assert_eq!(
            span("2025-03-05", "2025-03-06", Grain::Month, Alignment::SameWeekdays),
            "2025-02-05 2025-02-06"
        );
    }

    #[test]
    fn days_stay_days_where_the_clock_changes() {
        let span = |from, to, alignment| shown("America/New_York", from, to, 1, Grain::Month, alignment);
        for alignment in [Alignment::SameDates, Alignment::SameLength] {
            assert_eq!(span("2011-04-13", "2011-04-14", alignment), "2011-03-13 2011-03-14");
            assert_eq!(span("2011-12-06", "2011-12-07", alignment), "2011-11-06 2011-11-07");
        }
        assert_eq!(span("2011-11-06", "2011-11-07", Alignment::SameWeekdays), "2011-10-09 2011-10-10");
    }

    #[test]
    fn what_lies_before_a_date_of_a_list_is_the_step_before() {
        let terms = || Grain::Dates(crate::Dates::new(["2025-02-10", "2025-07-05", "2025-09-01"]).unwrap());
        let dates = |from, to, back| beijing(from, to, back, terms(), Alignment::SameDates);
        assert_eq!(dates("2025-07-05", "2025-09-01", 1), "2025-02-10 2025-07-05");
        // Ten days into the term: ten days into the one before; no further than its end.
        assert_eq!(dates("2025-09-01", "2025-09-11", 2), "2025-02-10 2025-02-20");
        assert_eq!(dates("2025-09-01", "2025-12-01", 1), "2025-07-05 2025-09-01");
        let calendar = Calendar::new("Asia/Shanghai").unwrap();
        let first = calendar.step(terms(), calendar.parse("2025-03-01").unwrap());
        assert!(calendar.earlier(first, 1, terms(), Alignment::SameDates).is_err());
        assert!(calendar.earlier(first, 1, terms(), Alignment::SameLength).is_err());
    }

    #[test]
    fn before_1900_there_is_nothing() {
        let calendar = Calendar::new("UTC").unwrap();
        let first = calendar.month(1900, 1).unwrap();
        assert!(calendar.earlier(first, 2, Grain::Month, Alignment::SameDates).is_err());
        assert!(calendar.earlier(first, u32::MAX, Grain::Year, Alignment::SameDates).is_err());
        assert!(calendar.earlier(first, u32::MAX, Grain::Hour, Alignment::SameDates).is_err());
        assert_eq!(calendar.earlier(first, 0, Grain::Month, Alignment::SameWeekdays).unwrap(), first);
    }
}
