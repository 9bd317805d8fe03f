//! What is kept for each group while its orders are counted, so that any two parts can be merged exactly.

use crate::error::{Error, Result};
use crate::schema::{COUNT, Schema};

use super::answer::Figure;
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

    /// The value of a metric for a slot; for no slot, for no orders.
    pub(crate) fn figure(&self, metric: BoundMetric, slot: Option<usize>) -> Figure {
        let counted = |counted: Counted| match (counted, slot) {
            (_, None) => 0,
            (Counted::Orders, Some(slot)) => self.orders[slot],
            (Counted::Counter(counter), Some(slot)) => self.counters[counter][slot],
        };
        let extremes = |need: usize| slot.and_then(|slot| self.extremes[need][slot]);
        let sum = |need: usize| slot.map_or((0, 0), |slot| self.sums[need][slot]);
        let value = |value: Option<i64>| value.map_or(Figure::Missing, Figure::Value);
        match metric {
            BoundMetric::Counted(which) => Figure::Count(counted(which)),
            BoundMetric::Rate(numerator, denominator) => {
                Figure::Ratio { numerator: counted(numerator), denominator: counted(denominator) }
            }
            BoundMetric::Sum(need) => Figure::Sum(sum(need).0),
            BoundMetric::Mean(need) => {
                let (sum, count) = sum(need);
                Figure::Mean { sum, count }
            }
            BoundMetric::Min(need) => value(extremes(need).map(|(least, _)| least)),
            BoundMetric::Max(need) => value(extremes(need).map(|(_, most)| most)),
            BoundMetric::Quantile(need, percent) => {
                value(slot.and_then(|slot| quantile(&self.values[need][slot], percent)))
            }
            BoundMetric::Distinct(need) => Figure::Count(slot.map_or(0, |slot| self.keys[need][slot].len())),
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
