//! What is kept for each group while its orders are counted, so that any two parts can be merged exactly.

use crate::error::{Error, Result};
use crate::schema::{COUNT, Schema};

use super::answer::{Figure, Figures};
use super::key_set::KeySet;
use super::metric::Metric;

/// Which facts the metrics of a query need; each fact once, however many metrics share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    /// Counters, by their number in the schema.
    pub(crate) counters: Vec<usize>,
    /// Measures whose sum and count are needed.
    pub(crate) sums: Vec<usize>,
    /// Measures whose smallest and largest value are needed.
    pub(crate) extremes: Vec<usize>,
    /// Measures all of whose values are needed.
    pub(crate) values: Vec<usize>,
    /// Keys.
    pub(crate) keys: Vec<usize>,
}

/// A metric bound to the facts it is computed from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BoundMetric {
    Counted(Counted),
    Rate(Counted, Counted),
    Sum(usize),
    Mean(usize),
    Min(usize),
    Max(usize),
    Quantile(usize, u8),
    Distinct(usize),
}

/// The count or a counter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counted {
    Orders,
    Counter(usize),
}

/// The place of an item in a list, added where it is new.
fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

impl Needs {
    /// Binds a metric and takes note of what it needs.
    pub(crate) fn bind(&mut self, metric: &Metric, schema: &Schema) -> Result<BoundMetric> {
        let mut counted = |name: &str| -> Result<Counted> {
            if name == COUNT {
                return Ok(Counted::Orders);
            }
            Ok(Counted::Counter(place(&mut self.counters, schema.counter(name)?)))
        };
        Ok(match metric {
            Metric::Count => BoundMetric::Counted(Counted::Orders),
            Metric::Counter(name) => BoundMetric::Counted(counted(name)?),
            Metric::Rate(numerator, denominator) => {
                BoundMetric::Rate(counted(numerator)?, counted(denominator)?)
            }
            Metric::Sum(measure) => BoundMetric::Sum(place(&mut self.sums, schema.measure(measure)?)),
            Metric::Mean(measure) => BoundMetric::Mean(place(&mut self.sums, schema.measure(measure)?)),
            Metric::Min(measure) => BoundMetric::Min(place(&mut self.extremes, schema.measure(measure)?)),
            Metric::Max(measure) => BoundMetric::Max(place(&mut self.extremes, schema.measure(measure)?)),
            Metric::Quantile(_, percent) if *percent > 100 => {
                return Err(Error::invalid(
                    "query",
                    format!("a quantile lies between 0 and 100 percent, not {percent}"),
                ));
            }
            Metric::Quantile(measure, percent) => {
                BoundMetric::Quantile(place(&mut self.values, schema.measure(measure)?), *percent)
            }
            Metric::Distinct(key) => BoundMetric::Distinct(place(&mut self.keys, schema.key(key)?)),
        })
    }

    /// Whether orders are counted and nothing else.
    pub(crate) fn is_empty(&self) -> bool {
        self.counters.is_empty() && self.only_counts()
    }

    /// Whether counting rows is enough.
    pub(crate) fn only_counts(&self) -> bool {
        self.sums.is_empty() && self.adds_up()
    }

    /// Whether what two sets of orders have tells what both have together, and what is taken away the rest.
    pub(crate) fn adds_up(&self) -> bool {
        self.extremes.is_empty() && self.values.is_empty() && self.keys.is_empty()
    }
}

/// The facts of many groups, each known by its slot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) orders: Vec<u64>,
    /// Per need, per slot.
    pub(crate) counters: Vec<Vec<u64>>,
    pub(crate) sums: Vec<Vec<(i128, u64)>>,
    pub(crate) extremes: Vec<Vec<Option<(i64, i64)>>>,
    pub(crate) values: Vec<Vec<Vec<i64>>>,
    pub(crate) keys: Vec<Vec<KeySet>>,
}

impl Facts {
    pub(crate) fn new(needs: &Needs) -> Self {
        Self {
            orders: Vec::new(),
            counters: vec![Vec::new(); needs.counters.len()],
            sums: vec![Vec::new(); needs.sums.len()],
            extremes: vec![Vec::new(); needs.extremes.len()],
            values: vec![Vec::new(); needs.values.len()],
            keys: vec![Vec::new(); needs.keys.len()],
        }
    }

    /// A new slot without orders.
    pub(crate) fn slot(&mut self) -> usize {
        self.grow(self.orders.len() + 1);
        self.orders.len() - 1
    }

