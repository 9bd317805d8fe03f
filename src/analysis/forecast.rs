//! How many orders are to come, going by those that came.

use std::ops::Range;

use augurs::ets::AutoETS;
use augurs::mstl::MSTLModel;
use augurs::{Fit as _, Predict as _};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::calendar::{Grain, Span};
use crate::error::{Error, Result};
use crate::query::Query;
use crate::store::Snapshot;

/// How often a season has to have come before it is one.
const ROUNDS: usize = 3;

impl Snapshot {
    /// How many orders of a query are to be expected in the steps of its grain that follow its span, with an interval that should hold so
    /// many of a hundred, and how well the same way would have told the last of the steps that are known.
    ///
    /// ```text
    /// seasons      24 and 168 hours, 7 and 365 days, 52 weeks, 12 months, 4 quarters or 2 half-years, as far as each has come
    ///              three times
    /// orders       the series is taken apart into trend, seasons and a remainder by LOESS (MSTL; Bandara, Hyndman and
    ///              Bergmeir 2021). Trend and remainder go on by the exponential smoothing without a season that has the
    ///              least AICc (Hyndman and Khandakar 2008), each season as in its last round. Never below 0
    /// low, high    by the variance of that smoothing: seasons are taken for known, so that it holds fewer than it says where
    ///              they are not
    /// trial        the last steps of the series, as many as are forecast, from those before them; beside it the seasonal
    ///              naive forecast: as many as one round of the shortest season before
    /// ```
    ///
    /// Steps that the span cuts are left out: a day that is not over is no day with few orders.
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query that is cut into units or groups, without a grain that has a season, or
    /// without an end of its span; where the shortest season has come less than three times, and for more steps than are known.
    pub fn forecast(&self, query: &Query, steps: u32, percent: u8) -> Result<Forecast<'_>> {
        let invalid = |reason: &str| Err(Error::invalid("query", reason));
        if !query.by.is_empty() || query.top.is_some() || query.between {
            return invalid("a forecast is that of one series: no dimensions, top k or subtotals");
        }
        let Some(grain) = &query.grain else {
            return invalid("a forecast goes on step by step; give the query a grain, such as a day");
        };
        if query.span.end() == Span::ALL.end() {
            return invalid("a forecast goes on where the span ends; give the span an end");
        }
        if !(1..=99).contains(&percent) {
            return Err(Error::invalid("forecast", "an interval holds from 1 to 99 of a hundred"));
        }
        let Some(shortest) = seasons(grain).first() else {
            return invalid(
                "its grain has no season to go by; ask for hours, days, weeks, months, quarters or half-years",
            );
        };
        let (known, counts) = self.whole_steps(query, grain)?;
        let came = |season: &usize| season * ROUNDS <= counts.len();
        let seasons: Vec<usize> = seasons(grain).iter().copied().filter(came).collect();
        let (Some(longest), Some(last)) = (seasons.last(), known.last()) else {
            let reason = format!(
                "the span holds {} whole steps; a forecast {grain} by {grain} needs {ROUNDS} rounds of {shortest}",
                counts.len()
            );
            return Err(Error::invalid("query", reason));
        };
        let ahead = steps as usize;
        if ahead > counts.len() {
            let reason =
                format!("{} steps are known, and no more can be forecast, so not {ahead}", counts.len());
            return Err(Error::invalid("forecast", reason));
        }
        let mut expected = Vec::with_capacity(ahead);
        let mut start = last.end();
        for (orders, low, high) in continued(&counts, &seasons, ahead, percent)? {
            let end = self.calendar().next(grain, start);
            expected.push(Expected { snapshot: self, step: Span::new(start, end)?, orders, low, high });
            start = end;
        }
        let before = counts.len().saturating_sub(ahead);
        let tried = before >= longest * ROUNDS && ahead > 0;
        let trial = tried.then(|| Trial::of(&counts, before..counts.len(), &seasons, percent)).transpose()?;
        Ok(Forecast { steps: expected, trial })
    }

    /// The steps that lie wholly in the span, from the first one with orders where it has no start, and the orders of each.
    fn whole_steps(&self, query: &Query, grain: &Grain) -> Result<(Vec<Span>, Vec<f64>)> {
        let query = Query { metrics: Vec::new(), ..query.clone() };
        let answer = self.run(&query)?;
        let mut rows = answer.rows().filter_map(|row| Some((row.time()?, row.count()))).peekable();
        let span = if query.span.start() == Span::ALL.start() {
            let first = rows.peek().map_or(query.span.end(), |(time, _)| *time);
            Span::new(first, query.span.end())?
        } else {
            query.span
        };
        let edges = self.calendar().steps(grain, span);
        let steps = edges.iter().zip(edges.iter().skip(1));
        let whole = steps.filter(|(start, end)| span.start() <= **start && **end <= span.end());
        let steps: Vec<Span> = whole.map(|(start, end)| Span::new(*start, *end)).collect::<Result<_>>()?;
        let mut counts = vec![0.0; steps.len()];
        let mut before = None;
        for (time, orders) in rows {
            if before.is_some_and(|before| before >= time) {
                let reason = "a forecast is that of one series; narrow it with one unit, without a level";
                return Err(Error::invalid("query", reason));
            }
            before = Some(time);
            let at = steps.binary_search_by_key(&time, |step| step.start()).ok();
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                #[expect(clippy::cast_precision_loss, reason = "a forecast is an estimate")]
                let orders = orders as f64;
                *count = orders;
            }
        }
        Ok((steps, counts))
    }
}

