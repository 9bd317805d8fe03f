//! The count of a week that past years lead one to expect.
//!
//! Farrington, Andrews, Beale and Catchpole, "A statistical algorithm for the early detection of outbreaks of infectious disease"
//! (1996): a log-linear quasi-Poisson regression on the weeks around the same one in past years, in which weeks that were
//! outbreaks themselves weigh less.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// What a regression expects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Expected {
    pub(super) mean: f64,
    /// By how much the counts vary more than a Poisson's, at least 1.
    pub(super) dispersion: f64,
}

/// Years that a trend needs.
const TREND_YEARS: usize = 3;

/// The expected count of a week, from counts of weeks before it: how many weeks off (below 0), and how many orders. None where there
/// are fewer than three.
pub(super) fn expected(history: &[(f64, f64)], years: usize) -> Option<Expected> {
    let most = history.iter().map(|(_, count)| *count).fold(0.0, f64::max);
    if history.len() < 3 {
        return None;
    }
    if most <= 0.0 {
        // Nothing ever happened: half an order in all these weeks.
        return Some(Expected { mean: 0.5 / history.len() as f64, dispersion: 1.0 });
    }
    if years >= TREND_YEARS
        && let Some(fit) = reweighted(history, true)
        && fit.significant(history.len())
        && fit.mean() <= most
    {
        return Some(Expected { mean: fit.mean(), dispersion: fit.dispersion });
    }
    let fit = reweighted(history, false)?;
    Some(Expected { mean: fit.mean(), dispersion: fit.dispersion })
}

/// ln μ = level + slope · weeks, and the variance of the slope without the dispersion.
struct Fit {
    level: f64,
    slope: f64,
    slope_variance: f64,
    dispersion: f64,
}

impl Fit {
    /// The count of the week itself, which lies no weeks back.
    fn mean(&self) -> f64 {
        self.level.exp()
    }

    fn at(&self, weeks: f64) -> f64 {
        (self.level + self.slope * weeks).exp()
    }

    /// Whether the trend differs from none at 5 %.
    fn significant(&self, many: usize) -> bool {
        let error = (self.slope_variance * self.dispersion).sqrt();
        let Ok(student) = StudentsT::new(0.0, 1.0, many as f64 - 2.0) else { return false };
        2.0 * student.sf((self.slope / error).abs()) < 0.05
    }
}

/// Fits, weighs down the weeks that exceed the fit, and fits again.
fn reweighted(history: &[(f64, f64)], trend: bool) -> Option<Fit> {
    let even = vec![1.0; history.len()];
    let first = fit(history, &even, trend)?;
    let weights = weights(history, &first, &leverages(history, &first, trend));
    fit(history, &weights, trend)
}

/// The weighted sums that both the regression and its leverages need: of 1, x and x² under μ.
fn sums(history: &[(f64, f64)], weight: impl Fn(usize, f64) -> f64) -> (f64, f64, f64) {
    history.iter().enumerate().fold((0.0, 0.0, 0.0), |(a, b, c), (at, (x, _))| {
        let weight = weight(at, *x);
        (a + weight, b + weight * x, c + weight * x * x)
    })
}

/// Iterated weighted least squares. None where it does not settle, or all counts but too few are the same as none.
fn fit(history: &[(f64, f64)], weights: &[f64], trend: bool) -> Option<Fit> {
    let total: f64 = history.iter().zip(weights).map(|((_, count), weight)| count * weight).sum();
    let mut fit = Fit {
        level: (total / weights.iter().sum::<f64>()).ln(),
        slope: 0.0,
        slope_variance: 0.0,
        dispersion: 1.0,
    };
    let weight = |at: usize| weights.get(at).copied().unwrap_or(0.0);
    for _ in 0..50 {
        if !trend {
            break; // the weighted mean is the solution
        }
        let (a, b, c) = sums(history, |at, x| weight(at) * fit.at(x));
        let determinant = a * c - b * b;
        let (mut p, mut q) = (0.0, 0.0);
        for (at, (x, count)) in history.iter().enumerate() {
            let error = weight(at) * (count - fit.at(*x));
            p += error;
            q += error * x;
        }
        let (level, slope) = ((c * p - b * q) / determinant, (a * q - b * p) / determinant);
        if !level.is_finite() || !slope.is_finite() {
            return None;
        }
        fit.level += level;
        fit.slope += slope;
        fit.slope_variance = a / determinant;
        if level.abs().max(slope.abs()) < 1e-12 {
            break;
        }
    }
    let parameters = if trend { 2.0 } else { 1.0 };
    let pearson: f64 = history
        .iter()
        .enumerate()
        .map(|(at, (x, count))| {
            let mean = fit.at(*x);
            weight(at) * (count - mean).powi(2) / mean
        })
        .sum();
    fit.dispersion = (pearson / (history.len() as f64 - parameters)).max(1.0);
    (fit.level.is_finite() && fit.dispersion.is_finite()).then_some(fit)
}

