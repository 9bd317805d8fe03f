//! A series from outside beside one of orders: the weather, outages, dates of a policy.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::Fraction;
#[cfg(feature = "import")]
use super::sheet::Sheet;
use crate::calendar::{Calendar, Grain};
use crate::error::{Error, Result};
use crate::query::{Metric, Query};
use crate::store::Snapshot;

/// Numbers by steps of time, from another source.
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    grain: Grain,
    /// By the first second of the step.
    values: BTreeMap<i64, f64>,
}

/// How closely two series go together at a lag.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Lag {
    /// By how many steps the outside series comes before the orders; below 0, after them.
    pub lag: i32,
    /// Steps in which both have a number.
    pub pairs: u64,
    /// Steps of the orders beside which one of the two has none: they are left out, not taken for 0.
    pub missing: u64,
    /// Pearson's correlation. None of fewer than two pairs, or where one series does not vary.
    pub pearson: Option<f64>,
    /// Spearman's: Pearson's of the ranks, ties at their mean rank.
    pub spearman: Option<f64>,
}

impl Outside {
    /// A series without numbers yet.
    #[must_use]
    pub fn new(grain: Grain) -> Self {
        Self { grain, values: BTreeMap::new() }
    }

    /// Sets the number of the step that holds a time, in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a step that has one, and for a number that is not finite.
    pub fn set(&mut self, calendar: &Calendar, time: i64, value: f64) -> Result<()> {
        let wrong = |reason| Error::invalid(calendar.name(&self.grain, time), reason);
        if !value.is_finite() {
            return Err(wrong("its number is not finite"));
        }
        match self.values.entry(calendar.start(&self.grain, time)) {
            Entry::Vacant(step) => step.insert(value),
            Entry::Occupied(_) => return Err(wrong("it has two numbers; sum them up first")),
        };
        Ok(())
    }

    /// Reads a series from CSV in UTF-8: a column `time` (a date, or a date and time) and a column `value`, which may be empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line of the first row that cannot be read, or that gives a step its second number.
    #[cfg(feature = "import")]
    pub fn from_csv(calendar: &Calendar, grain: Grain, csv: impl std::io::Read) -> Result<Self> {
        let sheet = Sheet::open("series", csv)?;
        let (time_at, value_at) = (sheet.column("time")?, sheet.column("value")?);
        let mut series = Self::new(grain);
        sheet.each(|row| {
            let [time, value] = [time_at, value_at].map(|at| row.get(at).unwrap_or_default());
            if value.is_empty() {
                return Ok(());
            }
            let number = value.parse().map_err(|_| format!("{value:?} is no number"))?;
            let said = |error: Error| error.to_string();
            let time = calendar.parse(time).map_err(said)?;
            series.set(calendar, time, number).map_err(said)
        })?;
        Ok(series)
    }
}

impl Snapshot {
    /// How closely a series from outside goes with the orders of a query: its first metric, the count without one, in steps of the
    /// series' grain, for each of some lags. At lag 1 the weather of a day stands beside the orders of the next. Steps without orders
    /// count as 0 orders.
    ///
    /// A correlation is an estimate, and no cause.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query that is cut into units or groups, or has a grain of its own.
    pub fn correlate(&self, query: &Query, series: &Outside, lags: RangeInclusive<i32>) -> Result<Vec<Lag>> {
        if query.grain.is_some() || !query.by.is_empty() || query.top.is_some() || query.between {
            let reason = "it stands beside the series step by step: no grain, dimensions, top k or subtotals";
            return Err(Error::invalid("query", reason));
        }
        let metric = query.metrics.first().cloned().unwrap_or(Metric::Count);
        let query = Query { metrics: vec![metric.clone()], ..query.clone() }.grain(series.grain.clone());
        let mut orders: BTreeMap<i64, Option<f64>> = BTreeMap::new();
        for row in self.run(&query)?.rows() {
            let Some(time) = row.time() else { continue };
            let figure = Fraction::of(&row.get(&metric)).map(|figure| figure.to_f64());
            if orders.insert(time, figure).is_some() {
                let reason = "a series is that of one unit; narrow it with one unit, without a level";
                return Err(Error::invalid("query", reason));
            }
        }
        let lag = |lag: i32| {
            let beside =
                |time: i64| series.values.get(&self.steps_before(&series.grain, time, lag)?).copied();
            let pairs = orders.iter().filter_map(|(time, figure)| Some((beside(*time)?, (*figure)?)));
            let (outside, figures): (Vec<f64>, Vec<f64>) = pairs.unzip();
            let pairs = figures.len() as u64;
            Lag {
                lag,
                pairs,
                missing: orders.len() as u64 - pairs,
                pearson: pearson(&outside, &figures),
                spearman: pearson(&ranks(&outside), &ranks(&figures)),
            }
        };
        Ok(lags.map(lag).collect())
    }

    /// The first second of the step that lies so many before the one that starts at a time; none beyond the calendar.
    fn steps_before(&self, grain: &Grain, time: i64, steps: i32) -> Option<i64> {
        let mut at = time;
        for _ in 0..steps.unsigned_abs() {
            let next = if steps > 0 {
                self.calendar().start(grain, at - 1)
            } else {
                self.calendar().next(grain, at)
            };
            if next == at {
                return None;
            }
            at = next;
        }
        Some(at)
    }
}

