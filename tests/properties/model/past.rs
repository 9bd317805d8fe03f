//! All versions that there ever were, in a list.

use std::collections::{BTreeMap, BTreeSet};

use zonal::{Moment, Order, Patch, Step, Value};

use super::order::Fact;
use super::{Became, Fault, Fields, Model, id_order};

/// One operation of a commit.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Upsert(Order),
    Patch(String, Edit),
    Remove(String),
}

/// A change of some fields. [`Edit::patch`] makes the store's own form of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edit {
    pub(crate) created: Option<Moment>,
    pub(crate) place: Option<Vec<Step>>,
    pub(crate) location: Option<(i32, i32)>,
    /// None clears the field.
    pub(crate) values: BTreeMap<String, Option<Value>>,
}

/// A version of an order.
#[derive(Debug, Clone)]
struct Version {
    fact: Fact,
    born: u64,
    /// The commit that ended it, and whether by a removal.
    ended: Option<(u64, bool)>,
}

/// A version as the store tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Was {
    pub(crate) commit: u64,
    pub(crate) known: i64,
    pub(crate) order: Order,
    pub(crate) ended: Option<u64>,
    pub(crate) removed: bool,
}

/// A store with everything that it ever held.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) now: Model,
    versions: Vec<Version>,
    /// When each commit was known.
    stamps: Vec<i64>,
    /// How many nodes and values each field had after each commit.
    sizes: Vec<BTreeMap<String, usize>>,
}

impl Edit {
    pub(crate) fn patch(&self) -> Patch {
        let mut patch = Patch::new();
        if let Some(created) = &self.created {
            patch = patch.created(created.clone());
        }
        if let Some(place) = &self.place {
            patch = patch.place(place.iter().cloned());
        }
        if let Some((longitude, latitude)) = self.location {
            patch = patch.location_e7(longitude, latitude);
        }
        for (name, value) in &self.values {
            patch = match value {
                Some(value) => patch.with(name, value.clone()),
                None => patch.clear(name),
            };
        }
        patch
    }
}

impl Past {
    pub(crate) fn new(fields: Fields) -> Self {
        Self { now: Model::new(fields), versions: Vec::new(), stamps: Vec::new(), sizes: Vec::new() }
    }

    /// The number of the last commit.
    pub(crate) fn last(&self) -> u64 {
        self.stamps.len() as u64
    }

