//! Exact numbers.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::query::Figure;

/// An exact number: a whole number over another.
///
/// Scores are sums of shares of different wholes, whose common denominators overflow machine words; here nothing overflows and
/// nothing is rounded, except for display: `{:.1}` rounds to one decimal, halves away from zero. Reads `3`, `0.9` and `9/10`.
///
/// ```
/// use zonal::Fraction;
///
/// let credit: Fraction = "0.9".parse()?;
/// assert_eq!(credit, "9/10".parse()?);
/// assert_eq!(format!("{:.1} and {credit}", credit.clone() * 100.into()), "90.0 and 9/10");
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fraction(Form);

#[derive(Debug, Clone)]
enum Form {
    /// Numerator, and a denominator above 0; not reduced, which would cost more than it saves.
    Small(i64, i64),
    /// Rare, and large.
    Big(Box<BigRational>),
}

impl Fraction {
    /// One number over another; none over 0.
    #[must_use]
    #[inline]
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        match (i64::try_from(numerator), i64::try_from(denominator)) {
            (Ok(numerator), Ok(denominator)) if denominator > 0 => {
                Some(Self(Form::Small(numerator, denominator)))
            }
            _ if denominator == 0 => None,
            _ => Some(Self::large(numerator, denominator)),
        }
    }

    /// A number for which 64 bits are too few.
    #[cold]
    fn large(numerator: i128, denominator: i128) -> Self {
        Self(Form::Big(BigRational::new(numerator.into(), denominator.into()).into()))
    }

    /// The number that a figure is; none for a rate or a mean over nothing, and for what is missing.
    #[must_use]
    pub fn of(figure: &Figure) -> Option<Self> {
        match *figure {
            Figure::Count(count) => Some(Self::from(count)),
            Figure::Ratio { numerator, denominator } => Self::new(numerator.into(), denominator.into()),
            Figure::Sum(sum) => Self::new(sum, 1),
            Figure::Mean { sum, count } => Self::new(sum, count.into()),
            Figure::Value(value) => Self::new(value.into(), 1),
            Figure::Missing => None,
        }
    }

    /// The quotient of two numbers; none over 0.
    #[must_use]
    #[inline]
    pub fn over(&self, divisor: &Self) -> Option<Self> {
        if let (Form::Small(a, b), Form::Small(c, d)) = (&self.0, &divisor.0) {
            return Self::new(times(*a, *d), times(*b, *c));
        }
        let divisor = divisor.big();
        (!divisor.is_zero()).then(|| Self(Form::Big((self.big() / divisor).into())))
    }

    /// The nearest floating-point number, for charts.
    #[must_use]
    #[inline]
    pub fn to_f64(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "asked for")]
        match &self.0 {
            Form::Small(numerator, denominator) => *numerator as f64 / *denominator as f64,
            Form::Big(ratio) => ratio.to_f64().unwrap_or(f64::NAN),
        }
    }

    /// Numbers as parts of one whole; none beyond 64 bits.
    pub(super) fn in_parts<'a>(numbers: impl Iterator<Item = &'a Self>) -> Option<(Vec<i64>, i64)> {
        let mut parts = Vec::new();
        let mut whole = 1_i64;
        for number in numbers {
            let reduced = number.big();
            let (part, of) = (reduced.numer().to_i64()?, reduced.denom().to_i64()?);
            if whole % of != 0 {
                whole = whole.checked_mul(of)?;
            }
            parts.push((part, of));
        }
        let parts = parts.into_iter().map(|(part, of)| part.checked_mul(whole / of));
        Some((parts.collect::<Option<_>>()?, whole))
    }

    fn big(&self) -> BigRational {
        match &self.0 {
            Form::Small(numerator, denominator) => {
                BigRational::new((*numerator).into(), (*denominator).into())
            }
            Form::Big(ratio) => ratio.as_ref().clone(),
        }
    }
}

/// A product of parts, which 128 bits always hold.
#[inline]
fn times(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

impl From<u64> for Fraction {
    #[inline]
    fn from(number: u64) -> Self {
        match i64::try_from(number) {
            Ok(number) => Self(Form::Small(number, 1)),
            Err(_) => Self::large(number.into(), 1),
        }
    }
}

impl From<i32> for Fraction {
    fn from(number: i32) -> Self {
        Self(Form::Small(number.into(), 1))
    }
}

impl Add for Fraction {
    type Output = Self;

    #[inline]
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for Fraction {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        if let (Form::Small(a, b), Form::Small(c, d)) = (&mut self.0, &other.0) {
            if b == d
                && let Some(sum) = a.checked_add(*c)
            {
                *a = sum;
                return;
            }
            if let Some(sum) = Self::new(times(*a, *d) + times(*c, *b), times(*b, *d)) {
                *self = sum;
                return;
            }
        }
        *self = Self(Form::Big((self.big() + other.big()).into()));
    }
}

impl Sum for Fraction {
    /// Pair by pair: so most additions are of numbers that have not grown long yet.
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        let mut sums: Vec<Self> = numbers.collect();
        while sums.len() > 1 {
            let mut rest = sums.into_iter();
            sums = Vec::new();
            while let Some(first) = rest.next() {
                sums.push(match rest.next() {
                    Some(second) => first + second,
                    None => first,
                });
            }
        }
        sums.pop().unwrap_or_else(|| Self::from(0))
    }
}

impl Sub for Fraction {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + other * Self::from(-1)
    }
}