    /// Makes room for so many slots.
    pub(crate) fn reserve(&mut self, slots: usize) {
        self.orders.reserve(slots);
        self.counters.iter_mut().for_each(|counts| counts.reserve(slots));
        self.sums.iter_mut().for_each(|sums| sums.reserve(slots));
    }

    /// Makes slots without orders until there are so many.
    pub(crate) fn grow(&mut self, slots: usize) {
        self.orders.resize(slots, 0);
        self.counters.iter_mut().for_each(|counts| counts.resize(slots, 0));
        self.sums.iter_mut().for_each(|sums| sums.resize(slots, (0, 0)));
        self.extremes.iter_mut().for_each(|extremes| extremes.resize(slots, None));
        self.values.iter_mut().for_each(|values| values.resize(slots, Vec::new()));
        self.keys.iter_mut().for_each(|keys| keys.resize(slots, KeySet::default()));
    }

    /// Brings the sets of keys into the form in which they are counted and merged fastest.
    pub(crate) fn settle(&mut self) {
        self.keys.iter_mut().flatten().for_each(KeySet::settle);
    }

    /// Adds all that a slot of `other` holds.
    pub(crate) fn merge(&mut self, slot: usize, other: &Self, from: usize) {
        self.merge_all(&[(slot, from)], other);
    }

    /// Adds to slots all that others of `other` hold, one fact after the other.
    pub(crate) fn merge_all(&mut self, slots: &[(usize, usize)], other: &Self) {
        // What a damaged view says may be beyond all counts.
        for &(slot, from) in slots {
            add(&mut self.orders[slot], other.orders[from]);
        }
        for (counts, more) in self.counters.iter_mut().zip(&other.counters) {
            slots.iter().for_each(|&(slot, from)| add(&mut counts[slot], more[from]));
        }
        for (sums, more) in self.sums.iter_mut().zip(&other.sums) {
            for &(slot, from) in slots {
                sums[slot].0 = sums[slot].0.saturating_add(more[from].0);
                add(&mut sums[slot].1, more[from].1);
            }
        }
        for (extremes, more) in self.extremes.iter_mut().zip(&other.extremes) {
            slots.iter().for_each(|&(slot, from)| extremes[slot] = widest(extremes[slot], more[from]));
        }
        for (values, more) in self.values.iter_mut().zip(&other.values) {
            slots.iter().for_each(|&(slot, from)| values[slot].extend_from_slice(&more[from]));
        }
        for (keys, more) in self.keys.iter_mut().zip(&other.keys) {
            slots.iter().for_each(|&(slot, from)| keys[slot].merge(&more[from]));
        }
    }

    /// Adds all that one slot holds to another one.
    pub(crate) fn merge_within(&mut self, slot: usize, from: usize) {
        let orders = self.orders[from];
        add(&mut self.orders[slot], orders);
        for counts in &mut self.counters {
            let more = counts[from];
            add(&mut counts[slot], more);
        }
        for sums in &mut self.sums {
            let (sum, count) = sums[from];
            sums[slot].0 = sums[slot].0.saturating_add(sum);
            add(&mut sums[slot].1, count);
        }
        for extremes in &mut self.extremes {
            extremes[slot] = widest(extremes[slot], extremes[from]);
        }
        for values in &mut self.values {
            let more = std::mem::take(&mut values[from]);
            values[slot].extend_from_slice(&more);
            values[from] = more;
        }
        for keys in &mut self.keys {
            let more = std::mem::take(&mut keys[from]);
            keys[slot].merge(&more);
            keys[from] = more;
        }
    }

    /// The values of a metric.
    pub(super) fn lane(&self, metric: BoundMetric) -> Lane<'_> {
        let counts = |counted: Counted| match counted {
            Counted::Orders => self.orders.as_slice(),
            Counted::Counter(counter) => self.counters[counter].as_slice(),
        };
        match metric {
            BoundMetric::Counted(which) => Lane::Counts(counts(which)),
            BoundMetric::Rate(numerator, denominator) => Lane::Ratios(counts(numerator), counts(denominator)),
            BoundMetric::Sum(need) => Lane::Rarer(Rarer::Sums(&self.sums[need])),
            BoundMetric::Mean(need) => Lane::Rarer(Rarer::Means(&self.sums[need])),
            BoundMetric::Min(need) => Lane::Rarer(Rarer::Least(&self.extremes[need])),
            BoundMetric::Max(need) => Lane::Rarer(Rarer::Most(&self.extremes[need])),
            BoundMetric::Quantile(need, percent) => {
                Lane::Rarer(Rarer::Quantiles(&self.values[need], percent))
            }
            BoundMetric::Distinct(need) => Lane::Rarer(Rarer::Distinct(&self.keys[need])),
        }
    }

    /// The figures of several metrics for rows of these slots; a row without one has no orders.
    pub(super) fn figures(
        &self,
        metrics: &[BoundMetric],
        slots: impl Iterator<Item = Option<usize>> + Clone,
    ) -> Vec<Figures> {
        metrics.iter().map(|metric| self.lane(*metric).figures(slots.clone())).collect()
    }
}