/// After how many steps of a grain things come back, the shortest first.
fn seasons(grain: &Grain) -> &'static [usize] {
    match grain {
        Grain::Hour => &[24, 168],
        Grain::Day | Grain::NoonDay => &[7, 365],
        Grain::Week => &[52],
        Grain::Month | Grain::MonthFrom(_) => &[12],
        Grain::Quarter => &[4],
        Grain::HalfYear => &[2],
        Grain::Year | Grain::Dates(_) => &[],
    }
}

/// What follows a series: the number expected, and the lower and the upper end of its interval.
fn continued(counts: &[f64], seasons: &[usize], ahead: usize, percent: u8) -> Result<Vec<(f64, f64, f64)>> {
    let model = MSTLModel::new(seasons.to_vec(), AutoETS::non_seasonal().into_trend_model());
    let forecast = model.fit(counts).and_then(|fitted| fitted.predict(ahead, f64::from(percent) / 100.0));
    let forecast =
        forecast.map_err(|error| Error::invalid("query", format!("its series has no forecast: {error}")))?;
    let (lower, upper) = forecast.intervals.map(|ends| (ends.lower, ends.upper)).unwrap_or_default();
    let rows = forecast.point.iter().zip(lower).zip(upper);
    let rows = rows.map(|((orders, low), high)| (orders.max(0.0), low.max(0.0), high.max(0.0)));
    Ok(rows.collect())
}

/// What a series is expected to go on with: see [`Snapshot::forecast`].
#[derive(Debug, Clone)]
pub struct Forecast<'a> {
    steps: Vec<Expected<'a>>,
    trial: Option<Trial>,
}

impl<'a> Forecast<'a> {
    /// The steps that follow the span.
    #[must_use]
    pub fn steps(&self) -> &[Expected<'a>] {
        &self.steps
    }

    /// How well the last steps that are known would have been forecast; none where there are too few before them.
    #[must_use]
    pub fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref()
    }
}

/// What is expected of a step to come.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    snapshot: &'a Snapshot,
    /// The step: its first second, and the first one after it.
    pub step: Span,
    /// The number of orders expected.
    pub orders: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// A forecast of steps that are known, judged by them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Trial {
    /// How many steps were forecast.
    pub steps: u64,
    /// Of these, steps whose orders the interval holds.
    pub within: u64,
    /// By how many orders the forecast was off, in the mean of the steps.
    pub error: f64,
    /// By how many the seasonal naive forecast was: a model that is no better is of no use here.
    pub naive_error: f64,
}

