//! The terms of a policy, bound to what is counted of a unit.

use super::Fraction;
use super::policy::Policy;
use crate::error::{Error, Result};

/// The terms of a policy: what they are called, and what a unit's counts are worth by them.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    terms: Vec<Term>,
    /// The counters whose counts these are, each once.
    counters: Vec<String>,
    /// The score times the orders below the line, where all terms are over the same.
    weighed: Worth,
}

#[derive(Debug, Clone)]
struct Term {
    name: String,
    weight: Fraction,
    /// Which count is below the line.
    below: usize,
    credited: Worth,
}

/// What counts are worth together.
#[derive(Debug, Clone)]
struct Worth {
    /// Which count, and what an order of it is worth.
    credits: Vec<(usize, Fraction)>,
    /// The same as parts of one whole; none beyond 64 bits.
    parts: Option<(Vec<i64>, i64)>,
}

/// Credit over what it was given for: orders, or, for a mean of rates, units.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    pub(super) credited: Fraction,
    pub(super) over: u64,
    pub(super) of_orders: bool,
}

impl Rate {
    #[inline]
    pub(super) fn value(&self) -> Option<Fraction> {
        self.credited.over(&Fraction::from(self.over))
    }
}

impl Worth {
    fn new(credits: Vec<(usize, Fraction)>) -> Self {
        let parts = Fraction::in_parts(credits.iter().map(|(_, credit)| credit));
        Self { credits, parts }
    }

    #[inline]
    fn of(&self, counts: &[u64]) -> Fraction {
        let count = |at: usize| counts.get(at).copied().unwrap_or(0);
        let at_once = || {
            let (parts, whole) = self.parts.as_ref()?;
            let mut parts = parts.iter().zip(&self.credits);
            let sum = parts.try_fold(0_i128, |sum, (part, (at, _))| {
                sum.checked_add(i128::from(*part) * i128::from(count(*at)))
            });
            Fraction::new(sum?, (*whole).into())
        };
        at_once().unwrap_or_else(|| {
            let worth = self.credits.iter().map(|(at, credit)| credit.clone() * Fraction::from(count(*at)));
            worth.sum()
        })
    }
}

impl Terms {
    /// Reads the numbers of a policy.
    pub(super) fn new(policy: &Policy) -> Result<Self> {
        let number = |what: &str, text: &str| -> Result<Fraction> {
            text.parse().map_err(|error| {
                Error::invalid(format!("policy {:?}, {what}", policy.name), format!("{error}"))
            })
        };
        // The orders judged come first.
        let mut counters = vec![policy.judged.clone()];
        let mut place = |counter: &str| {
            counters.iter().position(|known| known == counter).unwrap_or_else(|| {
                counters.push(counter.to_owned());
                counters.len() - 1
            })
        };
        let (mut terms, mut weighed) = (Vec::new(), Vec::new());
        for term in &policy.terms {
            let weight = number(&term.name, &term.weight)?;
            let below = place(term.judged.as_ref().unwrap_or(&policy.judged));
            let mut credits = Vec::new();
            for (counter, credit) in &term.credits {
                let (at, credit) = (place(counter), number(counter, credit)?);
                weighed.push((at, credit.clone() * weight.clone() * Fraction::from(100)));
                credits.push((at, credit));
            }
            terms.push(Term { name: term.name.clone(), weight, below, credited: Worth::new(credits) });
        }
        Ok(Self { terms, counters, weighed: Worth::new(weighed) })
    }

    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.terms.iter().map(|term| term.name.as_str())
    }

    /// The counters that are counted of a unit: first the orders judged.
    pub(super) fn counters(&self) -> &[String] {
        &self.counters
    }

    /// The rate of a term.
    #[inline]
    pub(super) fn rate(&self, term: usize, counts: &[u64]) -> Option<Rate> {
        let term = self.terms.get(term)?;
        let over = counts.get(term.below).copied().unwrap_or(0);
        Some(Rate { credited: term.credited.of(counts), over, of_orders: true })
    }

    /// 100 times the weighted sum of the rates; none where one that has weight is over nothing.
    #[inline]
    pub(super) fn score(&self, counts: &[u64]) -> Option<Fraction> {
        let mut below = self.terms.iter().map(|term| counts.get(term.below).copied().unwrap_or(0));
        let first = below.next()?;
        if first > 0 && below.all(|other| other == first) {
            // Over the same orders, shares need no common denominator.
            return self.weighed.of(counts).over(&Fraction::from(first));
        }
        let with_weight = (0..).zip(&self.terms).filter(|(_, term)| term.weight != Fraction::from(0));
        let rates = with_weight.map(|(at, term)| Some(self.rate(at, counts)?.value()? * term.weight.clone()));
        Some(rates.sum::<Option<Fraction>>()? * Fraction::from(100))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Credits of all sizes, so that parts of one whole leave 64 bits behind; terms over the same orders, over others, over none.
        #[test]
        fn scores_are_weighted_sums_of_rates(
            terms in prop::collection::vec((0_u32..3, credit(), prop::collection::vec((0_usize..4, credit()), 0..4)), 1..4),
            counts in prop::collection::vec(prop_oneof![0_u64..4, any::<u64>()], 4),
        ) {
            let counter = |at: usize| format!("c{at}");
            let mut policy = Policy::new("p", counter(0));
            let mut naive = Some(Fraction::from(0));
            for (at, (below, weight, credits)) in terms.iter().enumerate() {
                let below = if *below < 2 { 0 } else { at };
                let named: Vec<_> = credits.iter().map(|(at, credit)| (counter(*at), credit.clone())).collect();
                policy = policy.term_over(counter(below), at.to_string(), weight.clone(), named);
                let credited = credits.iter().map(|(at, credit)| {
                    credit.parse::<Fraction>().unwrap() * Fraction::from(counts[*at])
                });
                let rate = credited.fold(Fraction::from(0), |a, b| a + b).over(&Fraction::from(counts[below]));
                let weight: Fraction = weight.parse().unwrap();
                if weight != Fraction::from(0) {
                    naive = naive.zip(rate).map(|(sum, rate)| sum + rate * weight * Fraction::from(100));
                }
            }
            let terms = Terms::new(&policy).unwrap();
            let of = |counter: &String| counts[counter[1..].parse::<usize>().unwrap()];
            let counts: Vec<u64> = terms.counters().iter().map(of).collect();
            prop_assert_eq!(terms.score(&counts), naive);
        }
    }

    fn credit() -> impl Strategy<Value = String> {
        let number = |(number, of): (i64, i64)| format!("{number}/{of}");
        prop_oneof![
            Just("0".to_owned()),
            Just("0.9".to_owned()),
            (any::<i64>(), 1..i64::MAX).prop_map(number),
            (-9_i64..10, 1_i64..10).prop_map(number),
        ]
    }
}
