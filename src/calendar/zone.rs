//! A time zone as a table: how far its wall clock was ahead of UTC, and from when to when.
//!
//! The rules come from the database that is compiled in, never from the machine's files: updating an operating
//! system must not move the days of a store. They are unrolled once for all allowed years, a few hundred runs
//! at most, because looking them up rule by rule is too slow for every row of a load.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZoneDatabase};

use super::civil::DAY;
use super::span::{EARLIEST, LATEST};
use crate::{Error, Result};

const HOUR: i64 = 3600;

/// The offsets of one zone.
///
/// Beside the wall clock, which is set back now and then, there is the *calendar's clock*: it stands still
/// where the wall clock is set back, until that has caught up, and so never goes back. Days and all that is
/// made of days go by it. A day therefore starts at its first instant, and holds what comes before the next
/// day's first instant, even where a clock set back over midnight shows the evening before once more.
pub(super) struct Zone {
    name: String,
    /// In order; together they hold all of time.
    runs: Vec<Run>,
}

/// A time through which the offset stays the same.
struct Run {
    start: i64,
    end: i64,
    /// Seconds ahead of UTC.
    offset: i64,
    /// The local second that no clock of this run or of one before has reached by the end of the run.
    reach: i64,
}

/// Whether a clock shows a local time once, twice or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LocalTime {
    /// Once.
    Plain,
    /// Twice, as the clock was set back: the earlier instant is meant.
    Ambiguous,
    /// Never, as the clock was set forward: as much later is meant as it was set forward.
    Skipped,
}

impl Zone {
    pub(super) fn new(name: &str) -> Result<Self> {
        let zones = TimeZoneDatabase::bundled();
        let Ok(zone) = zones.get(name) else {
            let known: Vec<String> = zones.available().map(|known| known.to_string()).collect();
            return Err(Error::unknown("time zone", name, known.iter().map(String::as_str)));
        };
        let seconds = |offset: Offset| i64::from(offset.seconds());
        let earliest = Timestamp::constant(EARLIEST, 0);
        let mut starts = vec![(i64::MIN, seconds(zone.to_offset(earliest)))];
        for transition in zone.following(earliest) {
            let (start, offset) = (transition.timestamp().as_second(), seconds(transition.offset()));
            if start > LATEST {
                break;
            }
            if starts.last().is_none_or(|&(_, before)| before != offset) {
                starts.push((start, offset));
            }
        }
        let ends = starts.iter().skip(1).map(|&(start, _)| start).chain([i64::MAX]);
        let mut reach = i64::MIN;
        let runs = starts.iter().zip(ends).map(|(&(start, offset), end)| {
            reach = reach.max(end.saturating_add(offset));
            Run { start, end, offset, reach }
        });
        Ok(Self { name: zone.iana_name().unwrap_or(name).to_owned(), runs: runs.collect() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Seconds ahead of UTC at an instant.
    pub(super) fn offset(&self, instant: i64) -> i64 {
        self.runs[self.run_at(instant)].offset
    }

    /// The day, since 1970-01-01, that the calendar's clock shows.
    pub(super) fn day(&self, instant: i64) -> i64 {
        self.local(instant).div_euclid(DAY)
    }

    /// The local second that the calendar's clock shows.
    pub(super) fn local(&self, instant: i64) -> i64 {
        let at = self.run_at(instant);
        let wall = instant + self.runs[at].offset;
        let held = at.checked_sub(1).map_or(wall, |before| self.runs[before].reach - 1);
        wall.max(held)
    }

    /// The first instant of a day that the calendar's clock shows, or of the next that it does.
    pub(super) fn first_instant(&self, day: i64) -> i64 {
        self.instant(day * DAY)
    }

    /// The first instant at which the calendar's clock shows a local second or a later one.
    pub(super) fn instant(&self, local: i64) -> i64 {
        self.instants([local]).next().unwrap_or_default()
    }

    /// The first instants of ascending local seconds.
    pub(super) fn instants(&self, locals: impl IntoIterator<Item = i64>) -> impl Iterator<Item = i64> {
        let mut found = None;
        locals.into_iter().map(move |local| {
            let mut at = found.unwrap_or_else(|| self.run_reaching(local));
            while self.runs[at].reach <= local {
                at += 1;
            }
            found = Some(at);
            (local - self.runs[at].offset).max(self.runs[at].start)
        })
    }

    /// The first instant of the hour that holds an instant.
    pub(super) fn hour(&self, instant: i64) -> i64 {
        let run = &self.runs[self.run_at(instant)];
        (instant - (instant + run.offset).rem_euclid(HOUR)).max(run.start)
    }

    /// The first instants of the hours after the one that holds an instant, without end.
    pub(super) fn hours_after(&self, instant: i64) -> impl Iterator<Item = i64> {
        let mut at = self.run_at(instant);
        let mut hour = instant;
        std::iter::from_fn(move || {
            let run = &self.runs[at];
            hour = (hour - (hour + run.offset).rem_euclid(HOUR) + HOUR).min(run.end);
            at += usize::from(hour == run.end);
            Some(hour)
        })
    }

    /// The instant that is meant by what a wall clock shows.
    pub(super) fn resolve(&self, local: i64) -> (i64, LocalTime) {
        let at = self.run_reaching(local);
        let instant = local - self.runs[at].offset;
        if instant < self.runs[at].start {
            // Only the first run has none before it, and it starts before all times.
            let before = at.checked_sub(1).map_or(instant, |before| local - self.runs[before].offset);
            return (before, LocalTime::Skipped);
        }
        let near = self.runs[at + 1..].iter().take_while(|later| later.start <= instant + 2 * DAY);
        let again = near.into_iter().any(|later| (later.start..later.end).contains(&(local - later.offset)));
        (instant, if again { LocalTime::Ambiguous } else { LocalTime::Plain })
    }

    /// Which run holds an instant.
    fn run_at(&self, instant: i64) -> usize {
        self.runs.partition_point(|run| run.end <= instant)
    }

    /// The first run whose clock reaches a local second.
    fn run_reaching(&self, local: i64) -> usize {
        self.runs.partition_point(|run| run.reach <= local)
    }
}