/// Pearson's correlation, from the deviations of both means.
#[expect(clippy::cast_precision_loss, reason = "a correlation is an estimate")]
fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let many = a.len() as f64;
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / many;
    let (of_a, of_b) = (mean(a), mean(b));
    let sum = |each: &dyn Fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| each(a - of_a, b - of_b)).sum()
    };
    let (both, first, second) = (sum(&|a, b| a * b), sum(&|a, _| a * a), sum(&|_, b| b * b));
    // A sum of squares is above 0 where anything varies, but for numbers that round to their mean.
    (a.len() > 1 && first > 0.0 && second > 0.0)
        .then(|| (both / (first.sqrt() * second.sqrt())).clamp(-1.0, 1.0))
}

/// The rank of every number, from 1; equal ones have the mean of theirs.
#[expect(clippy::cast_precision_loss, reason = "a correlation is an estimate")]
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = numbers.iter().copied().zip(0..).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; numbers.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for (_, at) in tied {
            if let Some(found) = ranks.get_mut(*at) {
                *found = rank;
            }
        }
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Order, Schema, Store};

    fn near(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn correlations_are_the_published_ones() {
        // Hours of television and intelligence quotients of ten people, as in Wikipedia's article on Spearman's coefficient: −29/165.
        let quotients = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        near(pearson(&ranks(&quotients), &ranks(&hours)), -29.0 / 165.0);
        // Anscombe's first set: 0.81642051634484 (Anscombe 1973; the digits are numpy's).
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        near(pearson(&x, &y), 0.816_420_516_344_84);
        assert_eq!(ranks(&[2.0, 1.0, 2.0, 0.5]), [3.5, 2.0, 3.5, 1.0]);
        assert_eq!(pearson(&[1.0], &[2.0]), None);
        assert_eq!(pearson(&[1.0, 1.0], &[2.0, 3.0]), None);
        near(pearson(&[1.0, 2.0], &[5.0, 3.0]), -1.0);
    }

    #[test]
    fn cold_days_come_before_orders() {
        let schema = Schema::builder("America/New_York").place(["city"]).build().unwrap();
        let store = Store::in_memory(schema).unwrap();
        let mut commit = store.begin();
        // As many orders on a day as it was cold the day before, across the change of the clock.
        for (day, many) in [(5, 2), (6, 5), (7, 1), (8, 4)] {
            for number in 0..many {
                commit.upsert(
                    Order::new(format!("{day}-{number}"), format!("2011-11-0{day}T23:30").as_str())
                        .place(["B"]),
                );
            }
        }
        commit.finish().unwrap();
        let now = store.snapshot();
        let calendar = now.calendar();
        let mut cold = Outside::new(Grain::Day);
        for (day, degrees) in [(4, 2.0), (5, 5.0), (6, 1.0), (7, 4.0)] {
            cold.set(calendar, calendar.parse(&format!("2011-11-0{day}T06:00")).unwrap(), degrees).unwrap();
        }
        assert!(cold.set(calendar, calendar.parse("2011-11-04").unwrap(), 1.0).is_err());
        assert!(cold.set(calendar, calendar.parse("2011-12-04").unwrap(), f64::NAN).is_err());
        let lags = now.correlate(&Query::zoom(), &cold, -1..=2).unwrap();
        let counts: Vec<_> = lags.iter().map(|lag| (lag.lag, lag.pairs, lag.missing)).collect();
        assert_eq!(counts, [(-1, 2, 2), (0, 3, 1), (1, 4, 0), (2, 3, 1)]);
        near(lags[2].pearson, 1.0);
        near(lags[2].spearman, 1.0);
        // Beside 2, 5 and 1 orders: 5, 1 and 4 degrees.
        near(lags[1].spearman, -0.5);
        assert!(now.correlate(&Query::zoom().grain(Grain::Day), &cold, 0..=0).is_err());
        assert_eq!(now.correlate(&Query::zoom().level("city"), &cold, 0..=0).unwrap().len(), 1);
    }

    #[cfg(feature = "import")]
    #[test]
    fn a_series_is_read_from_csv() {
        let calendar = Calendar::new("Asia/Shanghai").unwrap();
        let read = |text: &str| Outside::from_csv(&calendar, Grain::Day, text.as_bytes());
        let series =
            read("\u{feff}time,value,note\n2025-01-01,-3.5,x\n2025-01-02,,\n2025-01-03T18:00, 4 ,\n")
                .unwrap();
        let mut expected = Outside::new(Grain::Day);
        expected.set(&calendar, calendar.parse("2025-01-01").unwrap(), -3.5).unwrap();
        expected.set(&calendar, calendar.parse("2025-01-03").unwrap(), 4.0).unwrap();
        assert_eq!(series, expected);
        for (csv, says) in [
            ("time\n2025-01-01\n", "value"),
            ("time,value\n2025-01-01,x\n", "line 2"),
            ("time,value\n2025-01-01,1\n2025-01-01T09:00,2\n", "line 3"),
            ("time,value\nyesterday,1\n", "line 2"),
        ] {
            let error = read(csv).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
