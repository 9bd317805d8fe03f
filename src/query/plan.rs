//! A query that has met a snapshot: names have become numbers, and what makes no sense is refused.

use std::sync::OnceLock;

use crate::calendar::{Grain, Span};
use crate::error::{Error, Result};
use crate::filter::{Condition, Filter, Leaf, Test, resolve};
use crate::schema::{Clock, Field, Schema};
use crate::segment::{ColumnId, column_of};
use crate::store::Snapshot;
use crate::tree::{Node, Tree};

use super::facts::{BoundMetric, Needs};
use super::{Access, Query, Targets};

/// A query bound to a snapshot.
#[derive(Debug)]
pub(crate) struct Plan {
    snapshot: Snapshot,
    pub(crate) parts: Vec<Part>,
    pub(crate) clock: Clock,
    pub(crate) span: Span,
    pub(crate) grain: Option<Grain>,
    pub(crate) by: Vec<Dimension>,
    pub(crate) filter: Condition,
    /// The tree and the node under which the filter keeps all orders, where that is all it asks.
    pub(crate) under: Option<(usize, Node)>,
    pub(crate) needs: Needs,
    pub(crate) metrics: Vec<BoundMetric>,
    counters: OnceLock<Vec<Condition>>,
    pub(crate) access: Option<Access>,
    pub(crate) limit: u64,
}

/// A part of the asked set. Parts share no orders, and stand in the order of the place tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// None: everything, orders without place too.
    pub(crate) base: Option<Node>,
    /// The level of the targets; none where the base itself is the target.
    pub(crate) level: Option<usize>,
    /// The first level between base and targets.
    pub(crate) between: usize,
}

/// A dimension to group by.
#[derive(Debug)]
pub(crate) struct Dimension {
    pub(crate) name: String,
    pub(crate) field: Field,
    /// For every value of the field, its group: the ancestor at the asked level, or the value itself.
    pub(crate) groups: Vec<u32>,
    /// The asked level of a tree.
    pub(crate) level: Option<usize>,
}

impl Part {
    /// Whether a group of this part is a target, rather than the remainder of a unit above the targets.
    pub(crate) fn is_target(&self, place: &Tree, group: Option<Node>) -> bool {
        match (self.level, group) {
            (None, _) => true,
            (Some(level), Some(group)) => place.level_of(group) == level,
            (Some(_), None) => false,
        }
    }
}

impl Plan {
    pub(crate) fn new(query: &Query, snapshot: &Snapshot) -> Result<Self> {
        let (schema, forest) = (snapshot.schema(), snapshot.forest());
        let mut needs = Needs::default();
        let metrics = query.metrics.iter().map(|metric| needs.bind(metric, schema)).collect::<Result<_>>()?;
        let plan = Self {
            snapshot: snapshot.clone(),
            parts: parts(query, snapshot)?,
            clock: schema.clock(&query.clock)?,
            span: query.span,
            grain: query.grain.clone(),
            by: query.by.iter().map(|by| dimension(by, snapshot)).collect::<Result<_>>()?,
            filter: Condition::bind(&query.filter, schema, forest)?,
            under: under(&query.filter, snapshot)?,
            counters: OnceLock::new(),
            needs,
            metrics,
            access: query.access,
            limit: query.limit,
        };
        if let Some(twice) =
            plan.by.iter().enumerate().find(|(at, by)| plan.by[..*at].iter().any(|b| b.name == by.name))
        {
            return Err(Error::invalid("query", format!("{:?} is grouped by twice", twice.1.name)));
        }
        Ok(plan)
    }

    pub(crate) fn schema(&self) -> &Schema {
        self.snapshot.schema()
    }

    /// Whether every order has one value in each dimension.
    pub(crate) fn is_single(&self) -> bool {
        !self.by.iter().any(|by| matches!(by.field, Field::Tags(_)))
    }

    /// The schema's counters that are needed, bound when they are: segments have them as a rule.
    pub(crate) fn counters(&self) -> Result<&[Condition]> {
        if let Some(counters) = self.counters.get() {
            return Ok(counters);
        }
        let (schema, forest) = (self.schema(), self.snapshot.forest());
        let bind = |number: &usize| Condition::bind_counter(&schema.counters[*number].filter, schema, forest);
        let bound = self.needs.counters.iter().map(bind).collect::<Result<_>>()?;
        Ok(self.counters.get_or_init(|| bound))
    }

    /// The span as a condition, for a segment whose orders it does not hold all.
    pub(crate) fn span_condition(&self) -> Condition {
        let span = Test::Between(self.span.start(), self.span.end().saturating_sub(1));
        Condition::Leaf(Leaf::Column(self.clock.into(), span))
    }
}