impl Mul for Fraction {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        if let (Form::Small(a, b), Form::Small(c, d)) = (&self.0, &other.0)
            && let Some(product) = Self::new(times(*a, *c), times(*b, *d))
        {
            return product;
        }
        Self(Form::Big((self.big() * other.big()).into()))
    }
}

impl Ord for Fraction {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Form::Small(a, b), Form::Small(c, d)) = (&self.0, &other.0) {
            return times(*a, *d).cmp(&times(*c, *b));
        }
        self.big().cmp(&other.big())
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Fraction {}

/// With a precision, rounded to so many decimals; without, the whole number, or numerator and denominator.
impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.big();
        let Some(decimals) = f.precision() else { return f.pad(&number.to_string()) };
        let shift = BigInt::from(10).pow(u32::try_from(decimals).unwrap_or(u32::MAX));
        let digits = (number.abs() * shift).round().to_integer().to_string();
        let digits = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, part) = digits.split_at(digits.len() - decimals);
        let negative = number.is_negative() && digits.bytes().any(|digit| digit != b'0');
        let point = if decimals > 0 { "." } else { "" };
        let text = format!("{}{whole}{point}{part}", if negative { "-" } else { "" });
        // The precision has done its work: padding must not cut the text.
        match f.width() {
            Some(width) => write!(f, "{text:>width$}"),
            None => f.write_str(&text),
        }
    }
}

impl FromStr for Fraction {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::invalid(format!("number {text:?}"), "write 3, 0.9 or 9/10");
        let whole = |text: &str| text.parse::<i64>().map_err(|_| invalid());
        if let Some((numerator, denominator)) = text.split_once('/') {
            return Self::new(whole(numerator)?.into(), whole(denominator)?.into()).ok_or_else(invalid);
        }
        let Some((_, decimals)) = text.split_once('.') else {
            return Ok(Self(Form::Small(whole(text)?, 1)));
        };
        let digits =
            decimals.bytes().all(|digit| digit.is_ascii_digit()) && (1..=18).contains(&decimals.len());
        if !digits || !text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
            return Err(invalid());
        }
        let shifted = whole(&text.replace('.', ""))?;
        let denominator = decimals.bytes().fold(1_i128, |shift, _| shift * 10);
        Self::new(shifted.into(), denominator).ok_or_else(invalid)
    }
}

/// Numerator and denominator, reduced, as `num` and `den`; as text where they are wider than 128 bits.
impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = self.big();
        let mut map = serializer.serialize_map(Some(2))?;
        match (number.numer().to_i128(), number.denom().to_i128()) {
            (Some(numerator), Some(denominator)) => {
                map.serialize_entry("num", &numerator)?;
                map.serialize_entry("den", &denominator)?;
            }
            _ => {
                map.serialize_entry("num", &number.numer().to_string())?;
                map.serialize_entry("den", &number.denom().to_string())?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Fraction {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_read_exactly() {
        assert_eq!(number("0.9"), number("9/10"));
        assert_eq!(number("-0.05"), number("-1/20"));
        assert_eq!(number("3"), Fraction::from(3));
        assert_eq!(number("4/-6"), number("-2/3"));
        for wrong in
            ["", "x", "1/0", ".5", "1.", "1.-5", "1e3", "0,9", "+.5", "1/2/3", "0.1234567890123456789"]
        {
            assert!(wrong.parse::<Fraction>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn display_rounds_halves_away_from_zero() {
        let shown = |text: &str| format!("{:.1}", number(text));
        assert_eq!(shown("90.25"), "90.3");
        assert_eq!(shown("-90.25"), "-90.3");
        assert_eq!(shown("0.04"), "0.0");
        assert_eq!(shown("-0.04"), "0.0");
        assert_eq!(shown("0.96"), "1.0");
        assert_eq!(
            format!(
                "{:.0}|{:.3}|{:8.2}|{}|{}",
                number("5/2"),
                number("1/3"),
                number("12"),
                number("2/4"),
                number("4/2")
            ),
            "3|0.333|   12.00|1/2|2"
        );
    }

    #[test]
    fn figures_become_numbers() {
        assert_eq!(Fraction::of(&Figure::Ratio { numerator: 1, denominator: 0 }), None);
        assert_eq!(Fraction::of(&Figure::Mean { sum: -3, count: 2 }), Some(number("-1.5")));
        assert_eq!(Fraction::of(&Figure::Missing), None);
        assert_eq!(serde_json::to_string(&number("18/20")).unwrap(), r#"{"num":9,"den":10}"#);
    }

    /// Numbers of all sizes, so that sums and products leave 64 bits behind.
    fn anything() -> impl Strategy<Value = Fraction> {
        let part = || prop_oneof![-9..10_i128, any::<i64>().prop_map(i128::from), any::<i128>()];
        (part(), part()).prop_map(|(numerator, denominator)| {
            Fraction::new(numerator, denominator).unwrap_or_else(|| Fraction::from(0))
        })
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_big_rationals(a in anything(), b in anything()) {
            let (x, y) = (a.big(), b.big());
            prop_assert_eq!((a.clone() + b.clone()).big(), &x + &y);
            prop_assert_eq!((a.clone() - b.clone()).big(), &x - &y);
            prop_assert_eq!((a.clone() * b.clone()).big(), &x * &y);
            prop_assert_eq!(a.over(&b).map(|quotient| quotient.big()), (!y.is_zero()).then(|| &x / &y));
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        }
    }
}
