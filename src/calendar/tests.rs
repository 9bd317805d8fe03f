//! The calendar against a slow one, written with jiff's own arithmetic, in zones with odd histories.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const GRAINS: [Grain; 10] = [
    Grain::Hour,
    Grain::Day,
    Grain::Week,
    Grain::Month,
    Grain::Quarter,
    Grain::HalfYear,
    Grain::Year,
    Grain::NoonDay,
    Grain::MonthFrom(19),
    Grain::MonthFrom(31),
];

/// A zone in both forms, with all its changes of the clock.
struct Subject {
    calendar: Calendar,
    zone: TimeZone,
    changes: Vec<i64>,
}

impl Subject {
    fn new(name: &str) -> Self {
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        let changes = zone.following(Timestamp::from_second(EARLIEST).unwrap());
        let changes = changes.map(|change| change.timestamp().as_second());
        let changes = changes.take_while(|&change| change <= LATEST).collect();
        Self { calendar: Calendar::new(name).unwrap(), zone, changes }
    }
}

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
    let names = [
        "UTC",
        "Asia/Shanghai", // summer time 1986 to 1991, and Shanghai's mean time before 1901
        "America/New_York",
        "America/Chicago",
        "America/Sao_Paulo",   // skips midnight
        "America/St_Johns",    // set back at 00:01, over midnight
        "America/Toronto",     // set forward over midnight in 1919
        "Africa/Casablanca",   // four changes a year
        "Africa/Monrovia",     // offsets with seconds until 1972
        "Antarctica/Troll",    // two hours
        "Asia/Kathmandu",      // quarters of an hour
        "Australia/Lord_Howe", // half an hour
        "Pacific/Apia",        // skipped 2011-12-30
        "Pacific/Kwajalein",   // skipped 1993-08-21
    ];
    names.into_iter().map(Subject::new).collect()
});

// The slow calendar.

fn date_at(zone: &TimeZone, time: i64) -> Date {
    zone.to_datetime(Timestamp::from_second(time).unwrap()).date()
}

fn offset_at(zone: &TimeZone, time: i64) -> i32 {
    zone.to_offset(Timestamp::from_second(time).unwrap()).seconds()
}

/// The first instant of a date or, where it was skipped, after it.
fn first_instant(zone: &TimeZone, date: Date) -> i64 {
    instant(zone, date.to_datetime(Default::default()))
}

/// The first instant of a local time or, where it was skipped, after it.
fn instant(zone: &TimeZone, local: DateTime) -> i64 {
    let meant = zone.to_ambiguous_timestamp(local);
    let earlier = meant.earlier().unwrap();
    if !matches!(meant.offset(), AmbiguousOffset::Gap { .. }) {
        return earlier.as_second();
    }
    // The gap's own change is the first after which the clock shows that time or a later one.
    let after = |time: &i64| zone.to_datetime(Timestamp::from_second(*time).unwrap()) >= local;
    zone.following(earlier).map(|change| change.timestamp().as_second()).find(after).unwrap()
}

fn first_date(grain: &Grain, date: Date) -> Date {
    let month = |months: i8| (date.month() - 1) / months * months + 1;
    match grain {
        Grain::Hour | Grain::Day => date,
        Grain::Week => date - i64::from(date.weekday().to_monday_zero_offset()).days(),
        Grain::Month => date.first_of_month(),
        Grain::Quarter => Date::new(date.year(), month(3), 1).unwrap(),
        Grain::HalfYear => Date::new(date.year(), month(6), 1).unwrap(),
        Grain::Year => date.first_of_year(),
        Grain::MonthFrom(day) => {
            let first = starting(date, *day);
            if first <= date { first } else { starting(date.first_of_month() - 1.month(), *day) }
        }
        Grain::NoonDay | Grain::Dates(_) => unreachable!("it is made of no dates"),
    }
}

/// The day of the date's month on which such a month starts.
fn starting(date: Date, day: u8) -> Date {
    date.first_of_month().with().day(date.days_in_month().min(day as i8)).build().unwrap()
}

fn following_date(grain: &Grain, first: Date) -> Date {
    first
        + match grain {
            Grain::Hour | Grain::Day => 1.day(),
            Grain::Week => 1.week(),
            Grain::Month => 1.month(),
            Grain::Quarter => 3.months(),
            Grain::HalfYear => 6.months(),
            Grain::Year => 1.year(),
            Grain::MonthFrom(day) => return starting(first.first_of_month() + 1.month(), *day),
            Grain::NoonDay | Grain::Dates(_) => unreachable!("it is made of no dates"),
        }
}