impl Trial {
    #[expect(clippy::cast_precision_loss, reason = "a forecast is an estimate")]
    fn of(counts: &[f64], tried: Range<usize>, seasons: &[usize], percent: u8) -> Result<Self> {
        let (before, after) = counts.split_at(tried.start);
        let forecast = continued(before, seasons, after.len(), percent)?;
        let season = seasons.first().copied().unwrap_or(1);
        let round = before.get(before.len() - season..).unwrap_or(before);
        let many = after.len() as f64;
        let off = |found: &mut dyn Iterator<Item = f64>| {
            after.iter().zip(found).map(|(orders, found)| (orders - found).abs()).sum::<f64>() / many
        };
        let holds =
            after.iter().zip(&forecast).filter(|(orders, (_, low, high))| (low..=high).contains(orders));
        Ok(Self {
            steps: after.len() as u64,
            within: holds.count() as u64,
            error: off(&mut forecast.iter().map(|(orders, ..)| *orders)),
            naive_error: off(&mut round.iter().copied().cycle()),
        })
    }
}

/// As a JSON line: `time` and `until` of the step, `orders`, `low`, `high`.
impl Serialize for Expected<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let calendar = self.snapshot.calendar();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &calendar.format(self.step.start()))?;
        map.serialize_entry("until", &calendar.format(self.step.end()))?;
        map.serialize_entry("orders", &self.orders)?;
        map.serialize_entry("low", &self.low)?;
        map.serialize_entry("high", &self.high)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Order, Schema, Store};

    /// A store with so many orders in each step from a date on.
    fn store(first: &str, grain: &Grain, counts: &[usize]) -> Store {
        let schema = Schema::builder("America/New_York").place(["city"]).build().unwrap();
        let store = Store::in_memory(schema).unwrap();
        let calendar = store.snapshot().calendar().clone();
        let mut load = store.load().unwrap();
        let mut start = calendar.parse(first).unwrap();
        for count in counts {
            for number in 0..*count {
                load.push(Order::new(format!("{start}-{number}"), start).place(["B"])).unwrap();
            }
            start = calendar.next(grain, start);
        }
        load.finish().unwrap();
        store
    }

    fn near(found: f64, expected: f64, share: f64) {
        assert!((found / expected - 1.0).abs() <= share, "{found}, not {expected}");
    }

    /// Box and Jenkins's airline passengers, in thousands, 1949 to 1960.
    const PASSENGERS: [usize; 144] = [
        112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170, 170,
        158, 133, 114, 140, 145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180, 193, 181,
        183, 218, 230, 242, 209, 191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201,
        204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267, 269, 270, 315, 364, 347,
        312, 274, 237, 278, 284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306, 315, 301, 356, 348,
        355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
        360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417, 391, 419, 461, 472, 535, 622, 606,
        508, 461, 390, 432,
    ];

    #[test]
    fn passengers_are_forecast_as_by_another_implementation() {
        let store = store("1949-01-01", &Grain::Month, &PASSENGERS);
        let now = store.snapshot();
        let until = |date: &str| {
            let span = Span::until(now.calendar().parse(date).unwrap()).unwrap();
            Query::zoom().during(span).grain(Grain::Month)
        };
        let forecast = now.forecast(&until("1960-01-01"), 12, 80).unwrap();
        // statsforecast's MSTL(season_length=12, trend_forecaster=AutoETS(model="ZZN")) of the first 132 months. Its LOESS is
        // another one, so that the two differ by some in a hundred.
        let expected =
            [417.29, 404.74, 449.2, 441.47, 449.66, 499.46, 545.48, 546.14, 484.58, 440.48, 401.99, 433.37];
        let high =
            [430.18, 422.49, 470.75, 466.25, 477.28, 529.66, 578.06, 580.94, 521.46, 479.33, 442.72, 475.89];
        assert_eq!(forecast.steps().len(), 12);
        for (step, (orders, high)) in forecast.steps().iter().zip(expected.into_iter().zip(high)) {
            near(step.orders, orders, 0.05);
            near(step.high - step.orders, high - orders, 0.5);
            near(step.orders - step.low, high - orders, 0.5);
        }
        let months: Vec<i64> = forecast.steps().iter().map(|step| step.step.start()).collect();
        let year = Span::new(months[0], forecast.steps()[11].step.end()).unwrap();
        assert_eq!(now.calendar().steps(&Grain::Month, year)[..12], months);
        // The same months as the trial of a forecast a year later: what it was off by can be computed by hand.
        let off = |found: &mut dyn Iterator<Item = f64>| {
            PASSENGERS[132..]
                .iter()
                .zip(found)
                .map(|(known, found)| (*known as f64 - found).abs())
                .sum::<f64>()
                / 12.0
        };
        let later = now.forecast(&until("1961-01-01"), 12, 80).unwrap();
        let trial = later.trial().unwrap();
        let within = PASSENGERS[132..].iter().zip(forecast.steps());
        let within = within.filter(|(known, step)| (step.low..=step.high).contains(&(**known as f64)));
        assert_eq!((trial.steps, trial.within), (12, within.count() as u64));
        assert_eq!(trial.error, off(&mut forecast.steps().iter().map(|step| step.orders)));
        assert_eq!(trial.naive_error, off(&mut PASSENGERS[120..132].iter().map(|known| *known as f64)));
        assert!(trial.error < trial.naive_error);
    }

    #[test]
    fn steps_that_the_span_cuts_are_no_quiet_ones() {
        // Seven days of 3, 1, 4, … orders, five times over, across the end of summer time in a zone that has it.
        let week = [3, 1, 4, 1, 5, 0, 2];
        let store = store("2025-10-06", &Grain::Day, &week.repeat(5));
        let now = store.snapshot();
        let forecast = |from: &str, to: &str| {
            let time = |text| now.calendar().parse(text).unwrap();
            let query = Query::zoom().during(Span::new(time(from), time(to)).unwrap()).grain(Grain::Day);
            let forecast = now.forecast(&query, 7, 90).unwrap();
            (
                forecast.steps()[0].step.start(),
                forecast.steps().iter().map(|step| step.orders.round()).collect::<Vec<_>>(),
            )
        };
        let day = |date: &str| now.calendar().parse(date).unwrap();
        let (start, orders) = forecast("2025-10-06", "2025-11-10");
        assert_eq!((start, orders), (day("2025-11-10"), week.map(|orders| orders as f64).to_vec()));
        let (start, orders) = forecast("2025-10-06T12:00", "2025-11-09T00:01");
        assert_eq!((start, orders[0]), (day("2025-11-09"), 2.0));
        assert_eq!(orders[1..], week.map(|orders| orders as f64)[..6]);
    }

    #[test]
    fn what_cannot_be_forecast_is_said() {
        let store = store("2025-10-06", &Grain::Day, &[1; 20]);
        let now = store.snapshot();
        let time = |text| now.calendar().parse(text).unwrap();
        let query = || Query::zoom().during(Span::new(time("2025-10-06"), time("2025-10-26")).unwrap());
        for (query, percent, says) in [
            (query(), 80, "a grain"),
            (Query::zoom().grain(Grain::Day), 80, "an end"),
            (query().grain(Grain::Year), 80, "no season"),
            (query().grain(Grain::Day), 80, "20 whole steps"),
            (query().grain(Grain::Hour).by("x"), 80, "one series"),
            (query().grain(Grain::Hour), 100, "from 1 to 99"),
        ] {
            let error = now.forecast(&query, 7, percent).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let error = now.forecast(&query().grain(Grain::Hour), 481, 80).unwrap_err().to_string();
        assert!(error.contains("480 steps are known"), "{error}");
        // Hours are enough, and all but one of a day have no orders.
        let forecast = now.forecast(&query().grain(Grain::Hour), 24, 80).unwrap();
        assert!(forecast.steps().iter().all(|hour| (-0.01..=1.01).contains(&hour.orders)));
        assert_eq!(forecast.trial().unwrap().naive_error, 0.0);
        assert!(now.forecast(&query().grain(Grain::Hour), 0, 80).unwrap().steps().is_empty());
    }
}
