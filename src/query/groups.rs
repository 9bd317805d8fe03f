//! Groups and their slots.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::error::{Error, Result};
use crate::tree::Node;

use super::facts::{Facts, Needs};
use super::table::Table;
use super::tally::Tallied;

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
    dimensions: Vec<Digits>,
    steps: u128,
}

/// The groups of a dimension, numbered: a level of a tree has few of all its nodes.
#[derive(Debug, Clone)]
pub(crate) struct Digits {
    /// Ascending.
    members: Vec<Member>,
    /// By member.
    of: Vec<u32>,
}

impl Digits {
    pub(crate) fn new(groups: &[Member]) -> Self {
        let mut of = vec![0; groups.iter().max().map_or(0, |most| *most as usize + 1)];
        groups.iter().for_each(|group| of[*group as usize] = 1);
        let mut members = Vec::new();
        for (member, digit) in (0..).zip(&mut of) {
            if *digit > 0 {
                *digit = members.len() as u32;
                members.push(member);
            }
        }
        Self { members, of }
    }

    /// The groups that a digit stands for, but for *none*, which is one more.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    fn size(&self) -> u128 {
        self.members.len() as u128 + 1
    }

    pub(crate) fn digit(&self, member: Member) -> u128 {
        self.of.get(member as usize).map_or(self.size() - 1, |digit| u128::from(*digit))
    }

    fn member(&self, digit: u128) -> Member {
        usize::try_from(digit).ok().and_then(|digit| self.members.get(digit)).copied().unwrap_or(NONE)
    }
}

/// A packed key.
pub(crate) type Key = u128;

impl Keys {
    /// For dimensions with these groups, and so many steps of time; [`NONE`] is one more everywhere.
    pub(crate) fn new(dimensions: Vec<Digits>, steps: usize) -> Result<Self> {
        let keys = Self { dimensions, steps: steps as u128 + 1 };
        let mut sizes = keys.dimensions.iter().map(Digits::size);
        let room = sizes.try_fold((1 << 32) * keys.steps, u128::checked_mul);
        room.map(|_| keys).ok_or_else(|| Error::invalid("query", "it groups by too many dimensions at once"))
    }

    pub(crate) fn pack(&self, unit: Member, by: &[Member], step: Member) -> Key {
        let digits = by.iter().zip(&self.dimensions);
        let series =
            digits.fold(u128::from(unit), |key, (value, digits)| key * digits.size() + digits.digit(*value));
        series * self.steps + self.place_of(step) as Key
    }

    /// How many groups a unit can have, where these are few enough to have a place each.
    pub(crate) fn per_unit(&self) -> Option<usize> {
        let sizes = self.dimensions.iter().map(Digits::size);
        let groups = sizes.fold(self.steps, u128::saturating_mul);
        usize::try_from(groups).ok().filter(|groups| *groups <= MOST_PER_UNIT)
    }

    /// What each value of a dimension adds to the place of a group among all that a unit can have; *none* stands last.
    pub(crate) fn places(&self, dimension: usize) -> Option<Vec<usize>> {
        self.per_unit()?;
        let behind = self.dimensions.iter().skip(dimension + 1);
        let stride = behind.fold(self.steps as usize, |stride, digits| stride * digits.size() as usize);
        Some((0..self.dimensions.get(dimension)?.size() as usize).map(|digit| digit * stride).collect())
    }

    /// The groups of a dimension.
    pub(crate) fn digits(&self, dimension: usize) -> Option<&Digits> {
        self.dimensions.get(dimension)
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
        let step = key % self.steps;
        if step == self.steps - 1 { NONE } else { u32::try_from(step).unwrap_or(NONE) }
    }

    pub(crate) fn unit_and_by(&self, key: Key) -> (Member, Vec<Member>) {
        let mut rest = key / self.steps;
        let mut by: Vec<Member> = Vec::with_capacity(self.dimensions.len());
        for digits in self.dimensions.iter().rev() {
            by.push(digits.member(rest % digits.size()));
            rest /= digits.size();
        }
        by.reverse();
        (u32::try_from(rest).unwrap_or(NONE), by)
    }
}

