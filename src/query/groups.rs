//! Groups and their slots.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::error::{Error, Result};
use crate::tree::Node;

use super::facts::{Facts, Needs};
use super::table::Table;

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

    /// How many groups a unit can have, where these are few enough to have a place each.
    pub(crate) fn per_unit(&self) -> Option<usize> {
        let groups = self.sizes.iter().fold(self.steps, |groups, size| groups.saturating_mul(*size));
        usize::try_from(groups).ok().filter(|groups| *groups <= MOST_PER_UNIT)
    }

    /// What each value of a dimension adds to the place of a group among all that a unit can have; *none* stands last.
    pub(crate) fn places(&self, dimension: usize) -> Option<Vec<usize>> {
        self.per_unit()?;
        let behind = self.sizes.iter().skip(dimension + 1);
        let stride = behind.fold(self.steps as usize, |stride, size| stride * *size as usize);
        Some((0..*self.sizes.get(dimension)? as usize).map(|digit| digit * stride).collect())
    }

    /// What a step of time adds to it.
    #[inline]
    pub(crate) fn place_of(&self, step: Member) -> usize {
        if step == NONE { self.steps as usize - 1 } else { step as usize }
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

/// The most groups that a unit has a place for each of, whether they have orders or not.
const MOST_PER_UNIT: usize = 1 << 14;
/// The most places that all units have together.
const MOST_PLACES: usize = 1 << 21;

/// Groups with what was counted for each.
///
/// The groups of a unit have their facts side by side, so that counting an order is to add to a place known from its
/// values. Where they could be too many, each has its slot by its key.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// How many groups a unit can have; none for too many.
    per_unit: Option<usize>,
    /// Whether units have a place for each of their groups.
    dense: bool,
    units: Units,
    slots: HashMap<Key, usize, FixedState>,
    pub(crate) facts: Facts,
    limit: u64,
}

/// Where the facts of units begin: a number for every node there is, as its pages cost nothing until they are used.
#[derive(Debug, Clone, Default)]
struct Units {
    nodes: usize,
    /// One more than where the facts of a unit begin, 0 for those that have none; orders without place come first.
    firsts: Vec<u32>,
    /// The units that have a place, with where their facts begin.
    members: Vec<(Member, usize)>,
}

impl Units {
    #[inline]
    fn at(unit: Member) -> usize {
        unit.wrapping_add(1) as usize
    }

    #[inline]
    fn get(&self, unit: Member) -> Option<usize> {
        let first = *self.firsts.get(Self::at(unit))?;
        (first as usize).checked_sub(1)
    }

    /// Notes a new unit; not one that is no node.
    fn insert(&mut self, unit: Member, first: usize) -> bool {
        if self.firsts.is_empty() {
            self.firsts = vec![0; self.nodes + 1];
        }
        let Some(slot) = self.firsts.get_mut(Self::at(unit)) else { return false };
        *slot = first as u32 + 1;
        self.members.push((unit, first));
        true
    }
}

impl Groups {
    /// For about so many units of a tree with so many nodes.
    pub(crate) fn new(needs: &Needs, keys: &Keys, (units, nodes): (usize, usize), limit: u64) -> Self {
        let per_unit = keys.per_unit();
        // Lists and sets of values are too large to have them for groups without orders.
        let most_per_unit = if needs.adds_up() { MOST_PER_UNIT } else { 1 };
        let is_dense = |groups: usize| groups <= most_per_unit && groups.saturating_mul(units) <= MOST_PLACES;
        Self {
            per_unit,
            dense: per_unit.is_some_and(is_dense),
            units: Units { nodes, ..Units::default() },
            slots: HashMap::default(),
            facts: Facts::new(needs),
            limit,
        }
    }

    /// Where the facts of a unit's groups begin; none where they have a slot each.
    #[inline]
    pub(crate) fn unit(&mut self, unit: Member) -> Option<usize> {
        let per_unit = self.per_unit.filter(|_| self.dense)?;
        self.units.get(unit).or_else(|| self.add_unit(unit, per_unit))
    }

    fn add_unit(&mut self, unit: Member, per_unit: usize) -> Option<usize> {
        let first = self.facts.orders.len();
        if first + per_unit > MOST_PLACES || !self.units.insert(unit, first) {
            return None;
        }
        self.facts.grow(first + per_unit);
        Some(first)
    }

    /// The units with where their facts begin; none where some groups have a slot of their own.
    pub(crate) fn by_unit(&self) -> Option<&[(Member, usize)]> {
        (self.dense && self.slots.is_empty()).then_some(&self.units.members)
    }

