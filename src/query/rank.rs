//! Which of two figures is larger, exactly.

use std::cmp::Ordering;

use super::answer::Figure;

/// Compares figures of one metric. What is missing, and a rate or mean over nothing, is the smallest.
pub(crate) fn compare(a: &Figure, b: &Figure) -> Ordering {
    match (fraction(a), fraction(b)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare_fractions(a, b),
    }
}

/// A figure as numerator and denominator, which is positive.
fn fraction(figure: &Figure) -> Option<(i128, u64)> {
    match *figure {
        Figure::Count(count) => Some((count.into(), 1)),
        Figure::Ratio { denominator: 0, .. } | Figure::Mean { count: 0, .. } | Figure::Missing => None,
        Figure::Ratio { numerator, denominator } => Some((numerator.into(), denominator)),
        Figure::Sum(sum) => Some((sum, 1)),
        Figure::Mean { sum, count } => Some((sum, count)),
        Figure::Value(value) => Some((value.into(), 1)),
    }
}

/// Compares whole parts, then what is left: so nothing overflows.
fn compare_fractions((a, b): (i128, u64), (c, d): (i128, u64)) -> Ordering {
    if b == d {
        return a.cmp(&c);
    }
    let (whole, other) = (a.div_euclid(b.into()), c.div_euclid(d.into()));
    whole.cmp(&other).then_with(|| {
        // Remainders are smaller than the denominators, so the products fit.
        let (rest, other) = (a.rem_euclid(b.into()), c.rem_euclid(d.into()));
        (rest.unsigned_abs() * u128::from(d)).cmp(&(other.unsigned_abs() * u128::from(b)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_compared_as_exact_fractions() {
        let ratio = |numerator, denominator| Figure::Ratio { numerator, denominator };
        assert_eq!(compare(&ratio(1, 2), &ratio(50, 100)), Ordering::Equal);
        assert_eq!(
            compare(&ratio(u64::MAX - 1, u64::MAX), &ratio(u64::MAX - 2, u64::MAX - 1)),
            Ordering::Greater
        );
        assert_eq!(compare(&ratio(0, 0), &ratio(0, 5)), Ordering::Less);
        assert_eq!(compare(&Figure::Missing, &ratio(0, 0)), Ordering::Equal);
        let mean = |sum, count| Figure::Mean { sum, count };
        assert_eq!(compare(&mean(-7, 2), &mean(-3, 1)), Ordering::Less);
        assert_eq!(compare(&mean(i128::MAX, 1), &mean(i128::MAX, 2)), Ordering::Greater);
        assert_eq!(compare(&mean(i128::MIN, 3), &mean(i128::MIN, 2)), Ordering::Greater);
    }
}
