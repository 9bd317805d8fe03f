//! Groups and their slots.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::error::{Error, Result};
use crate::tree::Node;

use super::facts::{Facts, Needs};

/// A value of a group: a node's or a label's number; [`NONE`] for missing and for the empty path.
pub(crate) type Member = u32;
pub(crate) const NONE: Member = u32::MAX;

pub(crate) fn member(node: Option<Node>) -> Member {
    node.map_or(NONE, Node::index)
}

/// The key of a group: its unit, its value in each dimension of `by`, and its step of time.
///
/// Keys are packed into one integer; two numbers of 32 bits for unit and time leave room for many dimensions.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// How many values each dimension has, with *none*.
    sizes: Vec<u128>,
    steps: u128,
}

/// A packed key.
pub(crate) type Key = u128;

impl Keys {
    /// For dimensions with so many values, and so many steps of time; [`NONE`] is one more everywhere.
    pub(crate) fn new(dimensions: impl Iterator<Item = usize>, steps: usize) -> Result<Self> {
        let keys =
            Self { sizes: dimensions.map(|size| size as u128 + 1).collect(), steps: steps as u128 + 1 };
        let room =
            keys.sizes.iter().try_fold((1 << 32) * keys.steps, |room: u128, size| room.checked_mul(*size));
        room.map(|_| keys).ok_or_else(|| Error::invalid("query", "it groups by too many dimensions at once"))
    }

    pub(crate) fn pack(&self, unit: Member, by: &[Member], step: Member) -> Key {
        let digit = |value: Member, size: u128| if value == NONE { size - 1 } else { u128::from(value) };
        let series = by
            .iter()
            .zip(&self.sizes)
            .fold(u128::from(unit), |key, (value, size)| key * size + digit(*value, *size));
        series * self.steps + digit(step, self.steps)
    }

    /// The key of the same group over all time.
    pub(crate) fn series(&self, key: Key) -> Key {
        key - key % self.steps
    }

    pub(crate) fn step(&self, key: Key) -> Member {
        self.member(key % self.steps, self.steps)
    }

    pub(crate) fn unit_and_by(&self, key: Key) -> (Member, Vec<Member>) {
        let mut rest = key / self.steps;
        let mut by: Vec<Member> = Vec::with_capacity(self.sizes.len());
        for size in self.sizes.iter().rev() {
            by.push(self.member(rest % size, *size));
            rest /= size;
        }
        by.reverse();
        (u32::try_from(rest).unwrap_or(NONE), by)
    }

    fn member(&self, digit: u128, size: u128) -> Member {
        if digit == size - 1 { NONE } else { u32::try_from(digit).unwrap_or(NONE) }
    }
}

/// Groups with what was counted for each.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    slots: HashMap<Key, usize, FixedState>,
    pub(crate) facts: Facts,
    limit: u64,
}

impl Groups {
    pub(crate) fn new(needs: &Needs, limit: u64) -> Self {
        Self { slots: HashMap::default(), facts: Facts::new(needs), limit }
    }

    /// The slot of a group, made where it is new.
    pub(crate) fn slot(&mut self, key: Key) -> Result<usize> {
        if let Some(slot) = self.slots.get(&key) {
            return Ok(*slot);
        }
        if self.slots.len() as u64 >= self.limit {
            return Err(Error::TooManyGroups { groups: self.limit.saturating_add(1), limit: self.limit });
        }
        let slot = self.facts.slot();
        self.slots.insert(key, slot);
        Ok(slot)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (Key, usize)> + '_ {
        self.slots.iter().map(|(key, slot)| (*key, *slot))
    }
}