/// The values of a metric, slot by slot: where they lie is found out once, not for every figure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lane<'a> {
    Counts(&'a [u64]),
    Ratios(&'a [u64], &'a [u64]),
    Rarer(Rarer<'a>),
}

/// What is no count.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rarer<'a> {
    /// Sums, each with how many values it has.
    Sums(&'a [(i128, u64)]),
    Means(&'a [(i128, u64)]),
    Least(&'a [Option<(i64, i64)>]),
    Most(&'a [Option<(i64, i64)>]),
    Quantiles(&'a [Vec<i64>], u8),
    Distinct(&'a [KeySet]),
}

impl Lane<'_> {
    /// The value for a slot; for no slot, for no orders.
    pub(super) fn figure(&self, slot: Option<usize>) -> Figure {
        match self {
            Self::Counts(counts) => Figure::Count(count(counts, slot)),
            Self::Ratios(numerators, denominators) => {
                Figure::Ratio { numerator: count(numerators, slot), denominator: count(denominators, slot) }
            }
            Self::Rarer(lane) => lane.figure(slot),
        }
    }

    fn figures(&self, slots: impl Iterator<Item = Option<usize>>) -> Figures {
        match self {
            Self::Counts(counts) => Figures::Counts(slots.map(|slot| count(counts, slot)).collect()),
            Self::Ratios(numerators, denominators) => {
                let ratio = |slot| (count(numerators, slot), count(denominators, slot));
                Figures::Ratios(slots.map(ratio).collect())
            }
            Self::Rarer(lane) => Figures::Others(slots.map(|slot| lane.figure(slot)).collect()),
        }
    }
}

fn count(counts: &[u64], slot: Option<usize>) -> u64 {
    slot.map_or(0, |slot| counts[slot])
}

impl Rarer<'_> {
    fn figure(self, slot: Option<usize>) -> Figure {
        let sum = |sums: &[(i128, u64)]| slot.map_or((0, 0), |slot| sums[slot]);
        let extremes = |extremes: &[Option<(i64, i64)>]| slot.and_then(|slot| extremes[slot]);
        let value = |value: Option<i64>| value.map_or(Figure::Missing, Figure::Value);
        match self {
            Self::Sums(sums) => Figure::Sum(sum(sums).0),
            Self::Means(sums) => {
                let (sum, count) = sum(sums);
                Figure::Mean { sum, count }
            }
            Self::Least(of) => value(extremes(of).map(|(least, _)| least)),
            Self::Most(of) => value(extremes(of).map(|(_, most)| most)),
            Self::Quantiles(values, percent) => value(slot.and_then(|slot| quantile(&values[slot], percent))),
            Self::Distinct(keys) => Figure::Count(slot.map_or(0, |slot| keys[slot].len())),
        }
    }
}

/// Adds to a count, as far as counts go.
pub(crate) fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}

/// The smallest and the largest of both.
pub(super) fn widest(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some((low, high)), Some((least, most))) => Some((low.min(least), high.max(most))),
        (a, b) => a.or(b),
    }
}

/// The smallest value whose cumulative share reaches `percent`.
fn quantile(values: &[i64], percent: u8) -> Option<i64> {
    let rank = (values.len() * usize::from(percent)).div_ceil(100).max(1) - 1;
    if rank >= values.len() {
        return None;
    }
    let mut values = values.to_vec();
    Some(*values.select_nth_unstable(rank).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_smallest_value_whose_share_reaches_it() {
        assert_eq!(quantile(&[], 50), None);
        assert_eq!(quantile(&[7], 0), Some(7));
        assert_eq!(quantile(&[4, 1, 3, 2], 50), Some(2));
        assert_eq!(quantile(&[4, 1, 3, 2], 51), Some(3));
        assert_eq!(quantile(&[4, 1, 3, 2], 100), Some(4));
    }
}
