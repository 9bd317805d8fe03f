//! Decisions, taken one after another from a list of random numbers.
//!
//! Proptest makes and shrinks the list; generators read it. All zeros stand for the plainest choice everywhere, so
//! that what fails shrinks to something plain, whatever depends on whatever.

use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(crate) struct Draws {
    numbers: std::vec::IntoIter<u16>,
}

/// So many random numbers.
pub(crate) fn draws(count: usize) -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), count)
}

impl Draws {
    pub(crate) fn new(numbers: Vec<u16>) -> Self {
        Self { numbers: numbers.into_iter() }
    }

    /// A number below `end`; 0 when all numbers are drawn.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.numbers.next().unwrap_or(0)) % end.max(1)
    }

    /// Once in so many times; never when all numbers are drawn.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// One of a list.
    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// One of a list that may be empty.
    pub(crate) fn pick_any<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| self.pick(from))
    }

    pub(crate) fn signed(&mut self) -> i64 {
        let number = i64::from(self.numbers.next().unwrap_or(0));
        if number % 2 == 0 { number / 2 } else { -(number / 2) - 1 }
    }

    pub(crate) fn number(&mut self) -> u64 {
        (0..4).fold(0, |number, _| number << 16 | u64::from(self.numbers.next().unwrap_or(0)))
    }
}
