//! Groups that have many more orders than their own past leads one to expect.

use hashbrown::HashMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::chance::{mean_and_variance, tail};
use super::farrington::expected;
use crate::calendar::{Alignment, Grain, Span};
use crate::error::{Error, Result};
use crate::query::{Answer, Group, GroupKey, NodePath, Query, Row};
use crate::store::Snapshot;

/// The same weekday of so many weeks before.
const WEEKS: u32 = 8;

/// The days before that EARS C2 compares with: it leaves out the two before the day itself.
const EARS: std::ops::RangeInclusive<u32> = 3..=9;

/// How many past years a week is compared with, and how many weeks around its own in each.
const YEARS: u32 = 5;
const AROUND: u32 = 3;

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
        check(query)?;
        let day = self.calendar().step(Grain::Day, day);
        let before =
            |steps: u32, grain: Grain| self.calendar().earlier(day, steps, grain, Alignment::SameDates);
        let weeks = (1..=WEEKS).map(|weeks| before(weeks, Grain::Week));
        let days = weeks.chain(EARS.map(|days| before(days, Grain::Day))).collect::<Result<Vec<_>>>()?;
        let answer = self.run_at_least(&during(query, day), minimum)?;
        let (rows, groups) = candidates(&answer, minimum);
        let past = self.counts_in(query, &days, &groups)?;
        let mut counts = Vec::with_capacity(days.len());
        let surge = |(group, row): (usize, &usize)| {
            counts.clear();
            counts.extend(past.iter().filter_map(|counts| counts.get(group)));
            let (weeks, days) = counts.split_at(counts.len().min(WEEKS as usize));
            Unlikely::new(*row, answer.row(*row).count(), weeks, days)
        };
        let surges = rows.iter().enumerate().map(surge).collect();
        Ok(Surges::new(answer, surges))
    }

    /// The groups of a query that have surged in a week, the least likely first, against the weeks around the same one in up to five
    /// past years. As [`surges`](Self::surges) otherwise; there is no `c2`.
    ///
    /// ```text
    /// history      the week 52·i weeks before and the three on either side, for i from 1 to 5, as far as there are orders
    /// m, φ         the mean and the dispersion that Farrington et al. (1996) expect of it: a log-linear quasi-Poisson
    ///              regression with a trend where there are three years, it is significant at 5 % and m does not exceed
    ///              the history; weeks whose standardised Anscombe residual s exceeds 1 weigh 1/s²
    /// probability  P(X ≥ observed), X negative binomial with mean m and variance φ·m (Noufal et al. 2013)
    /// ```
    ///
    /// # Errors
    /// As for [`surges`](Self::surges). [`Error::Invalid`] where not even one past year is there.
    pub fn weekly_surges(&self, query: &Query, week: i64, minimum: u64) -> Result<Surges> {
        check(query)?;
        let week = self.calendar().step(Grain::Week, week);
        let earlier = |weeks: u32| self.calendar().earlier(week, weeks, Grain::Week, Alignment::SameDates);
        let all = Query::zoom().during_on(query.clock.clone(), Span::until(week.start())?).grain(Grain::Week);
        let first = self.run(&all)?.rows().find_map(|row| row.time()).unwrap_or(week.start());
        let mut past = Vec::new();
        for year in 1..=YEARS {
            let around = Span::new(earlier(52 * year + AROUND)?.start(), earlier(52 * year - AROUND)?.end())?;
            if around.start() < first {
                break;
            }
            past.push((year, around));
        }
        if past.is_empty() {
            let reason =
                "no past year has orders in the weeks around this one; daily surges need eight weeks only";
            return Err(Error::invalid("query", reason));
        }
        let answer = self.run_at_least(&during(query, week), minimum)?;
        let mut surges = Vec::new();
        {
            let (rows, groups) = candidates(&answer, minimum);
            let at: HashMap<&GroupKey, usize> = groups.iter().zip(0..).collect();
            let weeks: Vec<i32> = past
                .iter()
                .flat_map(|(year, _)| {
                    (-AROUND.cast_signed()..=AROUND.cast_signed()).map(|off| off - 52 * year.cast_signed())
                })
                .collect();
            let mut histories: Vec<Vec<(f64, f64)>> =
                vec![weeks.iter().map(|week| (f64::from(*week), 0.0)).collect(); groups.len()];
            for (number, (_, around)) in past.iter().enumerate() {
                let steps = self.calendar().steps(Grain::Week, *around);
                let before = self.run(&during(query, *around).grain(Grain::Week))?;
                for row in before.rows() {
                    let step = row.time().and_then(|time| steps.binary_search(&time).ok());
                    let at = row.group_key().and_then(|key| at.get(&key));
                    let history = at.and_then(|at| histories.get_mut(*at));
                    let place = step.map(|step| number * (2 * AROUND as usize + 1) + step);
                    if let (Some(history), Some(place)) = (history, place)
                        && let Some((_, count)) = history.get_mut(place)
                    {
                        #[expect(clippy::cast_precision_loss, reason = "a test of chance is an estimate")]
                        let orders = row.count() as f64;
                        *count += orders;
                    }
                }
            }
            for (row, history) in rows.iter().zip(histories) {
                let observed = answer.row(*row).count();
                surges.extend(expected(&history, past.len()).map(|expected| Unlikely {
                    row: *row,
                    excess: excess(observed, expected.mean),
                    expected: expected.mean,
                    probability: tail(observed, expected.mean, expected.mean * expected.dispersion),
                    c2: None,
                }));
            }
        }
        Ok(Surges::new(answer, surges))
    }
}

/// The query for a span of its clock.
fn during(query: &Query, span: Span) -> Query {
    query.clone().during_on(query.clock.clone(), span)
}

fn check(query: &Query) -> Result<()> {
    if query.grain.is_some() || query.top.is_some() || query.between {
        return Err(Error::invalid(
            "query",
            "surges have their own steps of time: no grain, top k or subtotals",
        ));
    }
    Ok(())
}

/// The groups with enough orders: their rows, and what tells them from others.
fn candidates(answer: &Answer, minimum: u64) -> (Vec<usize>, Vec<GroupKey>) {
    let enough = answer.rows().enumerate().filter(|(_, row)| row.count() >= minimum.max(1));
    enough.filter_map(|(at, row)| Some((at, row.group_key()?))).unzip()
}

/// What has surged: see [`Snapshot::surges`] and [`Snapshot::weekly_surges`].
#[derive(Debug, Clone)]
pub struct Surges {
    answer: Answer,
    surges: Vec<Unlikely>,
}

#[derive(Debug, Clone)]
struct Unlikely {
    row: usize,
    /// Orders observed less those expected.
    excess: f64,
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
            excess: excess(observed, expected),
            expected,
            probability: tail(observed, expected, variance),
            c2: (spread > 0.0).then(|| (observed as f64 - recent) / spread.sqrt()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a test of chance is an estimate")]
fn excess(observed: u64, expected: f64) -> f64 {
    observed as f64 - expected
}

impl Surges {
    /// The least likely first.
    fn new(answer: Answer, mut surges: Vec<Unlikely>) -> Self {
        surges.sort_by(|a, b| a.probability.total_cmp(&b.probability).then(b.excess.total_cmp(&a.excess)));
        Self { answer, surges }
    }

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

    /// The number of orders on the day, or in the week.
    #[must_use]
    pub fn observed(&self) -> u64 {
        self.row().count()
    }

    /// The number of orders expected.
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
