//! Answers: the asked set, put into groups, in order.

use std::collections::{BTreeMap, BTreeSet};

use zonal::{Figure, Metric, RowKind, Span};

use super::ask::{Ask, Targets};
use super::figure::compare;
use super::order::Fact;
use super::schema::Kind;
use super::{Fault, Model};

/// One row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) path: Vec<String>,
    pub(crate) kind: RowKind,
    pub(crate) time: Option<i64>,
    pub(crate) groups: Vec<Group>,
    pub(crate) count: u64,
    pub(crate) figures: Vec<Figure>,
}

/// A row's value of a dimension: a node's path, or the one value; empty for missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) names: Vec<String>,
    pub(crate) remainder: bool,
}

/// A part of the asked set: a base, none for everything, and the level of its targets, none for the base itself.
struct Part {
    base: Option<usize>,
    level: Option<usize>,
    /// The first level between base and targets.
    between: usize,
}

/// What a group stands for. Groups are sorted in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// The unit's place in tree order, none for the path [].
    place: Option<usize>,
    kind: Rank,
    by: Vec<By>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Subtotal,
    Remainder,
    Target,
}

/// A value of a dimension, by its place among the values: for trees none comes first, for others last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Node { at: Option<usize>, remainder: bool },
    Value(usize),
    Missing,
}

type Groups<'a> = BTreeMap<Key, Vec<&'a Fact>>;

impl Model {
    /// The rows that answer a question, or everything that is wrong with it.
    pub(crate) fn answer(&self, ask: &Ask) -> Result<Vec<Row>, Vec<Fault>> {
        let faults = self.faults(ask);
        if !faults.is_empty() {
            return Err(faults);
        }
        let asked = self.asked(ask);
        let mut groups = self.groups(ask, &asked);
        if ask.all_units {
            self.add_empty_units(ask, &mut groups);
        }
        let steps = ask.grain.as_ref().map(|_| self.steps(ask, &asked));
        let shown = ask.top.map_or(groups.len(), |most| groups.len().min(most)) as u64;
        if shown * steps.as_ref().map_or(1, Vec::len) as u64 > ask.limit {
            return Err(vec![Fault::TooManyGroups]);
        }
        let mut rows = Vec::new();
        let mut others = Vec::new();
        for (number, (key, facts)) in self.ranked(ask, groups).into_iter().enumerate() {
            if ask.top.is_some_and(|most| number >= most) {
                others.push(facts);
                continue;
            }
            let path = key.place.map_or(Vec::new(), |at| self.place.path(self.place.preorder[at]));
            let kind = match key.kind {
                Rank::Subtotal => RowKind::Subtotal,
                Rank::Remainder => RowKind::Remainder,
                Rank::Target => RowKind::Target,
            };
            let named = key.by.iter().zip(&ask.by).map(|(by, (field, _))| self.group(field, by)).collect();
            self.rows(ask, steps.as_deref(), (path, kind, named), &facts, &mut rows);
        }
        if !others.is_empty() {
            let none = ask.by.iter().map(|_| Group { names: Vec::new(), remainder: false }).collect();
            let ids: BTreeSet<&str> = others.iter().flatten().map(|fact| fact.order.id()).collect();
            let facts: Vec<&Fact> = asked.into_iter().filter(|fact| ids.contains(fact.order.id())).collect();
            self.rows(ask, steps.as_deref(), (Vec::new(), RowKind::Others, none), &facts, &mut rows);
        }
        if rows.len() as u64 > ask.limit { Err(vec![Fault::TooManyGroups]) } else { Ok(rows) }
    }

    /// Whether the groups are too many already before *others* hides some, or before there are steps of time: then
    /// the store may refuse, and need not.
    pub(crate) fn may_refuse(&self, ask: &Ask) -> bool {
        let all = Ask { top: None, between: ask.between && ask.top.is_none(), ..ask.clone() };
        let timeless = Ask { grain: None, ..all.clone() };
        [all, timeless].iter().any(|ask| self.answer(ask) == Err(vec![Fault::TooManyGroups]))
    }

