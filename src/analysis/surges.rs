//! Groups that have many more orders than their own past leads one to expect.

use hashbrown::HashMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::chance::{mean_and_variance, tail};
use super::comparison::{Counterpart, counterparts};
use crate::calendar::{Alignment, Grain, Span};
use crate::error::{Error, Result};
use crate::query::{Answer, Group, NodePath, Query, Row};
use crate::store::Snapshot;

/// The same weekday of so many weeks before.
const WEEKS: u32 = 8;

/// The days before that EARS C2 compares with: it leaves out the two before the day itself.
const EARS: std::ops::RangeInclusive<u32> = 3..=9;

impl Snapshot {
    /// The groups of a query that have surged on a day, the least likely first: of each unit, or each unit × topic, against its own
    /// past. Groups with fewer orders than `minimum` on that day are left out; remainders are no groups.
    ///
    /// Nothing after the day is looked at. What is expected comes from the same weekday of the eight weeks before:
    ///
    /// ```text
    /// m, s²        mean and variance of these eight counts; m is at least 1/16, half an order in eight weeks
    /// probability  P(X ≥ observed), X negative binomial with mean m and variance s²; Poisson where s² ≤ m
    /// c2           (observed − mean) / standard deviation of the seven days that end three days before (EARS C2;
    ///              Hutwagner et al. 2003). Above 3 it raises an alarm. None where these days do not differ
    /// ```
    ///
    /// The negative binomial takes its size k = m² / (s² − m) from the moments (Anscombe 1949).
    ///
    /// # Errors
    /// As for [`run`](Self::run). [`Error::Invalid`] for a query with a grain, a top k or subtotals.
    pub fn surges(&self, query: &Query, day: i64, minimum: u64) -> Result<Surges> {
        if query.grain.is_some() || query.top.is_some() || query.between {
            return Err(Error::invalid(
                "query",
                "surges are sought on one day: no grain, top k or subtotals",
            ));
        }
        let day = self.calendar().step(Grain::Day, day);
        let of = |days: u32, grain: Grain| -> Result<Answer> {
            let span = self.calendar().earlier(day, days, grain, Alignment::SameDates)?;
            self.during(query, span)
        };
        let answer = self.during(query, day)?;
        let mut surges = Vec::new();
        {
            let candidates: Vec<(usize, Counterpart<'_>)> = counterparts(&answer)
                .enumerate()
                .filter(|(at, key)| answer.row(*at).count() >= minimum.max(1) && key.is_group())
                .collect();
            let at: HashMap<&Counterpart<'_>, usize> =
                candidates.iter().map(|(_, key)| key).zip(0..).collect();
            let series = |back: &mut dyn Iterator<Item = Result<Answer>>| -> Result<Vec<Vec<u64>>> {
                let mut series = vec![Vec::new(); candidates.len()];
                for (step, answer) in back.enumerate() {
                    let answer = answer?;
                    for (row, key) in answer.rows().zip(counterparts(&answer)) {
                        if let Some(counts) = at.get(&key).and_then(|at| series.get_mut(*at)) {
                            counts.resize(step, 0);
                            counts.push(row.count());
                        }
                    }
                }
                Ok(series)
            };
            let weeks = series(&mut (1..=WEEKS).map(|weeks| of(weeks, Grain::Week)))?;
            let days = series(&mut EARS.map(|days| of(days, Grain::Day)))?;
            for (((row, _), mut weeks), mut days) in candidates.iter().zip(weeks).zip(days) {
                weeks.resize(WEEKS as usize, 0);
                days.resize(EARS.count(), 0);
                surges.push(Unlikely::new(*row, answer.row(*row).count(), &weeks, &days));
            }
        }
        surges.sort_by(|a, b| {
            let excess = |surge: &Unlikely| surge.observed - surge.expected;
            a.probability.total_cmp(&b.probability).then(excess(b).total_cmp(&excess(a)))
        });
        Ok(Surges { answer, surges })
    }

    /// The answer to a query for a span of its clock.
    fn during(&self, query: &Query, span: Span) -> Result<Answer> {
        self.run(&query.clone().during_on(query.clock.clone(), span))
    }
}

/// What has surged on a day: see [`Snapshot::surges`].
#[derive(Debug, Clone)]
pub struct Surges {
    answer: Answer,
    surges: Vec<Unlikely>,
}

#[derive(Debug, Clone)]
struct Unlikely {
    row: usize,
    observed: f64,
    expected: f64,
    probability: f64,
    c2: Option<f64>,
}

impl Unlikely {
    #[expect(clippy::cast_precision_loss, reason = "a test of chance is an estimate")]
    fn new(row: usize, observed: u64, weeks: &[u64], days: &[u64]) -> Self {
        let (mean, variance) = mean_and_variance(weeks);
        let expected = mean.max(0.5 / weeks.len() as f64);
        let (recent, spread) = mean_and_variance(days);
        Self {
            row,
            observed: observed as f64,
            expected,
            probability: tail(observed, expected, variance),
            c2: (spread > 0.0).then(|| (observed as f64 - recent) / spread.sqrt()),
        }
    }
}

impl Surges {
    /// The groups, the least likely first.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Surge<'_>> {
        self.surges.iter().map(|unlikely| Surge { answer: &self.answer, unlikely })
    }
}

/// A group that has surged.
#[derive(Debug, Clone, Copy)]
pub struct Surge<'a> {
    answer: &'a Answer,
    unlikely: &'a Unlikely,
}

impl<'a> Surge<'a> {
    /// The group's row on the day.
    #[must_use]
    pub fn row(&self) -> Row<'a> {
        self.answer.row(self.unlikely.row)
    }

    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        self.row().path()
    }

    /// The number of orders on the day.
    #[must_use]
    pub fn observed(&self) -> u64 {
        self.row().count()
    }

    /// The number of orders expected: the mean of the eight weeks.
    #[must_use]
    pub fn expected(&self) -> f64 {
        self.unlikely.expected
    }

    /// How likely so many orders or more would be.
    #[must_use]
    pub fn probability(&self) -> f64 {
        self.unlikely.probability
    }

    /// EARS C2: by how many standard deviations the day exceeds the week before.
    #[must_use]
    pub fn c2(&self) -> Option<f64> {
        self.unlikely.c2
    }
}

/// As a JSON line: `path`, `by` with dimensions, `observed`, `expected`, `probability`, `c2`.
impl Serialize for Surge<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        let groups: std::collections::BTreeMap<&str, Group<'_>> = self.row().groups().collect();
        if !groups.is_empty() {
            map.serialize_entry("by", &groups)?;
        }
        map.serialize_entry("observed", &self.observed())?;
        map.serialize_entry("expected", &self.expected())?;
        map.serialize_entry("probability", &self.probability())?;
        map.serialize_entry("c2", &self.c2())?;
        map.end()
    }
}