    /// Where the groups of a unit without places begin among the keys; none where groups have no place among those of a unit.
    #[inline]
    pub(crate) fn first_key(&self, unit: Member) -> Option<Key> {
        self.per_unit.map(|per_unit| u128::from(unit) * per_unit as u128)
    }

    /// The slot of a group, made where it is new.
    pub(crate) fn slot(&mut self, key: Key) -> Result<usize> {
        if let Some(per_unit) = self.per_unit.filter(|_| self.dense) {
            let unit = u32::try_from(key / per_unit as u128).unwrap_or(NONE);
            if let Some(first) = self.unit(unit) {
                return Ok(first + (key % per_unit as u128) as usize);
            }
        }
        self.hashed(key)
    }

    /// The slot of a group of a unit without places.
    pub(crate) fn hashed(&mut self, key: Key) -> Result<usize> {
        if let Some(slot) = self.slots.get(&key) {
            return Ok(*slot);
        }
        if self.slots.len() as u64 >= self.limit {
            return Err(self.too_many());
        }
        let slot = self.facts.slot();
        self.slots.insert(key, slot);
        Ok(slot)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys().next().is_none()
    }

    /// Adds what a table has, whose steps count where time was asked for.
    pub(super) fn add(&mut self, keys: &Keys, timed: bool, table: &Table) -> Result<()> {
        for (unit, step, cell) in table.filled() {
            let slot = self.slot(keys.pack(unit, &[], if timed { step } else { NONE }))?;
            self.facts.merge(slot, &table.facts, cell);
        }
        Ok(())
    }

    /// The groups that have orders, and their slots.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (Key, usize)> + '_ {
        let per_unit = self.per_unit.unwrap_or_default();
        let places = self.units.members.iter().flat_map(move |(unit, first)| {
            let key = u128::from(*unit) * per_unit as u128;
            (0..per_unit).map(move |at| (key + at as u128, first + at))
        });
        let places = places.filter(|(_, slot)| self.facts.orders[*slot] > 0);
        places.chain(self.slots.iter().map(|(key, slot)| (*key, *slot)))
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn merge(&mut self, other: Self) -> Result<()> {
        if self.units.members.is_empty() && self.slots.is_empty() {
            *self = other;
            return Ok(());
        }
        let per_unit = other.per_unit.unwrap_or_default();
        let mut end = self.facts.orders.len();
        for (unit, _) in &other.units.members {
            let fits = self.dense && end + per_unit <= MOST_PLACES;
            if fits && self.units.get(*unit).is_none() && self.units.insert(*unit, end) {
                end += per_unit;
            }
        }
        self.facts.grow(end);
        let mut slots = Vec::new();
        for (unit, from) in &other.units.members {
            let first = self.unit(*unit);
            for at in (0..per_unit).filter(|at| other.facts.orders[from + at] > 0) {
                let slot = match first {
                    Some(first) => first + at,
                    None => self.slot(u128::from(*unit) * per_unit as u128 + at as u128)?,
                };
                slots.push((slot, from + at));
            }
        }
        for (key, from) in &other.slots {
            slots.push((self.slot(*key)?, *from));
        }
        self.facts.merge_all(&slots, &other.facts);
        Ok(())
    }

    /// Refuses more groups than the limit.
    pub(crate) fn check(&self) -> Result<()> {
        let more = usize::try_from(self.limit).is_ok_and(|limit| self.keys().nth(limit).is_some());
        if more { Err(self.too_many()) } else { Ok(()) }
    }

    fn too_many(&self) -> Error {
        Error::TooManyGroups { groups: self.limit.saturating_add(1), limit: self.limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Units of both, of one, and of none; with a place for each group, and without.
        #[test]
        fn merged_groups_have_the_orders_of_both(
            both in prop::array::uniform2(prop::collection::vec((prop_oneof![0u32..5, Just(NONE)], 0u32..3), 0..20)),
            dense in any::<bool>(),
        ) {
            let (needs, keys) = (Needs::default(), Keys::new(std::iter::empty(), 4).unwrap());
            let units = if dense { 5 } else { MOST_PLACES };
            let mut naive: BTreeMap<Key, u64> = BTreeMap::new();
            let [mut merged, other] = both.map(|orders| {
                let mut groups = Groups::new(&needs, &keys, (units, 5), 100);
                for (unit, step) in orders {
                    let key = keys.pack(unit, &[], step);
                    *naive.entry(key).or_default() += 1;
                    let slot = groups.slot(key).unwrap();
                    groups.facts.orders[slot] += 1;
                }
                groups
            });
            merged.merge(other).unwrap();
            let found: BTreeMap<Key, u64> = merged.keys().map(|(key, slot)| (key, merged.facts.orders[slot])).collect();
            prop_assert_eq!(found, naive);
        }
    }
}