    fn parts(&self, ask: &Ask) -> Vec<Part> {
        let depth = |node: &usize| self.place.depth(*node);
        let bases = self.bases(&ask.within);
        let whole = |level, between| vec![Part { base: None, level, between }];
        let each = |level: &dyn Fn(usize) -> Option<usize>| {
            let part = |base: &usize| Part {
                base: Some(*base),
                level: level(depth(base)),
                between: depth(base) + 1,
            };
            bases.iter().map(part).collect()
        };
        match &ask.targets {
            Targets::Bases if ask.within.is_empty() => whole(None, 0),
            Targets::Bases => each(&|_| None),
            Targets::Level(name) => {
                let level = self.place.levels.iter().position(|level| level == name);
                if ask.within.is_empty() { whole(level, 0) } else { each(&|_| level) }
            }
            Targets::Depth(edges) if ask.within.is_empty() => whole(Some(usize::from(*edges)), 1),
            Targets::Depth(edges) => each(&|depth| Some(depth + usize::from(*edges))),
        }
    }

    /// The asked set in groups: every order in its target or remainder, and in the subtotals above.
    fn groups<'a>(&self, ask: &Ask, asked: &[&'a Fact]) -> Groups<'a> {
        let mut groups = Groups::new();
        for part in self.parts(ask) {
            for fact in asked {
                let at = fact.node("place");
                let inside = |base| at.is_some_and(|at| self.place.is_under(at, base));
                if !part.base.is_none_or(inside) {
                    continue;
                }
                let mut places = vec![match part.level {
                    None => (Rank::Target, part.base),
                    Some(level) => match at.and_then(|at| self.place.at_level(at, level)) {
                        Some(target) => (Rank::Target, Some(target)),
                        None => (Rank::Remainder, at),
                    },
                }];
                if let (Some(level), Some(at), true, None) = (part.level, at, ask.between, ask.top) {
                    let between = |node: &usize| (part.between..level).contains(&self.place.depth(*node));
                    let above = self.place.upwards(at).into_iter().filter(between);
                    places.extend(above.map(|node| (Rank::Subtotal, Some(node))));
                }
                for (kind, place) in places {
                    for by in self.combinations(ask, fact) {
                        let key = Key { place: place.map(|node| self.place.place_of(node)), kind, by };
                        groups.entry(key).or_default().push(*fact);
                    }
                }
            }
        }
        groups
    }

    /// The targets without any order, for every combination of values that there is.
    fn add_empty_units(&self, ask: &Ask, groups: &mut Groups<'_>) {
        let found: BTreeSet<Vec<By>> = groups.keys().map(|key| key.by.clone()).collect();
        let combinations = if ask.by.is_empty() { BTreeSet::from([Vec::new()]) } else { found };
        let mut targets = Vec::new();
        for part in self.parts(ask) {
            let under = |node: usize| part.base.is_none_or(|base| self.place.is_under(node, base));
            match part.level {
                None => targets.push(part.base),
                Some(level) => {
                    let nodes = 0..self.place.nodes.len();
                    let nodes = nodes.filter(|node| under(*node) && self.place.depth(*node) == level);
                    targets.extend(nodes.map(Some));
                }
            }
        }
        for target in targets {
            let place = target.map(|node| self.place.place_of(node));
            for by in &combinations {
                groups.entry(Key { place, kind: Rank::Target, by: by.clone() }).or_default();
            }
        }
    }

    /// The combinations of values that an order counts for.
    fn combinations(&self, ask: &Ask, fact: &Fact) -> Vec<Vec<By>> {
        let mut combinations = vec![Vec::new()];
        for (field, level) in &ask.by {
            let values = self.values_of(field, level.as_deref(), fact);
            let with = |value: &By| {
                combinations.iter().map(|start| [&start[..], std::slice::from_ref(value)].concat()).collect()
            };
            combinations = values.iter().flat_map(|value| -> Vec<Vec<By>> { with(value) }).collect();
        }
        combinations
    }

    fn values_of(&self, field: &str, level: Option<&str>, fact: &Fact) -> Vec<By> {
        match self.fields.kind(field).expect("checked") {
            Kind::Tree => {
                let tree = &self.trees[field];
                let level = level.map_or(0, |level| position(&tree.levels, &level.to_owned()));
                let own = fact.node(field);
                let target = own.and_then(|node| tree.at_level(node, level));
                let at = target.or(own).map(|node| tree.place_of(node));
                vec![By::Node { at, remainder: target.is_none() }]
            }
            Kind::Tags if fact.tags(field).is_empty() => vec![By::Missing],
            Kind::Tags => {
                fact.tags(field).iter().map(|tag| By::Value(position(&self.values[field], tag))).collect()
            }
            _ => vec![match fact.label(field) {
                Some(label) => By::Value(position(self.labels(field), &label.to_owned())),
                None => By::Missing,
            }],
        }
    }

    /// The values of a category or tags field, or the labels of an outcome, in their order.
    fn labels(&self, field: &str) -> &[String] {
        self.fields.labels(field).unwrap_or_else(|| &self.values[field])
    }

    fn group(&self, field: &str, by: &By) -> Group {
        let (names, remainder) = match by {
            By::Node { at: None, remainder } => (Vec::new(), *remainder),
            By::Node { at: Some(at), remainder } => {
                let tree = &self.trees[field];
                (tree.path(tree.preorder[*at]), *remainder)
            }
            By::Value(at) => (vec![self.labels(field)[*at].clone()], false),
            By::Missing => (Vec::new(), false),
        };
        Group { names, remainder }
    }

    /// The steps of time; an open side ends with the asked set. More than the limit are not needed.
    fn steps(&self, ask: &Ask, asked: &[&Fact]) -> Vec<i64> {
        let times = || asked.iter().filter_map(|fact| fact.clock(&ask.clock));
        let first =
            if ask.span.start() == Span::ALL.start() { times().min() } else { Some(ask.span.start()) };
        let last = if ask.span.end() == Span::ALL.end() { times().max() } else { Some(ask.span.end() - 1) };
        match (first, last, &ask.grain) {
            (Some(first), Some(last), Some(grain)) if !ask.span.is_empty() => {
                self.wall.steps(grain, first, last, usize::try_from(ask.limit).expect("small") + 1)
            }
            _ => Vec::new(),
        }
    }

    /// The groups in the order of the answer.
    fn ranked<'a>(&self, ask: &Ask, groups: Groups<'a>) -> Vec<(Key, Vec<&'a Fact>)> {
        let mut ranked: Vec<(Key, Vec<&Fact>)> = groups.into_iter().collect();
        if ask.top.is_some() {
            let first = ask.metrics.first().unwrap_or(&Metric::Count);
            ranked.sort_by(|(_, a), (_, b)| compare(self.figure(first, b), self.figure(first, a)));
        }
        ranked
    }

    /// The rows of one group: one, or one for each step of time.
    fn rows(
        &self,
        ask: &Ask,
        steps: Option<&[i64]>,
        (path, kind, groups): (Vec<String>, RowKind, Vec<Group>),
        facts: &[&Fact],
        rows: &mut Vec<Row>,
    ) {
        let mut row = |time: Option<i64>, facts: &[&Fact]| {
            rows.push(Row {
                path: path.clone(),
                kind,
                time,
                groups: groups.clone(),
                count: facts.len() as u64,
                figures: ask.metrics.iter().map(|metric| self.figure(metric, facts)).collect(),
            });
        };
        let (Some(steps), Some(grain)) = (steps, &ask.grain) else {
            return row(None, facts);
        };
        let step = |fact: &Fact| fact.clock(&ask.clock).map(|time| self.wall.start(grain, time));
        for start in steps {
            let of_step: Vec<&Fact> =
                facts.iter().copied().filter(|fact| step(fact) == Some(*start)).collect();
            row(Some(*start), &of_step);
        }
        let undated: Vec<&Fact> = facts.iter().copied().filter(|fact| step(fact).is_none()).collect();
        if !undated.is_empty() {
            row(None, &undated);
        }
    }
}

fn position<T: PartialEq>(list: &[T], item: &T) -> usize {
    list.iter().position(|known| known == item).expect("one of the list")
}
