//! A model of the store that is too plain to be wrong: all orders in a list, every question answered by going
//! through it. It shares no code with the engine; only values pass between the two, such as orders, filters,
//! spans and figures.

mod answer;
mod ask;
mod figure;
mod filter;
mod order;
mod past;
mod schema;
mod time;
mod tree;

use std::collections::BTreeMap;

use zonal::{NodeRef, Order, Span};

pub(crate) use answer::{Group, Row};
pub(crate) use ask::{Ask, Targets};
pub(crate) use order::Fact;
pub(crate) use past::{Edit, Operation, Past, Was};
pub(crate) use schema::{Between, Fields, Kind};
pub(crate) use time::Wall;
pub(crate) use tree::Tree;

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Invalid,
    Unknown,
    Ambiguous,
    TooManyGroups,
}

/// What a store holds.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) fields: Fields,
    pub(crate) wall: Wall,
    pub(crate) place: Tree,
    pub(crate) trees: BTreeMap<String, Tree>,
    /// The values of every category and tags field, in the order in which they came.
    pub(crate) values: BTreeMap<String, Vec<String>>,
    pub(crate) facts: Vec<Fact>,
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) orders: usize,
    /// Replaced orders: id and time of creation, sorted.
    pub(crate) repeated: Vec<(String, i64)>,
    /// How many orders of before got a new version.
    pub(crate) superseded: usize,
}

impl Model {
    pub(crate) fn new(fields: Fields) -> Self {
        let trees = fields.trees.iter().map(|(name, levels)| (name.clone(), Tree::new(levels))).collect();
        let flat = fields.categories.iter().chain(&fields.tags);
        Self {
            wall: Wall::new(&fields.zone),
            place: Tree::new(&fields.place),
            trees,
            values: flat.map(|name| (name.clone(), Vec::new())).collect(),
            facts: Vec::new(),
            fields,
        }
    }

    /// Loads orders in one commit. Orders that do not fit are left out; `refused` says which.
    pub(crate) fn load(&mut self, orders: &[Order]) -> Became {
        let mut after = Self { facts: Vec::new(), ..self.clone() };
        let mut new: Vec<Fact> = Vec::new();
        let mut repeated = Vec::new();
        let mut refused = Vec::new();
        for order in orders {
            let taken = after.take_in(order);
            refused.push(taken.is_err());
            let Ok(fact) = taken else { continue };
            if let Some(earlier) = new.iter().position(|earlier| earlier.order.id() == order.id()) {
                let earlier = new.remove(earlier);
                repeated.push((earlier.order.id().to_owned(), earlier.created));
            }
            new.push(fact);
        }
        let mut kept = std::mem::take(&mut self.facts);
        let before = kept.len();
        kept.retain(|fact| !new.iter().any(|newer| newer.order.id() == fact.order.id()));
        repeated.sort();
        let loaded = Loaded { orders: new.len(), repeated, superseded: before - kept.len() };
        after.facts = [kept, new].concat();
        *self = after;
        Became { refused, loaded }
    }

    /// Takes over fields that add to those that are there. Orders lack what is new.
    fn grow(&mut self, fields: Fields) {
        self.place.levels.clone_from(&fields.place);
        for (name, levels) in &fields.trees {
            self.trees.entry(name.clone()).or_default().levels.clone_from(levels);
        }
        for name in fields.categories.iter().chain(&fields.tags) {
            self.values.entry(name.clone()).or_default();
        }
        self.fields = fields;
    }

    /// How many nodes and values each field has.
    fn sizes(&self) -> BTreeMap<String, usize> {
        let trees = self.trees.iter().map(|(name, tree)| (name.clone(), tree.nodes.len()));
        let values = self.values.iter().map(|(name, values)| (name.clone(), values.len()));
        trees.chain(values).chain([("place".to_owned(), self.place.nodes.len())]).collect()
    }

    /// Leaves of each field the first so many nodes and values.
    fn cut(&mut self, sizes: &BTreeMap<String, usize>) {
        let size = |name: &str| sizes.get(name).copied().unwrap_or(0);
        self.place.cut(size("place"));
        self.trees.iter_mut().for_each(|(name, tree)| tree.cut(size(name)));
        self.values.iter_mut().for_each(|(name, values)| values.truncate(size(name)));
    }

    /// The order with this id.
    pub(crate) fn get(&self, id: &str) -> Option<&Order> {
        self.facts.iter().map(|fact| &fact.order).find(|order| order.id() == id)
    }

    /// A tree by its name; `place` is one.
    pub(crate) fn tree(&self, name: &str) -> Option<&Tree> {
        if name == "place" { Some(&self.place) } else { self.trees.get(name) }
    }

    /// The orders that a question is about.
    pub(crate) fn asked(&self, ask: &Ask) -> Vec<&Fact> {
        let bases: Vec<usize> =
            ask.within.iter().map(|base| self.place.find(base).expect("checked")).collect();
        let within = |fact: &Fact| {
            let at = fact.node("place");
            bases.is_empty() || at.is_some_and(|at| bases.iter().any(|base| self.place.is_under(at, *base)))
        };
        let during = |fact: &Fact| match fact.clock(&ask.clock) {
            Some(time) => ask.span.contains(time),
            None => ask.span == Span::ALL,
        };
        let asked = |fact: &&Fact| within(fact) && during(fact) && self.keeps(&ask.filter, fact);
        self.facts.iter().filter(asked).collect()
    }

    /// The orders behind a figure: newest first, or those with the largest measure first.
    pub(crate) fn orders(&self, ask: &Ask, largest: Option<&str>) -> Vec<Order> {
        let mut facts = self.asked(ask);
        facts.sort_by_key(|fact| {
            let value = largest.and_then(|measure| self.measure(fact, measure));
            // Those without the measure come last.
            let by_value = (value.is_none(), std::cmp::Reverse(value));
            (by_value, std::cmp::Reverse(fact.created), id_order(fact.order.id()))
        });
        facts.into_iter().map(|fact| fact.order.clone()).collect()
    }

    /// The bases of a question, without those under another, in tree order.
    fn bases(&self, within: &[NodeRef]) -> Vec<usize> {
        let bases: Vec<usize> = within.iter().map(|base| self.place.find(base).expect("checked")).collect();
        let covered =
            |node: usize| bases.iter().any(|base| *base != node && self.place.is_under(node, *base));
        self.place.preorder.iter().copied().filter(|node| bases.contains(node) && !covered(*node)).collect()
    }
}

/// What became of a load: which orders were refused, and what the commit did.
#[derive(Debug, Clone)]
pub(crate) struct Became {
    pub(crate) refused: Vec<bool>,
    pub(crate) loaded: Loaded,
}

/// Numbers before texts; numbers by value, texts by their bytes.
fn id_order(id: &str) -> (bool, u64, String) {
    match id.parse::<u64>() {
        Ok(number) if number.to_string() == id => (false, number, String::new()),
        _ => (true, 0, id.to_owned()),
    }
}
