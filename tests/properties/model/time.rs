//! The calendar of a zone by the plainest means: jiff's zoned date-times, one step after another.

use std::borrow::Borrow;

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use zonal::{Dates, Grain, Span};

/// The wall clock of a zone.
#[derive(Debug, Clone)]
pub(crate) struct Wall {
    zone: TimeZone,
}

impl Wall {
    pub(crate) fn new(zone: &str) -> Self {
        Self { zone: TimeZoneDatabase::bundled().get(zone).expect("a zone of the database") }
    }

    /// The local time at an instant.
    pub(crate) fn local(&self, instant: i64) -> DateTime {
        self.zone.to_datetime(Timestamp::from_second(instant).expect("a time in range"))
    }

    fn offset(&self, instant: i64) -> i32 {
        self.zone.to_offset(Timestamp::from_second(instant).expect("a time in range")).seconds()
    }

    /// The instant that a local time means: the earlier of two, and later by the gap where it was skipped.
    pub(crate) fn instant(&self, local: DateTime) -> i64 {
        self.zone.to_ambiguous_timestamp(local).compatible().expect("a time in range").as_second()
    }

    /// The first second of a date.
    pub(crate) fn first_second(&self, date: Date) -> i64 {
        let midnight = date.to_zoned_datetime(self.zone.clone()).expect("a date in range");
        midnight.start_of_day().expect("a date in range").timestamp().as_second()
    }

    /// The instants in a year at which the clock was changed.
    pub(crate) fn changes(&self, year: i16) -> Vec<i64> {
        let start = Timestamp::from_second(self.first_second(Date::constant(year, 1, 1))).expect("in range");
        let end = self.first_second(Date::constant(year + 1, 1, 1));
        let instants = self.zone.following(start).map(|change| change.timestamp().as_second());
        instants
            .take_while(|instant| *instant < end)
            .filter(|at| self.offset(*at) != self.offset(*at - 1))
            .collect()
    }

    /// The last date that has begun.
    fn date(&self, instant: i64) -> Date {
        let date = self.local(instant).date();
        // A clock that is set back over midnight shows the evening before once more; the new day goes on.
        if self.first_second(date.tomorrow().expect("in range")) <= instant {
            return date.tomorrow().expect("in range");
        }
        date
    }

    /// The first second of the step that holds an instant.
    pub(crate) fn start(&self, grain: impl Borrow<Grain>, instant: i64) -> i64 {
        let grain = grain.borrow();
        let start = match grain {
            Grain::Dates(dates) => {
                let first = self.firsts(dates).filter(|first| *first <= instant).max();
                first.unwrap_or(Span::ALL.start())
            }
            Grain::Hour => self.hour(instant),
            Grain::NoonDay => {
                self.noons(instant).filter(|noon| *noon <= instant).max().expect("a noon before")
            }
            _ => self.first_second(first_date(grain, self.date(instant))),
        };
        start.max(Span::ALL.start())
    }

    /// The first second of the next step.
    pub(crate) fn next(&self, grain: impl Borrow<Grain>, instant: i64) -> i64 {
        let grain = grain.borrow();
        let next = match grain {
            Grain::Dates(dates) => {
                let first = self.firsts(dates).filter(|first| *first > instant).min();
                first.unwrap_or(Span::ALL.end())
            }
            Grain::Hour => self.next_hour(instant),
            Grain::NoonDay => self.noons(instant).filter(|noon| *noon > instant).min().expect("a noon after"),
            _ => {
                let mut date = first_date(grain, self.date(instant));
                loop {
                    date = next_date(grain, date);
                    // A date that the zone skipped has no second of its own.
                    if self.first_second(date) > instant {
                        break self.first_second(date);
                    }
                }
            }
        };
        next.min(Span::ALL.end())
    }

    /// The first seconds of the steps from that of `first` to that of `last`, but no more than `most`.
    pub(crate) fn steps(&self, grain: &Grain, first: i64, last: i64, most: usize) -> Vec<i64> {
        let mut steps = Vec::new();
        let mut at = self.start(grain, first);
        while at <= last && steps.len() < most {
            steps.push(at);
            at = self.next(grain, at);
        }
        steps
    }

    /// The first seconds of a list's dates, read from its text.
    fn firsts(&self, dates: &Dates) -> impl Iterator<Item = i64> {
        let text = dates.to_string();
        let dates: Vec<Date> = text.split(',').map(|date| date.parse().expect("a date")).collect();
        dates.into_iter().map(|date| self.first_second(date))
    }

    /// The noons around an instant; for one that was skipped, the change of the clock that skipped it.
    fn noons(&self, instant: i64) -> impl Iterator<Item = i64> {
        let date = self.local(instant).date();
        (-3..=3).map(move |days: i64| {
            let noon = date.checked_add(days.days()).expect("in range").at(12, 0, 0, 0);
            let meant = self.instant(noon);
            // Of the model's zones one skips a noon, with the whole of its day.
            if self.local(meant) == noon { meant } else { self.first_second(self.local(meant).date()) }
        })
    }

    /// An hour starts with its minute 0, or where the clock is changed.
    fn hour(&self, instant: i64) -> i64 {
        let shown = self.local(instant);
        let full = instant - i64::from(shown.minute()) * 60 - i64::from(shown.second());
        (full..=instant)
            .find(|second| self.offset(*second) == self.offset(instant))
            .expect("the instant itself")
    }

    fn next_hour(&self, instant: i64) -> i64 {
        let shown = self.local(instant);
        let full = instant - i64::from(shown.minute()) * 60 - i64::from(shown.second()) + 3600;
        if self.offset(full - 1) == self.offset(instant) {
            return full;
        }
        (instant..full).find(|second| self.offset(*second) != self.offset(instant)).expect("a change before")
    }
}

fn first_date(grain: &Grain, date: Date) -> Date {
    let month = |months: i8| Date::constant(date.year(), (date.month() - 1) / months * months + 1, 1);
    match grain {
        Grain::Day => date,
        Grain::Week => {
            date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).expect("in range")
        }
        Grain::Month => month(1),
        Grain::Quarter => month(3),
        Grain::HalfYear => month(6),
        Grain::Year => month(12),
        Grain::MonthFrom(day) => {
            let first = starting(date.year(), date.month(), *day);
            let before = date.first_of_month().yesterday().expect("in range");
            if first <= date { first } else { starting(before.year(), before.month(), *day) }
        }
        other => panic!("a new grain, {other}: teach the model"),
    }
}

/// The first date of a month that starts on a day, or on its last.
fn starting(year: i16, month: i8, day: u8) -> Date {
    let last = Date::constant(year, month, 1).last_of_month();
    if i16::from(day) < last.day().into() { Date::constant(year, month, day as i8) } else { last }
}

fn next_date(grain: &Grain, first: Date) -> Date {
    if let Grain::MonthFrom(day) = grain {
        let next = first.last_of_month().tomorrow().expect("in range");
        return starting(next.year(), next.month(), *day);
    }
    let step = match grain {
        Grain::Day => 1.day(),
        Grain::Week => 1.week(),
        Grain::Month => 1.month(),
        Grain::Quarter => 3.months(),
        Grain::HalfYear => 6.months(),
        Grain::Year => 1.year(),
        other => panic!("a new grain, {other}: teach the model"),
    };
    first.checked_add(step).expect("in range")
}