    /// Every id that ever had an order, in the order in which they came.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let ids = self.versions.iter().map(|version| version.fact.order.id());
        ids.filter(|id| seen.insert(*id)).map(str::to_owned).collect()
    }

    /// Makes a commit of operations, known at a time; or says what is wrong with it, and nothing has changed.
    pub(crate) fn commit(&mut self, operations: &[Operation], known: i64) -> Result<(), Fault> {
        let mut after = self.now.clone();
        let mut touched = BTreeSet::new();
        for operation in operations {
            let id = match operation {
                Operation::Upsert(order) => order.id(),
                Operation::Patch(id, _) | Operation::Remove(id) => id,
            };
            let at = after.facts.iter().position(|fact| fact.order.id() == id);
            match operation {
                Operation::Upsert(order) => {
                    let fact = after.take_in(order)?;
                    after.facts.retain(|fact| fact.order.id() != id);
                    after.facts.push(fact);
                }
                Operation::Patch(_, edit) => {
                    let before = after.facts[at.ok_or(Fault::Unknown)?].clone();
                    after.facts[at.ok_or(Fault::Unknown)?] = after.edited(&before, edit)?;
                }
                Operation::Remove(_) => {
                    after.facts.remove(at.ok_or(Fault::Unknown)?);
                }
            }
            touched.insert(id.to_owned());
        }
        self.become_(after, known, &touched);
        Ok(())
    }

    /// Loads orders in one commit, known at a time.
    pub(crate) fn load(&mut self, orders: &[Order], known: i64) -> Became {
        let mut after = self.now.clone();
        let became = after.load(orders);
        let taken = orders.iter().zip(&became.refused).filter(|(_, refused)| !**refused);
        let touched = taken.map(|(order, _)| order.id().to_owned()).collect();
        self.become_(after, known, &touched);
        became
    }

    /// The schema grows to these fields, in one commit.
    pub(crate) fn grow(&mut self, fields: Fields) {
        let mut after = self.now.clone();
        after.grow(fields);
        self.become_(after, 0, &BTreeSet::new());
    }

    /// The next commit leaves `after`, having touched these orders.
    fn become_(&mut self, after: Model, known: i64, touched: &BTreeSet<String>) {
        let commit = self.last() + 1;
        self.stamps.push(self.stamps.last().map_or(known, |last| known.max(*last)));
        for id in touched {
            let next = after.facts.iter().find(|fact| fact.order.id() == id);
            let latest = self
                .versions
                .iter_mut()
                .find(|version| version.ended.is_none() && version.fact.order.id() == id);
            if let Some(latest) = latest {
                latest.ended = Some((commit, next.is_none()));
            }
            self.versions.extend(next.map(|fact| Version { fact: fact.clone(), born: commit, ended: None }));
        }
        self.sizes.push(after.sizes());
        self.now = after;
    }

    /// The store as it was at a commit, with the units and values that there were.
    pub(crate) fn at(&self, commit: u64) -> Model {
        let lived = |version: &&Version| {
            version.born <= commit && version.ended.is_none_or(|(ended, _)| ended > commit)
        };
        let facts = self.versions.iter().filter(lived).map(|version| version.fact.clone()).collect();
        let none = BTreeMap::new();
        let sizes = commit.checked_sub(1).map_or(&none, |commit| &self.sizes[commit as usize]);
        let mut then = Model { facts, ..self.now.clone() };
        then.cut(sizes);
        then
    }

    /// The last commit that was known at a time.
    pub(crate) fn known_at(&self, time: i64) -> u64 {
        self.stamps.iter().filter(|stamp| **stamp <= time).count() as u64
    }

    pub(crate) fn history(&self, id: &str) -> Vec<Was> {
        let of_order = self.versions.iter().filter(|version| version.fact.order.id() == id);
        let was = |version: &Version| Was {
            commit: version.born,
            known: self.stamps[version.born as usize - 1],
            order: version.fact.order.clone(),
            ended: version.ended.map(|(commit, _)| commit),
            removed: version.ended.is_some_and(|(_, removed)| removed),
        };
        of_order.map(was).collect()
    }

    /// The orders that differ between two commits: what each was and what it became.
    pub(crate) fn changes(&self, from: u64, to: u64) -> Vec<(String, Option<Order>, Option<Order>)> {
        let (before, after) = (self.at(from), self.at(to));
        let mut ids = self.ids();
        ids.sort_by_key(|id| id_order(id));
        let both = |id: String| {
            let (before, after) = (before.get(&id).cloned(), after.get(&id).cloned());
            (id, before, after)
        };
        ids.into_iter().map(both).filter(|(_, before, after)| before != after).collect()
    }
}

impl Model {
    /// An order with some fields changed. Those that are not named stay, whatever became of the trees.
    fn edited(&mut self, fact: &Fact, edit: &Edit) -> Result<Fact, Fault> {
        let mut trial = self.clone();
        let created = edit.created.as_ref().map_or(Ok(fact.created), |created| trial.time(created))?;
        let mut nodes = fact.nodes.clone();
        let mut place = fact.order.place_path().to_vec();
        if let Some(path) = &edit.place {
            place.clear();
            nodes.remove("place");
            if let Some(node) = trial.place.intern(path)? {
                nodes.insert("place".to_owned(), node);
                place = trial.place.steps(node);
            }
        }
        let mut values: BTreeMap<String, Value> =
            fact.order.values().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let mut point = edit.location.or(fact.order.point());
        if let Some((longitude, latitude)) = edit.location {
            trial.check_point(longitude, latitude)?;
        }
        for (name, value) in &edit.values {
            match (name.as_str(), value) {
                ("created", None) => return Err(Fault::Invalid),
                ("place", None) => {
                    place.clear();
                    nodes.remove("place");
                }
                ("location", None) if trial.fields.location => point = None,
                (_, None) if trial.fields.between.iter().any(|measure| measure.name == *name) => {
                    return Err(Fault::Invalid);
                }
                _ => {
                    trial.fields.kind(name).ok_or(Fault::Invalid)?;
                    nodes.remove(name);
                    values.remove(name);
                    let kept = value.as_ref().map(|value| trial.value(name, value, &mut nodes));
                    values.extend(kept.transpose()?.flatten().map(|value| (name.clone(), value)));
                }
            }
        }
        let mut order = Order::new(fact.order.id(), created).place(place);
        if let Some((longitude, latitude)) = point {
            order = order.location_e7(longitude, latitude);
        }
        for (name, value) in values {
            order = order.with(name, value);
        }
        *self = trial;
        Ok(Fact { order, created, nodes })
    }
}