/// The most groups that a unit has a place for each of, whether they have orders or not.
const MOST_PER_UNIT: usize = 1 << 14;
/// The most places that all units have together.
const MOST_PLACES: usize = if cfg!(test) { 1 << 7 } else { 1 << 21 };

/// To look at so many places takes about as long as to list and count an order.
const PLACES_OF_ORDER: u64 = 32;

/// Groups with what was counted for each.
///
/// The groups of a unit have their facts side by side, so that counting an order is to add to a place known from its
/// values. Where they could be too many, each has its slot by its key; where orders are counted and nothing else, it is
/// [tallied](super::tally) instead.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// How many groups a unit can have; none for too many.
    per_unit: Option<usize>,
    /// For how many groups units are expected to have a place; none where they have none.
    places: Option<usize>,
    units: Units,
    slots: HashMap<Key, usize, FixedState>,
    /// The groups that were tallied, which have the first slots.
    tallied: Vec<Tallied>,
    pub(crate) facts: Facts,
    limit: u64,
}

/// So many nodes that follow one another have their numbers on one page.
const UNITS_OF_PAGE: usize = if cfg!(test) { 2 } else { 1 << 6 };

/// Where the facts of units begin.
#[derive(Debug, Clone, Default)]
struct Units {
    nodes: usize,
    /// Per so many nodes, which page they have; the first is of all that have no facts.
    pages: Vec<u32>,
    /// Page by page and node by node, one more than where its facts begin, 0 for those that have none; orders without place come first.
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
        let at = Self::at(unit);
        let page = *self.pages.get(at / UNITS_OF_PAGE)? as usize;
        let first = *self.firsts.get(page * UNITS_OF_PAGE + at % UNITS_OF_PAGE)?;
        (first as usize).checked_sub(1)
    }

    /// Notes a new unit; not one that is no node.
    fn insert(&mut self, unit: Member, first: usize) -> bool {
        let at = Self::at(unit);
        if at > self.nodes {
            return false;
        }
        if self.pages.is_empty() {
            self.pages = vec![0; self.nodes / UNITS_OF_PAGE + 1];
            self.firsts = vec![0; UNITS_OF_PAGE];
        }
        let page = &mut self.pages[at / UNITS_OF_PAGE];
        if *page == 0 {
            *page = (self.firsts.len() / UNITS_OF_PAGE) as u32;
            self.firsts.resize(self.firsts.len() + UNITS_OF_PAGE, 0);
        }
        self.firsts[*page as usize * UNITS_OF_PAGE + at % UNITS_OF_PAGE] = first as u32 + 1;
        self.members.push((unit, first));
        true
    }
}

impl Groups {
    /// For about so many units of a tree with so many nodes, and at most about so many orders.
    pub(crate) fn new(
        needs: &Needs,
        keys: &Keys,
        (units, nodes): (usize, usize),
        orders: u64,
        limit: u64,
    ) -> Self {
        let per_unit = keys.per_unit();
        // Lists and sets of values are too large to have them for groups without orders.
        let most_per_unit = if needs.adds_up() { MOST_PER_UNIT } else { 1 };
        let places =
            per_unit.filter(|groups| *groups <= most_per_unit).map(|groups| groups.saturating_mul(units));
        // What ranges tell comes without dimensions, and needs its places.
        let sparse = needs.is_empty() && !keys.dimensions.is_empty();
        let most = if sparse { orders.saturating_mul(PLACES_OF_ORDER) } else { u64::MAX };
        let places = places.filter(|places| *places <= MOST_PLACES && *places as u64 <= most);
        Self {
            per_unit,
            places,
            units: Units { nodes, ..Units::default() },
            slots: HashMap::default(),
            tallied: Vec::new(),
            facts: Facts::new(needs),
            limit,
        }
    }

