//! How likely a count is.

use statrs::distribution::{DiscreteCDF, NegativeBinomial, Poisson};

/// The mean and the variance (over n − 1) of counts; no variance of fewer than two.
#[expect(clippy::cast_precision_loss, reason = "a test of chance is an estimate")]
pub(super) fn mean_and_variance(counts: &[u64]) -> (f64, f64) {
    let many = counts.len() as f64;
    if counts.is_empty() {
        return (0.0, 0.0);
    }
    let mean = counts.iter().map(|count| *count as f64).sum::<f64>() / many;
    let squares: f64 = counts.iter().map(|count| (*count as f64 - mean).powi(2)).sum();
    (mean, if counts.len() > 1 { squares / (many - 1.0) } else { 0.0 })
}

/// P(X ≥ observed) of a negative binomial with this mean and variance, of a Poisson where the variance is no larger.
pub(super) fn tail(observed: u64, mean: f64, variance: f64) -> f64 {
    let Some(below) = observed.checked_sub(1) else { return 1.0 };
    if variance > mean {
        let size = mean * mean / (variance - mean);
        NegativeBinomial::new(size, size / (size + mean)).map_or(f64::NAN, |counts| counts.sf(below))
    } else {
        Poisson::new(mean).map_or(f64::NAN, |counts| counts.sf(below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn tails_are_those_of_sums_with_sixty_digits() {
        close(tail(9, 2.5, 5.0), 1.97006552934455e-2);
        close(tail(30, 4.0, 10.0), 1.07611864973546e-5);
        close(tail(1, 0.0625, 0.125), 4.23967193014264e-2);
        close(tail(100, 50.0, 400.0), 1.86134893729309e-2);
        close(tail(9, 2.5, 2.0), 1.14025283260424e-3);
        close(tail(4, 0.0625, 0.0), 6.04806992999647e-7);
        assert!((tail(0, 2.5, 5.0) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn variance_is_over_one_less() {
        assert_eq!(mean_and_variance(&[1, 2, 3, 6]), (3.0, 14.0 / 3.0));
        assert_eq!(mean_and_variance(&[5]), (5.0, 0.0));
        assert_eq!(mean_and_variance(&[]), (0.0, 0.0));
    }
}
