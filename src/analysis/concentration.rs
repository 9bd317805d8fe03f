//! How unevenly orders are spread over units or topics.

use super::comparison::{Compared, Comparison};
use super::fraction::Fraction;
use crate::query::{Answer, Figure, Metric, RowKind};

/// How unevenly a count is spread over the groups of an answer.
///
/// Groups are the answer's targets; remainders belong to no unit and are left out. Groups without orders count where the query
/// asks for [all units](crate::Query::all_units): a place where nobody complains is part of how unequal a city is.
///
/// ```
/// use zonal::{Concentration, Order, Query, Schema, Store, count};
///
/// # fn main() -> zonal::Result<()> {
/// # let store = Store::in_memory(Schema::builder("UTC").place(["street"]).build()?)?;
/// # let mut commit = store.begin();
/// for (id, street) in [("1", "a"), ("2", "a"), ("3", "a"), ("4", "b")] {
///     commit.upsert(Order::new(id, "2026-03-01").place([street]));
/// }
/// # commit.finish()?;
/// let now = store.snapshot();
/// let spread = Concentration::of(&now.run(&Query::zoom().level("street").metric(count()))?, &count());
/// assert_eq!(spread.top_share(1).to_string(), "75.0 %");
/// assert_eq!(spread.hhi(), "5/8".parse().ok());
/// assert_eq!(spread.gini(), "1/4".parse().ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concentration {
    /// Descending.
    counts: Vec<u64>,
}

impl Concentration {
    /// Of a metric that counts: the count, a counter, a distinct count. Groups whose figure is no count are left out.
    #[must_use]
    pub fn of(answer: &Answer, metric: &Metric) -> Self {
        let targets = answer.rows().filter(|row| row.kind() == RowKind::Target);
        let counted = targets.filter_map(|row| match row.get(metric) {
            Figure::Count(count) => Some(count),
            Figure::Missing if *metric == Metric::Count => Some(row.count()),
            _ => None,
        });
        let mut counts: Vec<u64> = counted.collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        Self { counts }
    }

    fn total(&self) -> i128 {
        self.counts.iter().map(|count| i128::from(*count)).sum()
    }

    /// The share of the `k` largest groups.
    #[must_use]
    pub fn top_share(&self, k: usize) -> Figure {
        let sum = |counts: &[u64]| counts.iter().sum();
        let largest = self.counts.get(..k).unwrap_or(&self.counts);
        Figure::Ratio { numerator: sum(largest), denominator: sum(&self.counts) }
    }

    /// The Herfindahl–Hirschman index: the sum of the squares of all shares, from 1 over the number of groups to 1. (Often shown
    /// times 10,000.) None where there are no orders.
    #[must_use]
    pub fn hhi(&self) -> Option<Fraction> {
        let squares = self.counts.iter().map(|count| i128::from(*count).pow(2)).sum();
        Fraction::new(squares, self.total().pow(2))
    }

    /// The Gini coefficient: 0 where all groups have the same, towards 1 where one has everything.
    ///
    /// ```text
    /// G = Σ (2i − n − 1)·xᵢ / (n · Σ xᵢ)        x ascending, i from 1 to n
    /// ```
    ///
    /// None where there are no orders. (Sen 1973; without the correction n/(n − 1).)
    #[must_use]
    pub fn gini(&self) -> Option<Fraction> {
        let many = self.counts.len() as i128;
        let ascending = self.counts.iter().rev().zip(1_i128..);
        let weighed = ascending.map(|(count, position)| (2 * position - many - 1) * i128::from(*count)).sum();
        Fraction::new(weighed, many * self.total())
    }
}

/// Who is among the largest now, and was before.
#[derive(Debug, Clone)]
pub struct Turnover<'a> {
    /// Among the largest now, but not before.
    pub entered: Vec<Compared<'a>>,
    /// Among the largest in both.
    pub stayed: Vec<Compared<'a>>,
    /// Among the largest before, but not now.
    pub left: Vec<Compared<'a>>,
}

impl Comparison {
    /// New entrants and persistents among the `n` largest groups by a metric, each list by its figure in the first answer (in the
    /// second for those that left). Remainders and groups over nothing are not among them; ties stand in the order of the answer.
    #[must_use]
    pub fn turnover(&self, metric: &Metric, n: usize) -> Turnover<'_> {
        let figure = |row: &Compared<'_>, before: bool| {
            let (now, earlier) = row.figures(metric);
            Fraction::of(if before { &earlier } else { &now }).filter(|figure| *figure > Fraction::from(0))
        };
        let rows: Vec<Compared<'_>> = self.rows().collect();
        let largest = |before: bool| -> Vec<usize> {
            let targets = rows.iter().enumerate().filter(|(_, row)| row.kind() == Some(RowKind::Target));
            let mut known: Vec<_> =
                targets.filter_map(|(at, row)| Some((figure(row, before)?, at))).collect();
            known.sort_by(|a, b| b.0.cmp(&a.0));
            known.into_iter().take(n).map(|(_, at)| at).collect()
        };
        let (now, before) = (largest(false), largest(true));
        let among = |list: &[usize], other: &[usize], both: bool| {
            let kept = list.iter().filter(|at| other.contains(at) == both);
            kept.filter_map(|at| rows.get(*at).copied()).collect()
        };
        Turnover {
            entered: among(&now, &before, false),
            stayed: among(&now, &before, true),
            left: among(&before, &now, false),
        }
    }
}
