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
    /// What an order of each counter adds to the score, where all terms are over the same orders: so many parts of one whole.
    /// None where that is beyond 128 bits.
    parts: Option<(Vec<i128>, i128)>,
}

#[derive(Debug, Clone)]
struct Term {
    name: String,
    weight: Fraction,
    /// Which count is below the line.
    below: usize,
    /// Which counts are above it, and what an order of each is worth.
    credits: Vec<(usize, Fraction)>,
}

/// Credit over what it was given for: orders, or, for a mean of rates, units.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    pub(super) credited: Fraction,
    pub(super) over: u64,
    pub(super) of_orders: bool,
}

impl Rate {
    pub(super) fn value(&self) -> Option<Fraction> {
        self.credited.over(&Fraction::from(self.over))
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
        let mut terms = Vec::new();
        for term in &policy.terms {
            let below = place(term.judged.as_ref().unwrap_or(&policy.judged));
            let credits = term.credits.iter();
            let credits = credits.map(|(counter, credit)| Ok((place(counter), number(counter, credit)?)));
            let credits = credits.collect::<Result<_>>()?;
            terms.push(Term {
                name: term.name.clone(),
                weight: number(&term.name, &term.weight)?,
                below,
                credits,
            });
        }
        let parts = parts(&terms, counters.len());
        Ok(Self { terms, counters, parts })
    }

    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.terms.iter().map(|term| term.name.as_str())
    }

    /// The counters that are counted of a unit: first the orders judged.
    pub(super) fn counters(&self) -> &[String] {
        &self.counters
    }

    /// The rate of a term.
    pub(super) fn rate(&self, term: usize, counts: &[u64]) -> Option<Rate> {
        let term = self.terms.get(term)?;
        let credited = |(at, credit): &(usize, Fraction)| {
            let orders = Fraction::from(counts.get(*at).copied().unwrap_or(0));
            if *credit == Fraction::from(1) { orders } else { credit.clone() * orders }
        };
        let credited = term.credits.iter().map(credited).reduce(|a, b| a + b);
        Some(Rate {
            credited: credited.unwrap_or_else(|| Fraction::from(0)),
            over: counts.get(term.below).copied().unwrap_or(0),
            of_orders: true,
        })
    }

    /// 100 times the weighted sum of the rates; none where one that has weight is over nothing.
    pub(super) fn score(&self, counts: &[u64]) -> Option<Fraction> {
        let mut below = self.terms.iter().map(|term| counts.get(term.below).copied().unwrap_or(0));
        let first = below.next()?;
        if first > 0
            && below.all(|other| other == first)
            && let Some(score) = self.at_once(counts, first)
        {
            return Some(score);
        }
        let weighed = (0..).zip(&self.terms).filter(|(_, term)| term.weight != Fraction::from(0));
        let rates = weighed.map(|(at, term)| Some(self.rate(at, counts)?.value()? * term.weight.clone()));
        Some(rates.sum::<Option<Fraction>>()? * Fraction::from(100))
    }

    /// The score where all terms are over the same orders: shares then need no common denominator. None beyond 128 bits.
    fn at_once(&self, counts: &[u64], below: u64) -> Option<Fraction> {
        let (parts, whole) = self.parts.as_ref()?;
        let sum = parts
            .iter()
            .zip(counts)
            .try_fold(0_i128, |sum, (part, count)| sum.checked_add(part.checked_mul(i128::from(*count))?));
        Fraction::new(sum?, whole.checked_mul(i128::from(below))?)
    }
}

/// What an order of each count adds to the score, times the orders below the line, as parts of one whole.
fn parts(terms: &[Term], counts: usize) -> Option<(Vec<i128>, i128)> {
    let mut worth = vec![Fraction::from(0); counts];
    for term in terms {
        for (at, credit) in &term.credits {
            let worth = worth.get_mut(*at)?;
            *worth = worth.clone() + credit.clone() * term.weight.clone() * Fraction::from(100);
        }
    }
    Fraction::in_parts(&worth)
}
