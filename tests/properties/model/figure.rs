//! Metrics, from lists of values.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use zonal::{Figure, Metric};

use super::order::Fact;
use super::schema::Kind;
use super::{Fault, Model};

impl Model {
    /// What a metric is over these orders.
    pub(crate) fn figure(&self, metric: &Metric, facts: &[&Fact]) -> Figure {
        let values = |measure: &str| {
            let mut values: Vec<i64> = facts.iter().filter_map(|fact| self.measure(fact, measure)).collect();
            values.sort_unstable();
            values
        };
        let sum = |measure: &str| values(measure).iter().map(|value| i128::from(*value)).sum();
        let value = |value: Option<&i64>| value.map_or(Figure::Missing, |value| Figure::Value(*value));
        match metric {
            Metric::Count => Figure::Count(facts.len() as u64),
            Metric::Counter(counter) => Figure::Count(self.counted(counter, facts)),
            Metric::Rate(numerator, denominator) => Figure::Ratio {
                numerator: self.counted(numerator, facts),
                denominator: self.counted(denominator, facts),
            },
            Metric::Sum(measure) => Figure::Sum(sum(measure)),
            Metric::Mean(measure) => Figure::Mean { sum: sum(measure), count: values(measure).len() as u64 },
            Metric::Min(measure) => value(values(measure).first()),
            Metric::Max(measure) => value(values(measure).last()),
            Metric::Quantile(measure, percent) => {
                let values = values(measure);
                // The smallest value that at least so many percent of the values do not exceed.
                let reaches = |at: usize| (at + 1) * 100 >= values.len() * usize::from(*percent);
                value((0..values.len()).find(|at| reaches(*at)).map(|at| &values[at]))
            }
            Metric::Distinct(key) => {
                let keys: BTreeSet<u64> = facts.iter().filter_map(|fact| fact.key(key)).collect();
                Figure::Count(keys.len() as u64)
            }
            other => panic!("a new metric, {other}: teach the model"),
        }
    }

    fn counted(&self, counter: &str, facts: &[&Fact]) -> u64 {
        if counter == "count" {
            return facts.len() as u64;
        }
        let filter = self.fields.counter(counter).expect("checked");
        facts.iter().filter(|fact| self.keeps(filter, fact)).count() as u64
    }

    pub(super) fn metric_faults(&self, metric: &Metric) -> Vec<Fault> {
        let counter = |name: &str| {
            let known = name == "count" || self.fields.counter(name).is_some();
            (!known).then_some(Fault::Unknown)
        };
        let measure = |name: &str| self.known_as(Kind::Measure, name).err();
        match metric {
            Metric::Count => Vec::new(),
            Metric::Counter(name) => counter(name).into_iter().collect(),
            Metric::Rate(numerator, denominator) => {
                [counter(numerator), counter(denominator)].into_iter().flatten().collect()
            }
            Metric::Sum(name) | Metric::Mean(name) | Metric::Min(name) | Metric::Max(name) => {
                measure(name).into_iter().collect()
            }
            Metric::Quantile(name, percent) => {
                measure(name).into_iter().chain((*percent > 100).then_some(Fault::Invalid)).collect()
            }
            Metric::Distinct(name) => self.known_as(Kind::Key, name).err().into_iter().collect(),
            other => panic!("a new metric, {other}: teach the model"),
        }
    }
}

/// The larger figure is greater; nothing is smaller than any. Both are of the same metric.
pub(super) fn compare(a: Figure, b: Figure) -> Ordering {
    use Figure::{Count, Mean, Ratio, Sum, Value};
    let nothing =
        |figure| matches!(figure, Figure::Missing | Ratio { denominator: 0, .. } | Mean { count: 0, .. });
    match (a, b) {
        _ if nothing(a) || nothing(b) => nothing(b).cmp(&nothing(a)),
        (Count(a), Count(b)) => a.cmp(&b),
        (Sum(a), Sum(b)) => a.cmp(&b),
        (Value(a), Value(b)) => a.cmp(&b),
        (Ratio { numerator: a, denominator: b }, Ratio { numerator: c, denominator: d }) => {
            (u128::from(a) * u128::from(d)).cmp(&(u128::from(c) * u128::from(b)))
        }
        (Mean { sum: a, count: b }, Mean { sum: c, count: d }) => {
            (a * i128::from(d)).cmp(&(c * i128::from(b)))
        }
        other => panic!("figures of different metrics: {other:?}"),
    }
}