/// The step that holds a time: its first date, its first instant, the first instant of the next.
fn slow_step(zone: &TimeZone, grain: &Grain, time: i64) -> (Date, i64, i64) {
    let mut date = first_date(grain, date_at(zone, time));
    loop {
        let following = following_date(grain, date);
        let (start, next) = (first_instant(zone, date), first_instant(zone, following));
        if time < next {
            assert!(start <= time);
            return (date, start, next);
        }
        date = following;
    }
}

fn slow_hour(zone: &TimeZone, time: i64) -> (i64, i64) {
    let starts = |time: &i64| {
        let clock = zone.to_datetime(Timestamp::from_second(*time).unwrap());
        (clock.minute(), clock.second()) == (0, 0) || offset_at(zone, *time) != offset_at(zone, *time - 1)
    };
    let start = (0..=3600).map(|back| time - back).find(starts).unwrap();
    let next = (1..=3600).map(|on| time + on).find(starts).unwrap();
    (start, next)
}

/// From the last noon that is not after the time to the next that is.
fn slow_noon_day(zone: &TimeZone, time: i64) -> (i64, i64) {
    let date = date_at(zone, time);
    let noons: Vec<i64> = (-3..=3).map(|day| instant(zone, (date + day.days()).at(12, 0, 0, 0))).collect();
    let start = noons.iter().copied().filter(|noon| *noon <= time).max().unwrap();
    (start, noons.into_iter().filter(|noon| *noon > time).min().unwrap())
}

fn slow(zone: &TimeZone, grain: Grain, time: i64) -> (i64, i64) {
    let (start, next) = match grain {
        Grain::Hour => slow_hour(zone, time),
        Grain::NoonDay => slow_noon_day(zone, time),
        _ => {
            let (_, start, next) = slow_step(zone, &grain, time);
            (start, next)
        }
    };
    (start.max(EARLIEST), next.min(LATEST + 1))
}

// Times, close to where something happens.

fn a_subject() -> impl Strategy<Value = &'static Subject> {
    (0..SUBJECTS.len()).prop_map(|at| &SUBJECTS[at])
}

fn a_little() -> impl Strategy<Value = i64> {
    prop_oneof![
        select(vec![-86_400, -3600, -1800, -60, -1, 0, 1, 59, 60, 1799, 1800, 3599, 3600, 86_399, 86_400]),
        -100_000..100_000_i64,
    ]
}

fn an_edge() -> impl Strategy<Value = i64> {
    let years = prop_oneof![1900..2201_i64, 1985..2026_i64];
    let dates =
        select(vec![(1, 1), (1, 4), (2, 28), (2, 29), (3, 1), (4, 1), (6, 30), (7, 1), (12, 28), (12, 31)]);
    (years, dates).prop_map(|(year, (month, day))| civil::days(year, month, day) * DAY)
}

fn a_time_in(subject: &'static Subject) -> BoxedStrategy<i64> {
    let anywhere = EARLIEST..=LATEST;
    let near_an_edge = (an_edge(), a_little(), any::<bool>()).prop_map(move |(edge, little, local)| {
        let offset = if local { subject.calendar.zone.offset(edge) } else { 0 };
        (edge - offset + little).clamp(EARLIEST, LATEST)
    });
    if subject.changes.is_empty() {
        return prop_oneof![anywhere, near_an_edge].boxed();
    }
    let near_a_change = (select(subject.changes.clone()), a_little())
        .prop_map(|(change, little)| (change + little).clamp(EARLIEST, LATEST));
    prop_oneof![1 => anywhere, 2 => near_an_edge, 4 => near_a_change].boxed()
}