/// The only node of a tree other than place that a filter asks for.
fn under(filter: &Filter, snapshot: &Snapshot) -> Result<Option<(usize, Node)>> {
    let Filter::Under { tree, nodes } = filter else { return Ok(None) };
    match (snapshot.schema().require(tree)?, &nodes[..]) {
        (Field::Tree(number), [node]) => Ok(Some((number, resolve(&snapshot.forest().trees[number], node)?))),
        _ => Ok(None),
    }
}

fn parts(query: &Query, snapshot: &Snapshot) -> Result<Vec<Part>> {
    let place = snapshot.place();
    let mut bases = query.within.iter().map(|base| resolve(place, base)).collect::<Result<Vec<_>>>()?;
    // In tree order, a base that lies under another one follows it before anything that does not.
    bases.sort_by_key(|base| place.label(*base));
    bases.dedup_by(|base, before| place.is_under(*base, *before));
    match &query.targets {
        Targets::Bases if bases.is_empty() => Ok(vec![Part { base: None, level: None, between: 0 }]),
        Targets::Bases => {
            Ok(bases.into_iter().map(|base| Part { base: Some(base), level: None, between: 0 }).collect())
        }
        Targets::Level(name) => {
            let level = place.level(name)?;
            if bases.is_empty() {
                return Ok(vec![Part { base: None, level: Some(level), between: 0 }]);
            }
            let part = |base: Node| {
                let own = place.level_of(base);
                if own > level {
                    let possible = place.levels()[own..].join(", ");
                    let reason =
                        format!("{name} lies above {:?}; ask for {possible}", place.path(base).join("/"));
                    return Err(Error::invalid("query", reason));
                }
                Ok(Part { base: Some(base), level: Some(level), between: own + 1 })
            };
            bases.into_iter().map(part).collect()
        }
        Targets::Depth(depth) => {
            // Before there is a unit, counting starts at the top level: orders without place are still asked for.
            let part = |base: Option<Node>, from: Option<Node>| {
                let own = from.map_or(0, |from| place.level_of(from));
                let level = own + usize::from(*depth);
                if level >= place.levels().len() {
                    let most = place.levels().len() - 1 - own;
                    let path = from.map_or(Vec::new(), |from| place.path(from)).join("/");
                    let reason =
                        format!("there are {most} levels below {path:?}, not {depth}; ask for fewer");
                    return Err(Error::invalid("query", reason));
                }
                Ok(Part { base, level: Some(level), between: own + 1 })
            };
            if !bases.is_empty() {
                return bases.into_iter().map(|base| part(Some(base), Some(base))).collect();
            }
            let tops: Vec<Node> = place.children(None).collect();
            match tops[..] {
                [] => Ok(vec![part(None, None)?]),
                [top] => Ok(vec![part(None, Some(top))?]),
                _ => Err(Error::Ambiguous {
                    kind: "unit".to_owned(),
                    name: String::new(),
                    candidates: tops.iter().map(|top| place.name_of(*top).to_owned()).collect(),
                }),
            }
        }
    }
}

pub(super) fn dimension(by: &super::By, snapshot: &Snapshot) -> Result<Dimension> {
    let (schema, forest) = (snapshot.schema(), snapshot.forest());
    let field = schema.require(&by.field)?;
    let level = match (field, &by.level) {
        (Field::Tree(number), level) => {
            let tree = &forest.trees[number];
            Some(level.as_ref().map_or(Ok(0), |level| tree.level(level))?)
        }
        (Field::Category(_) | Field::Tags(_) | Field::Outcome(_), None) => None,
        (Field::Category(_) | Field::Tags(_) | Field::Outcome(_), Some(level)) => {
            let reason = format!("{:?} has no levels, so not {level:?} either", by.field);
            return Err(Error::invalid("query", reason));
        }
        _ => {
            let reason =
                format!("{:?} cannot be grouped by; trees, categories, tags and outcomes can", by.field);
            return Err(Error::invalid("query", reason));
        }
    };
    let groups = match (level, forest.of(field)) {
        (Some(level), Some(tree)) => {
            let mut groups: Vec<u32> = Vec::with_capacity(tree.len());
            for node in (0..).map_while(|value| tree.get(value)) {
                // A node has come after its parent, whose ancestor is its own.
                let above = tree.parent(node).filter(|_| tree.level_of(node) > level);
                let ancestor = above.and_then(|parent| groups.get(parent.index() as usize)).copied();
                groups.push(ancestor.unwrap_or(node.index()));
            }
            groups
        }
        (None, Some(tree)) => (0..).map_while(|value| tree.get(value)).map(Node::index).collect(),
        (_, None) => (0..=15).collect(),
    };
    Ok(Dimension { name: by.field.clone(), field, groups, level })
}

impl Dimension {
    /// The column that holds the field's value; none for tags.
    pub(crate) fn column(&self) -> Option<ColumnId> {
        column_of(self.field)
    }
}