    /// Where the facts of a unit's groups begin; none where they have a slot each.
    #[inline]
    pub(crate) fn unit(&mut self, unit: Member) -> Option<usize> {
        let (per_unit, places) = self.per_unit.zip(self.places)?;
        self.units.get(unit).or_else(|| self.add_unit(unit, per_unit, places))
    }

    fn add_unit(&mut self, unit: Member, per_unit: usize, places: usize) -> Option<usize> {
        let first = self.facts.orders.len();
        if first == 0 {
            self.facts.reserve(places);
        }
        if first + per_unit > MOST_PLACES || !self.units.insert(unit, first) {
            return None;
        }
        self.facts.grow(first + per_unit);
        Some(first)
    }

    /// The units with where their facts begin; none where some groups have a slot of their own.
    pub(crate) fn by_unit(&self) -> Option<&[(Member, usize)]> {
        let all = self.places.is_some() && self.slots.is_empty();
        all.then_some(&self.units.members)
    }

    /// Where the groups of a unit without places begin among the keys; none where groups have no place among those of a unit.
    #[inline]
    pub(crate) fn first_key(&self, unit: Member) -> Option<u64> {
        self.per_unit.map(|per_unit| u64::from(unit) * per_unit as u64)
    }

    /// The slot of a group, made where it is new.
    pub(crate) fn slot(&mut self, key: Key) -> Result<usize> {
        if let Some((per_unit, _)) = self.per_unit.zip(self.places) {
            let (unit, place) = unit_and_place(key, per_unit);
            if let Some(first) = self.unit(unit) {
                return Ok(first + place);
            }
        }
        self.hashed(key)
    }

    /// How many groups a unit can have, where they have no places and may be tallied.
    pub(super) fn to_tally(&self, needs: &Needs) -> Option<usize> {
        self.per_unit.filter(|_| self.places.is_none() && needs.is_empty())
    }

    /// Takes what was tallied, while there is nothing else.
    pub(super) fn adopt(&mut self, tallied: Vec<Tallied>) {
        self.facts.orders = tallied.iter().map(|group| group.orders).collect();
        self.tallied = tallied;
    }

    /// All groups, by unit in the order of the tree, as they were tallied; none where others have come.
    pub(super) fn tallied(&self) -> Option<&[Tallied]> {
        Some(self.tallied.as_slice()).filter(|tallied| !tallied.is_empty())
    }