/// How much each week pulls the fit towards itself.
fn leverages(history: &[(f64, f64)], fit: &Fit, trend: bool) -> Vec<f64> {
    let (a, b, c) = sums(history, |_, x| fit.at(x));
    let of = |x: f64| {
        if trend { (c - 2.0 * b * x + a * x * x) / (a * c - b * b) } else { 1.0 / a }
    };
    history.iter().map(|(x, _)| fit.at(*x) * of(*x)).collect()
}

/// The weights after the first fit, by standardised Anscombe residuals: 1/s² above 1, scaled so that they sum to the number of weeks.
fn weights(history: &[(f64, f64)], fit: &Fit, leverages: &[f64]) -> Vec<f64> {
    let weight = |((x, count), leverage): (&(f64, f64), &f64)| {
        let mean = fit.at(*x);
        let residual = 1.5 * (count.powf(2.0 / 3.0) * mean.powf(-1.0 / 6.0) - mean.sqrt());
        let standard = residual / (fit.dispersion * (1.0 - leverage)).sqrt();
        if standard > 1.0 { standard.powi(-2) } else { 1.0 }
    };
    let weights: Vec<f64> = history.iter().zip(leverages).map(weight).collect();
    let scale = history.len() as f64 / weights.iter().sum::<f64>();
    weights.into_iter().map(|weight| weight * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weeks around the same one in past years: seven for each year, the nearest year first, in the order −52·i + 3 down to −52·i − 3.
    fn around(counts: &[u32]) -> Vec<(f64, f64)> {
        let weeks = (0_i32..).flat_map(|year| (-3..=3).map(move |off| f64::from(-52 * (year + 1) - off)));
        weeks.zip(counts.iter().map(|count| f64::from(*count))).collect()
    }

    /// Means and dispersions that statsmodels 0.14 gives (GLM, Poisson, var_weights), with the weights of the paper computed in NumPy.
    #[test]
    fn fits_are_those_of_statsmodels() {
        let cases: [(usize, &[u32], f64, f64); 5] = [
            (
                5,
                &[
                    24, 17, 24, 17, 16, 20, 16, 21, 19, 22, 20, 23, 18, 25, 17, 20, 22, 13, 20, 18, 11, 17,
                    25, 21, 22, 19, 19, 33, 22, 26, 29, 21, 21, 26, 21,
                ],
                20.162094504737922,
                1.0,
            ),
            (
                5,
                &[
                    5, 4, 9, 5, 5, 7, 11, 6, 9, 2, 7, 5, 10, 1, 2, 2, 2, 6, 5, 2, 5, 6, 8, 0, 4, 3, 3, 3, 2,
                    2, 1, 2, 1, 4, 3,
                ],
                8.040253517134387,
                1.0112918315539723,
            ),
            (
                3,
                &[14, 14, 11, 12, 60, 12, 17, 13, 11, 11, 11, 16, 11, 14, 11, 8, 7, 8, 11, 9, 5],
                18.55463607341212,
                1.144809081797911,
            ),
            (2, &[2, 6, 3, 4, 4, 7, 5, 4, 3, 9, 6, 5, 10, 4], 4.67576792114777, 1.0),
            (
                4,
                &[
                    37, 23, 25, 16, 90, 26, 15, 16, 26, 19, 23, 24, 21, 22, 15, 15, 15, 19, 14, 14, 20, 16,
                    12, 14, 15, 14, 9, 10,
                ],
                31.538678511323255,
                1.3135938391627349,
            ),
        ];
        for (years, counts, mean, dispersion) in cases {
            let found = expected(&around(counts), years).unwrap();
            assert!((found.mean / mean - 1.0).abs() < 1e-8, "{found:?}, not {mean}");
            assert!((found.dispersion / dispersion - 1.0).abs() < 1e-8, "{found:?}, not {dispersion}");
        }
    }

    #[test]
    fn without_a_past_nothing_is_expected_and_without_orders_hardly_any() {
        assert_eq!(expected(&around(&[1, 2]), 5), None);
        assert_eq!(expected(&around(&[0; 10]), 1), Some(Expected { mean: 0.05, dispersion: 1.0 }));
        assert_eq!(expected(&around(&[4; 35]), 5).unwrap().dispersion, 1.0);
    }
}
