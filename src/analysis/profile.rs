//! What comes back with the hour, the weekday and the month.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fraction;
use crate::calendar::Grain;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::store::Snapshot;

/// A round that time makes.
///
/// As text in serde: `hour-of-day`, `day-of-week`, `month-of-year`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cycle {
    /// The hours of a day, from 0 to 23.
    HourOfDay,
    /// The days of a week, from Monday, 1, to 7.
    DayOfWeek,
    /// The months of a year, from 1 to 12.
    MonthOfYear,
}

/// One part of a [`Cycle`], over all the rounds of a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Season {
    /// The number of the hour, the weekday or the month.
    pub part: u32,
    /// Orders in it.
    pub orders: u64,
    /// How often it came.
    pub times: u64,
    /// Orders each time it came; none for a part that never did.
    pub mean: Option<Fraction>,
}

impl Cycle {
    fn grain(self) -> Grain {
        match self {
            Self::HourOfDay => Grain::Hour,
            Self::DayOfWeek => Grain::Day,
            Self::MonthOfYear => Grain::Month,
        }
    }

    fn parts(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Self::HourOfDay => 0..=23,
            Self::DayOfWeek => 1..=7,
            Self::MonthOfYear => 1..=12,
        }
    }
}

impl Snapshot {
    /// The seasonal profile of a query's orders: for every hour of the day, weekday or month of the year, how many there were each
    /// time it came. Groups of the query are taken together.
    ///
    /// Hours are those of the wall clock, so that the day on which it is set back has one of them twice. A step that the span cuts
    /// counts as one that came: let the span start and end with the cycle's steps.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query with a grain, a top k or subtotals, and for dimensions, in which tags
    /// would count orders twice.
    pub fn profile(&self, query: &Query, cycle: Cycle) -> Result<Vec<Season>> {
        if query.grain.is_some() || query.top.is_some() || query.between || !query.by.is_empty() {
            let reason = "a profile has its own steps of time: no grain, dimensions, top k or subtotals";
            return Err(Error::invalid("query", reason));
        }
        let mut steps: BTreeMap<i64, u64> = BTreeMap::new();
        for row in self.run(&query.clone().grain(cycle.grain()))?.rows() {
            if let Some(time) = row.time() {
                *steps.entry(time).or_default() += row.count();
            }
        }
        let season = |part| {
            let came =
                || steps.iter().filter(|(time, _)| self.calendar().part(cycle.grain(), **time) == part);
            let (orders, times) = (came().map(|(_, orders)| orders).sum(), came().count() as u64);
            Season { part, orders, times, mean: Fraction::from(orders).over(&Fraction::from(times)) }
        };
        Ok(cycle.parts().map(season).collect())
    }
}