    /// The slot of a group of a unit without places.
    pub(crate) fn hashed(&mut self, key: Key) -> Result<usize> {
        if let Some(slot) = self.keyed(key) {
            return Ok(slot);
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
        places.chain(self.slots.iter().map(|(key, slot)| (*key, *slot))).chain(self.tallied_keys())
    }

    /// The orders of a group.
    pub(crate) fn orders(&mut self, key: Key) -> u64 {
        self.find(key).map_or(0, |slot| self.facts.orders[slot])
    }

    /// The slot of a group, where it has one.
    fn find(&mut self, key: Key) -> Option<usize> {
        let placed = self.per_unit.and_then(|per_unit| {
            let (unit, place) = unit_and_place(key, per_unit);
            Some(self.units.get(unit)? + place)
        });
        placed.or_else(|| self.keyed(key))
    }

    /// The slot of a group of a unit without places, where it has one.
    #[inline]
    fn keyed(&mut self, key: Key) -> Option<usize> {
        if !self.tallied.is_empty() {
            self.slots = self.tallied_keys().collect();
            self.tallied.clear();
        }
        self.slots.get(&key).copied()
    }

    fn tallied_keys(&self) -> impl Iterator<Item = (Key, usize)> + '_ {
        let per_unit = self.per_unit.unwrap_or_default() as u128;
        let key = move |group: &Tallied| u128::from(member(group.node)) * per_unit + u128::from(group.place);
        self.tallied.iter().map(key).zip(0..)
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn merge(&mut self, other: Self) -> Result<()> {
        if self.facts.orders.is_empty() {
            *self = other;
            return Ok(());
        }
        let per_unit = other.per_unit.unwrap_or_default();
        let mut end = self.facts.orders.len();
        for (unit, _) in &other.units.members {
            let fits = self.places.is_some() && end + per_unit <= MOST_PLACES;
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

    /// Makes groups ready to be read. Refuses more of them than the limit.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.facts.settle();
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = self.facts.orders.len() > limit && self.keys().nth(limit).is_some();
        if more { Err(self.too_many()) } else { Ok(()) }
    }

    fn too_many(&self) -> Error {
        Error::TooManyGroups { groups: self.limit.saturating_add(1), limit: self.limit }
    }
}

/// The unit of a key, and where its group stands among those that a unit can have.
pub(super) fn unit_and_place(key: Key, per_unit: usize) -> (Member, usize) {
    let per_unit = per_unit as u128;
    (u32::try_from(key / per_unit).unwrap_or(NONE), (key % per_unit) as usize)
}

#[cfg(test)]
mod tests {
    use super::super::answer::RowKind;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Units of both, of one, and of none; with a place for each group, without, and with places for some units.
        #[test]
        fn merged_groups_have_the_orders_of_both(
            both in prop::array::uniform2(prop::collection::vec((prop_oneof![0u32..5, Just(NONE)], 0u32..3), 0..20)),
            steps in prop_oneof![Just(4usize), Just(MOST_PLACES / 3)],
            dense in any::<bool>(),
        ) {
            let (needs, keys) = (Needs::default(), Keys::new(Vec::new(), steps).unwrap());
            let units = if dense { 2 } else { MOST_PLACES };
            let mut naive: BTreeMap<Key, u64> = BTreeMap::new();
            let [mut merged, other] = both.map(|orders| {
                let mut groups = Groups::new(&needs, &keys, (units, 5), 100, 100);
                for (unit, step) in orders {
                    let key = keys.pack(unit, &[], step);
                    *naive.entry(key).or_default() += 1;
                    let slot = groups.slot(key).unwrap();
                    groups.facts.orders[slot] += 1;
                }
                groups
            });
            merged.merge(other).unwrap();
            merged.finish().unwrap();
            has(merged, &naive)?;
        }

        #[test]
        fn tallied_groups_have_their_orders(
            naive in prop::collection::btree_map((prop_oneof![0u32..5, Just(NONE)], 0u32..3), 1u64..9, 0..20),
        ) {
            let keys = Keys::new(Vec::new(), 3).unwrap();
            let mut groups = Groups::new(&Needs::default(), &keys, (MOST_PLACES, 5), 100, 100);
            prop_assert_eq!(groups.to_tally(&Needs::default()), keys.per_unit());
            let kind = RowKind::Target;
            let tallied = naive.iter().map(|((unit, place), orders)| Tallied { node: (*unit != NONE).then_some(Node::from_index(*unit)), place: *place, orders: *orders, kind });
            groups.adopt(tallied.collect());
            groups.finish().unwrap();
            has(groups, &naive.iter().map(|((unit, step), orders)| (keys.pack(*unit, &[], *step), *orders)).collect())?;
        }
    }

    fn has(mut groups: Groups, naive: &BTreeMap<Key, u64>) -> Result<(), TestCaseError> {
        let found: Vec<_> = groups.keys().map(|(key, slot)| (key, groups.facts.orders[slot])).collect();
        prop_assert_eq!(found.len(), naive.len(), "each group once");
        prop_assert_eq!(&found.into_iter().collect::<BTreeMap<_, _>>(), naive);
        for (key, orders) in naive {
            prop_assert_eq!(groups.orders(*key), *orders);
            // What comes later finds the same group.
            let slot = groups.slot(*key).unwrap();
            prop_assert_eq!(groups.facts.orders[slot], *orders);
        }
        Ok(())
    }
}
