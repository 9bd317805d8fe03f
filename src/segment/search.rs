//! Binary searches over what is not a slice of values: packed columns, row lists, containers.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

/// The first index of `range` that is not `less`, or the range's end. The indices that are less come first.
#[inline]
pub(super) fn lower_bound(range: Range<usize>, less: impl Fn(usize) -> bool) -> usize {
    let Range { start: mut base, end } = range;
    let mut size = end.saturating_sub(base);
    while size > 0 {
        let half = size >> 1;
        let middle = base.wrapping_add(half);
        if less(middle) {
            base = middle.wrapping_add(1);
            size = size.wrapping_sub(half).wrapping_sub(1);
        } else {
            size = half;
        }
    }
    base
}

/// As [`lower_bound`], but in time logarithmic in how far the answer is from the range's start: for walks that
/// ask for ascending positions.
#[inline]
pub(super) fn gallop(range: Range<usize>, less: impl Fn(usize) -> bool) -> usize {
    let Range { start: mut base, end } = range;
    let mut step = 1_usize;
    loop {
        let probe = base.saturating_add(step).wrapping_sub(1);
        if probe >= end {
            return lower_bound(base..end, less);
        }
        if !less(probe) {
            return lower_bound(base..probe, less);
        }
        base = probe.wrapping_add(1);
        step = step.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::{gallop, lower_bound};

    #[test]
    fn both_searches_agree_with_a_scan() {
        for length in 0..40 {
            for start in 0..=length {
                for bound in start..=length {
                    assert_eq!(lower_bound(start..length, |index| index < bound), bound);
                    assert_eq!(gallop(start..length, |index| index < bound), bound);
                }
            }
        }
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "a reversed range is what a damaged file may lead to")]
    fn a_reversed_range_gives_its_start() {
        assert_eq!(lower_bound(5..3, |_| true), 5);
        assert_eq!(gallop(5..3, |_| true), 5);
    }
}