fn a_subject_and_time() -> impl Strategy<Value = (&'static Subject, i64)> {
    a_subject().prop_flat_map(|subject| (Just(subject), a_time_in(subject)))
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.calendar.fmt(f)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_step_is_the_slow_calendars((subject, time) in a_subject_and_time(), grain in select(&GRAINS[1..])) {
        let calendar = &subject.calendar;
        let expected = slow(&subject.zone, grain.clone(), time);
        prop_assert_eq!((calendar.start(&grain, time), calendar.next(&grain, time)), expected);
    }

    #[test]
    fn a_step_of_a_list_is_between_two_of_its_dates(
        (subject, time) in a_subject_and_time(),
        days in prop::collection::btree_set(-3..40_i64, 1..6),
    ) {
        let date = date_at(&subject.zone, time);
        let dates: Vec<Date> = days.iter().filter_map(|days| date.checked_add((days - 9).days()).ok()).collect();
        let allowed = dates.iter().all(|date| (1900..=2200).contains(&date.year()));
        prop_assume!(allowed && !dates.is_empty());
        let grain = Grain::Dates(Dates::new(dates.iter().map(Date::to_string)).unwrap());
        let firsts = || dates.iter().map(|date| first_instant(&subject.zone, *date));
        let expected = (
            firsts().filter(|first| *first <= time).max().unwrap_or(EARLIEST),
            firsts().filter(|first| *first > time).min().unwrap_or(LATEST + 1),
        );
        prop_assert_eq!((subject.calendar.start(&grain, time), subject.calendar.next(&grain, time)), expected);
        let steps = subject.calendar.steps(&grain, Span::ALL);
        let all: std::collections::BTreeSet<i64> = firsts().chain([EARLIEST, LATEST + 1]).collect();
        prop_assert_eq!(steps, all.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_local_time_is_what_jiff_makes_of_it((subject, time) in a_subject_and_time(), little in a_little()) {
        let civil = subject.zone.to_datetime(Timestamp::from_second(time).unwrap()) + little.seconds();
        let expected = subject.zone.to_ambiguous_timestamp(civil);
        let kind = match expected.offset() {
            AmbiguousOffset::Unambiguous { .. } => LocalTime::Plain,
            AmbiguousOffset::Gap { .. } => LocalTime::Skipped,
            AmbiguousOffset::Fold { .. } => LocalTime::Ambiguous,
        };
        let instant = expected.compatible().unwrap().as_second();
        match subject.calendar.resolve(civil) {
            Ok(resolved) => prop_assert_eq!(resolved, Resolved { instant, kind }),
            Err(_) => prop_assert!(!(EARLIEST..=LATEST).contains(&instant)),
        }
    }

    #[test]
    fn a_time_is_shown_and_read_back((subject, time) in a_subject_and_time()) {
        let calendar = &subject.calendar;
        let text = calendar.format(time);
        prop_assert_eq!(text.parse::<Timestamp>().unwrap().as_second(), time);
        prop_assert_eq!(calendar.parse(&text).unwrap(), time);
        let civil = subject.zone.to_datetime(Timestamp::from_second(time).unwrap());
        if offset_at(&subject.zone, time) % 60 == 0 {
            prop_assert!(text.starts_with(&civil.to_string()));
        }
    }

    #[test]
    fn a_partition_is_the_step_of_its_grain((subject, time) in a_subject_and_time()) {
        for grain in [PartitionGrain::Day, PartitionGrain::Month, PartitionGrain::Year] {
            let (first, _, _) = slow_step(&subject.zone, &grain.into(), time);
            let (year, month) = (i32::from(first.year()), i32::from(first.month()));
            let (number, name) = match grain {
                PartitionGrain::Day => {
                    let since = first.since(Date::constant(1970, 1, 1)).unwrap();
                    (since.get_days(), first.to_string())
                }
                PartitionGrain::Month => (year * 12 + month - 1, format!("{year}-{month:02}")),
                PartitionGrain::Year => (year, format!("{year}")),
            };
            let partition = subject.calendar.partition(grain, time);
            prop_assert_eq!(partition, number);
            prop_assert_eq!(subject.calendar.partition_name(grain, partition), name);
        }
    }

    #[test]
    fn steps_follow_each_other(
        (subject, start) in a_subject_and_time(),
        steps in 0..400_i64,
        little in a_little(),
        grain in select(&GRAINS[..]),
    ) {
        let calendar = &subject.calendar;
        let length = calendar.next(&grain, 0) - calendar.start(&grain, 0);
        let end = (start + steps * length + little).clamp(start, LATEST + 1);
        let span = Span::new(start, end).unwrap();
        let found = calendar.steps(&grain, span);
        if start == end {
            prop_assert!(found.is_empty());
        } else {
            let mut expected = vec![calendar.start(&grain, start)];
            while expected[expected.len() - 1] < end {
                let next = calendar.next(&grain, expected[expected.len() - 1]);
                prop_assert!(next > expected[expected.len() - 1]);
                expected.push(next);
            }
            prop_assert_eq!(found, expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn an_hour_is_the_slow_calendars((subject, time) in a_subject_and_time()) {
        let calendar = &subject.calendar;
        let expected = slow(&subject.zone, Grain::Hour, time);
        prop_assert_eq!((calendar.start(Grain::Hour, time), calendar.next(Grain::Hour, time)), expected);
    }
}

#[test]
fn every_change_of_every_zone_keeps_the_days() {
    for name in TimeZoneDatabase::bundled().available() {
        let subject = Subject::new(name.as_str());
        for &change in subject.changes.iter().filter(|&&change| change < 2_500_000_000) {
            for time in [change - 1, change, change + 3600] {
                let expected = slow(&subject.zone, Grain::Day, time);
                let calendar = &subject.calendar;
                let found = (calendar.start(Grain::Day, time), calendar.next(Grain::Day, time));
                assert_eq!(found, expected, "{name} at {time}");
            }
        }
    }
}

#[test]
fn every_change_cuts_the_hour() {
    for subject in SUBJECTS.iter() {
        let calendar = &subject.calendar;
        for &change in subject.changes.iter().filter(|&&change| change < 2_000_000_000) {
            for time in [change - 1, change] {
                let (start, next) = slow_hour(&subject.zone, time);
                let found = (calendar.start(Grain::Hour, time), calendar.next(Grain::Hour, time));
                assert_eq!(found, (start, next), "{calendar:?} at {time}");
                let (_, after) = slow_hour(&subject.zone, next);
                let steps = calendar.steps(Grain::Hour, Span::new(start, next + 1).unwrap());
                assert_eq!(steps, [start, next, after], "{calendar:?} at {time}");
            }
        }
    }
}

fn calendar(zone: &str) -> Calendar {
    Calendar::new(zone).unwrap()
}

fn shown(calendar: &Calendar, instants: &[i64]) -> Vec<String> {
    instants.iter().map(|&instant| calendar.format(instant)).collect()
}

#[test]
fn a_day_whose_midnight_is_skipped_starts_at_one() {
    let calendar = calendar("America/Sao_Paulo");
    let day = calendar.day(2018, 11, 4).unwrap();
    assert_eq!(calendar.format(day.start()), "2018-11-04T01:00:00-02:00");
    assert_eq!(day.end() - day.start(), 23 * 3600);
    assert_eq!(calendar.parse("2018-11-04").unwrap(), day.start());
    let resolved = calendar.resolve(jiff::civil::datetime(2018, 11, 4, 0, 30, 0, 0)).unwrap();
    assert_eq!(resolved.kind, LocalTime::Skipped);
    assert_eq!(calendar.format(resolved.instant), "2018-11-04T01:30:00-02:00");
}

#[test]
fn a_skipped_day_is_empty_and_no_step() {
    let calendar = calendar("Pacific/Apia");
    assert!(calendar.day(2011, 12, 30).unwrap().is_empty());
    let around =
        Span::new(calendar.day(2011, 12, 29).unwrap().start(), calendar.day(2011, 12, 31).unwrap().end());
    let days = ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"];
    assert_eq!(shown(&calendar, &calendar.steps(Grain::Day, around.unwrap())), days);
    let week = calendar.week(2011, 52).unwrap();
    assert_eq!(week.end() - week.start(), 6 * DAY);
}

#[test]
fn a_clock_set_back_over_midnight_does_not_split_the_day() {
    let calendar = calendar("America/St_Johns");
    let sunday = calendar.day(2009, 11, 1).unwrap();
    assert_eq!(calendar.format(sunday.start()), "2009-11-01T00:00:00-02:30");
    // The clock shows Saturday evening once more, but Sunday has begun.
    let evening = sunday.start() + 600;
    assert_eq!(calendar.format(evening), "2009-10-31T23:10:00-03:30");
    assert_eq!(calendar.start(Grain::Day, evening), sunday.start());
    assert_eq!(calendar.partition(PartitionGrain::Month, evening), 2009 * 12 + 10);
    assert_eq!(sunday.end() - sunday.start(), 25 * 3600);
}

#[test]
fn hours_follow_the_wall_clock() {
    let new_york = calendar("America/New_York");
    let hours = |calendar: &Calendar, from: &str, to: &str| {
        let span = Span::new(calendar.parse(from).unwrap(), calendar.parse(to).unwrap()).unwrap();
        shown(calendar, &calendar.steps(Grain::Hour, span))
    };
    let doubled = [
        "2011-11-06T00:00:00-04:00",
        "2011-11-06T01:00:00-04:00",
        "2011-11-06T01:00:00-05:00",
        "2011-11-06T02:00:00-05:00",
    ];
    assert_eq!(hours(&new_york, "2011-11-06", "2011-11-06T02:00"), doubled);
    let skipped = ["2011-03-13T01:00:00-05:00", "2011-03-13T03:00:00-04:00", "2011-03-13T04:00:00-04:00"];
    assert_eq!(hours(&new_york, "2011-03-13T01:30", "2011-03-13T03:30"), skipped);

    let lord_howe = calendar("Australia/Lord_Howe");
    let forward = ["2011-10-02T01:00:00+10:30", "2011-10-02T02:30:00+11:00", "2011-10-02T03:00:00+11:00"];
    assert_eq!(hours(&lord_howe, "2011-10-02T01:00", "2011-10-02T03:00"), forward);
    let back = ["2011-04-03T01:00:00+11:00", "2011-04-03T01:30:00+10:30", "2011-04-03T02:00:00+10:30"];
    assert_eq!(hours(&lord_howe, "2011-04-03T01:00", "2011-04-03T02:00"), back);
}

#[test]
fn shanghai_had_summer_time_once() {
    let calendar = calendar("Asia/Shanghai");
    assert_eq!(calendar.format(calendar.parse("1988-07-01").unwrap()), "1988-07-01T00:00:00+09:00");
    assert_eq!(calendar.format(calendar.parse("1992-07-01").unwrap()), "1992-07-01T00:00:00+08:00");
    assert_eq!(calendar.format(calendar.parse("2200-12-31").unwrap()), "2200-12-31T00:00:00+08:00");
}

#[test]
fn spans_of_the_calendar_have_their_steps() {
    for subject in SUBJECTS.iter() {
        let calendar = &subject.calendar;
        for year in [1900, 1904, 1999, 2000, 2004, 2011, 2015, 2020, 2026, 2200] {
            let whole = calendar.year(year).unwrap();
            let months: Vec<_> = (1..=12).map(|month| calendar.month(year, month).unwrap().start()).collect();
            let steps = calendar.steps(Grain::Month, whole);
            assert_eq!(steps[..12], months);
            assert_eq!(steps[12..], [whole.end()]);
            let quarters: Vec<_> =
                (1..=4).map(|part| calendar.quarter(year, part).unwrap().start()).collect();
            assert_eq!(calendar.steps(Grain::Quarter, whole)[..4], quarters);
            let halves: Vec<_> =
                (1..=2).map(|part| calendar.half_year(year, part).unwrap().start()).collect();
            assert_eq!(calendar.steps(Grain::HalfYear, whole)[..2], halves);
            assert_eq!(calendar.steps(Grain::Year, whole), [whole.start(), whole.end()]);
            let days: BTreeSet<_> = (1..=12)
                .flat_map(|month| (1..=31).filter_map(move |day| calendar.day(year, month, day).ok()))
                .filter(|day| !day.is_empty())
                .map(Span::start)
                .collect();
            let steps = calendar.steps(Grain::Day, whole);
            assert_eq!(steps[..steps.len() - 1], Vec::from_iter(days));
        }
    }
}

#[test]
fn iso_weeks_are_those_of_their_thursday() {
    let calendar = calendar("America/New_York");
    let week = |year, week| calendar.week(year, week).map(|span| calendar.format(span.start()));
    assert_eq!(week(2020, 53).unwrap(), "2020-12-28T00:00:00-05:00");
    assert_eq!(week(2021, 1).unwrap(), "2021-01-04T00:00:00-05:00");
    assert_eq!(week(2009, 1).unwrap(), "2008-12-29T00:00:00-05:00");
    assert!(week(2021, 53).is_err() && week(2021, 0).is_err());
    assert_eq!(
        calendar.week(2011, 10).unwrap().end() - calendar.week(2011, 10).unwrap().start(),
        7 * DAY - 3600
    );
}

#[test]
fn dates_that_do_not_exist_are_errors() {
    let calendar = calendar("UTC");
    assert!(calendar.day(2012, 2, 29).is_ok());
    for (year, month, day) in [(2011, 2, 29), (2011, 0, 1), (2011, 13, 1), (2011, 1, 0), (2011, 4, 31)] {
        let error = calendar.day(year, month, day).unwrap_err().to_string();
        assert!(error.contains(&format!("{year}-{month:02}-{day:02}")), "{error}");
    }
    assert!(calendar.day(i32::MAX, u32::MAX, u32::MAX).is_err());
    assert!(calendar.month(2011, 0).is_err() && calendar.month(2011, 13).is_err());
    assert!(calendar.quarter(2011, 5).is_err() && calendar.half_year(2011, 3).is_err());
    for year in [1899, 2201, i32::MIN, i32::MAX] {
        assert!(calendar.year(year).unwrap_err().to_string().contains("1900 to 2200"));
        assert!(calendar.week(year, 1).is_err());
    }
}

#[test]
fn texts_name_times() {
    let calendar = calendar("America/New_York");
    let first_of_july = 1_309_492_800; // 2011-07-01T04:00Z
    let nine = first_of_july + 9 * 3600;
    for (text, time) in [
        ("2011-07-01", first_of_july),
        ("2011-07-01T09:00", nine),
        ("2011-07-01 09:00", nine),
        ("2011-07-01 09:00:01", nine + 1),
        ("2011-07-01T09:00:01.999", nine + 1),
        ("2011-07-01T09:00:00-04:00", nine),
        ("2011-07-01T21:00:00+08:00", nine),
        ("2011-07-01T13:00Z", nine),
        ("2011-11-06T01:30", 1_320_557_400), // shown twice
        ("1969-12-31T18:59:59.5-05:00", -1),
        ("1900-01-01", -2_208_970_800),
        ("2200-12-31T23:59:59", 7_289_672_399),
    ] {
        assert_eq!(calendar.parse(text).unwrap(), time, "{text}");
    }
    let wrong =
        ["", "today", "2011-13-01", "2011-02-29", "09:00", "2011-07-01T25:00", "2011-07-01Z", "1309492800"];
    for text in wrong
        .into_iter()
        .chain(["2011-07-01T09:00[Asia/Shanghai]", "2011-07-01T09:00-04:00[America/New_York]"])
    {
        let error = calendar.parse(text).unwrap_err().to_string();
        assert!(error.contains("write 2011-07-01"), "{error}");
    }
    for text in ["1899-07-01", "2201-07-01", "9999-12-31T23:59:59Z", "-009999-01-01T00:00:00Z"] {
        let error = calendar.parse(text).unwrap_err().to_string();
        assert!(error.contains("1900 to 2200"), "{error}");
    }
}

#[test]
fn times_beyond_all_are_cut() {
    for subject in SUBJECTS.iter() {
        let calendar = &subject.calendar;
        for grain in GRAINS {
            assert_eq!(calendar.start(&grain, i64::MIN), EARLIEST);
            assert_eq!(calendar.next(&grain, i64::MAX), LATEST + 1);
            let steps = calendar.steps(&grain, Span::ALL);
            assert_eq!((steps[0], steps[steps.len() - 1]), (EARLIEST, LATEST + 1));
            assert!(steps.is_sorted_by(|a, b| a < b));
        }
        assert_eq!(
            calendar.partition_name(PartitionGrain::Year, calendar.partition(PartitionGrain::Year, i64::MIN)),
            "1899"
        );
        assert_eq!(calendar.format(i64::MIN), calendar.format(EARLIEST));
    }
    let _ = calendar("UTC").partition_name(PartitionGrain::Day, i32::MIN);
}

#[test]
fn an_unknown_zone_names_the_nearest() {
    assert_eq!(calendar("america/new_york").zone(), "America/New_York");
    let error = Calendar::new("Asia/Shangai").unwrap_err().to_string();
    assert!(
        error.starts_with("there is no time zone \"Asia/Shangai\"; the nearest are Asia/Shanghai"),
        "{error}"
    );
    assert_eq!(format!("{:?}", calendar("UTC")), "Calendar(\"UTC\")");
}
