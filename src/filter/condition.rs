//! A filter that has met a store: names have become numbers.

use super::{Filter, NodeRef, check_labels};
use crate::error::{Error, Result};
use crate::schema::{Clock, Field, LOCATION, MeasureSource, Schema, Unit};
use crate::segment::{ColumnId, column_of};
use crate::tree::{Forest, Node, Tree};

/// A condition on an order, bound to the numbers of a store.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Leaf(Leaf),
}

/// What is looked at, and what is asked of it.
#[derive(Debug, Clone)]
pub(crate) enum Leaf {
    /// One column.
    Column(ColumnId, Test),
    /// Whole units of time from one clock to another.
    Elapsed { from: Clock, to: Clock, unit: Unit, test: Test },
    /// At least one of these tags.
    AnyTag(usize, Vec<u32>),
    /// All of these tags.
    AllTags(usize, Vec<u32>),
    /// No tag at all.
    NoTag(usize),
    /// No text.
    NoText(usize),
}

/// What is asked of a number.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// It is missing.
    Missing,
    /// It is one of these, ascending.
    OneOf(Vec<u32>),
    /// It is there and lies between these, both included.
    Between(i64, i64),
}

impl Condition {
    /// Every order.
    pub(crate) fn always() -> Self {
        Self::And(Vec::new())
    }

    /// Whether every order fulfils this, on the face of it.
    pub(crate) fn is_always(&self) -> bool {
        matches!(self, Self::And(all) if all.iter().all(Self::is_always))
    }

    /// Binds a filter whose every name has to be known.
    pub(crate) fn bind(filter: &Filter, schema: &Schema, forest: &Forest) -> Result<Self> {
        Binder { schema, forest, unseen: Unseen::Refuse }.bind(filter)
    }

    /// Binds a counter's filter: a value that no order has had yet equals nothing.
    pub(crate) fn bind_counter(filter: &Filter, schema: &Schema, forest: &Forest) -> Result<Self> {
        Binder { schema, forest, unseen: Unseen::Ignore }.bind(filter)
    }

    /// Binds all counters of a schema.
    pub(crate) fn bind_counters(schema: &Schema, forest: &Forest) -> Result<Vec<Self>> {
        schema.counters.iter().map(|counter| Self::bind_counter(&counter.filter, schema, forest)).collect()
    }

    /// Evaluates a condition that looks at columns only, as counters do.
    pub(crate) fn holds(&self, value: &impl Fn(ColumnId) -> i64) -> bool {
        match self {
            Self::And(all) => all.iter().all(|condition| condition.holds(value)),
            Self::Or(any) => any.iter().any(|condition| condition.holds(value)),
            Self::Not(condition) => !condition.holds(value),
            Self::Leaf(Leaf::Column(column, test)) => test.accepts(value(*column)),
            Self::Leaf(_) => false,
        }
    }
}

impl Test {
    pub(crate) fn accepts(&self, value: i64) -> bool {
        use crate::segment::MISSING;
        match self {
            Self::Missing => value == MISSING,
            Self::OneOf(values) => {
                u32::try_from(value).is_ok_and(|value| values.binary_search(&value).is_ok())
            }
            Self::Between(least, most) => value != MISSING && (*least..=*most).contains(&value),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Unseen {
    Refuse,
    Ignore,
}

struct Binder<'a> {
    schema: &'a Schema,
    forest: &'a Forest,
    unseen: Unseen,
}

impl Binder<'_> {
    fn bind(&self, filter: &Filter) -> Result<Condition> {
        let each =
            |filters: &[Filter]| filters.iter().map(|filter| self.bind(filter)).collect::<Result<Vec<_>>>();
        Ok(match filter {
            Filter::All => Condition::always(),
            Filter::And(filters) => Condition::And(each(filters)?),
            Filter::Or(filters) => Condition::Or(each(filters)?),
            Filter::Not(filter) => Condition::Not(Box::new(self.bind(filter)?)),
            Filter::Is { field, values } => self.is(field, values)?,
            Filter::HasAll { field, values } => {
                let Field::Tags(tags) = self.schema.require(field)? else {
                    return Err(wrong_kind(field, "tags"));
                };
                Condition::Leaf(Leaf::AllTags(tags, self.values(Field::Tags(tags), field, values)?))
            }
            Filter::Under { tree, nodes } => self.under(tree, nodes)?,
            Filter::Missing { field } => self.missing(field)?,
            Filter::Between { measure, least, most } => {
                self.measure(measure, Test::Between(*least, *most))?
            }
            Filter::During { clock, span } => {
                let column = self.schema.clock(clock)?.into();
                Condition::Leaf(Leaf::Column(
                    column,
                    Test::Between(span.start(), span.end().saturating_sub(1)),
                ))
            }
            Filter::Within { west, south, east, north } => {
                if !self.schema.location {
                    return Err(Error::unknown("field", LOCATION, self.schema.field_names()));
                }
                let edge = |column, least: i32, most: i32| {
                    Condition::Leaf(Leaf::Column(column, Test::Between(least.into(), most.into())))
                };
                Condition::And(vec![
                    edge(ColumnId::Longitude, *west, *east),
                    edge(ColumnId::Latitude, *south, *north),
                ])
            }
        })
    }

    fn is(&self, name: &str, values: &[String]) -> Result<Condition> {
        let field = self.schema.require(name)?;
        Ok(Condition::Leaf(match field {
            Field::Category(number) => {
                Leaf::Column(ColumnId::Category(number), Test::OneOf(self.values(field, name, values)?))
            }
            Field::Outcome(number) => {
                check_labels(self.schema, number, values)?;
                let labels = self.schema.outcomes.get(number).map_or(&[][..], |outcome| &outcome.labels);
                let position = |value: &String| labels.iter().position(|label| label == value);
                let numbers =
                    values.iter().filter_map(position).filter_map(|label| u32::try_from(label).ok());
                Leaf::Column(ColumnId::Outcome(number), Test::OneOf(ascending(numbers.collect())))
            }
            Field::Tags(number) => Leaf::AnyTag(number, self.values(field, name, values)?),
            _ => return Err(wrong_kind(name, "a category, an outcome or tags")),
        }))
    }

    fn values(&self, field: Field, name: &str, values: &[String]) -> Result<Vec<u32>> {
        let mut numbers = Vec::with_capacity(values.len());
        for value in values {
            match self.forest.value(field, value) {
                Some(node) => numbers.push(node.index()),
                None if self.unseen == Unseen::Ignore => {}
                None => return Err(self.forest.unknown_value(field, name, value)),
            }
        }
        Ok(ascending(numbers))
    }

    fn under(&self, name: &str, nodes: &[NodeRef]) -> Result<Condition> {
        let field = self.schema.require(name)?;
        let (Some(tree), Some(column), true) =
            (self.forest.of(field), column_of(field), matches!(field, Field::Place | Field::Tree(_)))
        else {
            return Err(wrong_kind(name, "a tree"));
        };
        let mut members = Vec::new();
        for reference in nodes {
            let base = resolve(tree, reference)?;
            members.extend(tree.preorder(Some(base)).map(Node::index));
        }
        Ok(Condition::Leaf(Leaf::Column(column, Test::OneOf(ascending(members)))))
    }

    fn missing(&self, name: &str) -> Result<Condition> {
        let field = self.schema.require(name)?;
        Ok(match field {
            Field::Tags(number) => Condition::Leaf(Leaf::NoTag(number)),
            Field::Text(number) => Condition::Leaf(Leaf::NoText(number)),
            Field::Measure(_) => self.measure(name, Test::Missing)?,
            _ => match column_of(field) {
                Some(column) => Condition::Leaf(Leaf::Column(column, Test::Missing)),
                None => return Err(wrong_kind(name, "a field that can be missing")),
            },
        })
    }

    fn measure(&self, name: &str, test: Test) -> Result<Condition> {
        let number = self.schema.measure(name)?;
        Ok(Condition::Leaf(match self.schema.measures.get(number).map(|measure| &measure.source) {
            Some(&MeasureSource::Between { from, to, unit }) => Leaf::Elapsed { from, to, unit, test },
            _ => Leaf::Column(ColumnId::Measure(number), test),
        }))
    }
}

/// The node that a reference names.
pub(crate) fn resolve(tree: &Tree, reference: &NodeRef) -> Result<Node> {
    match reference {
        NodeRef::Path(path) => tree.find(path),
        NodeRef::Code(code) => tree.find_code(code),
        NodeRef::Node(node) => tree
            .seen(node.index())
            .ok_or_else(|| Error::unknown(format!("node of {}", tree.name()), node.index().to_string(), [])),
    }
}

fn ascending(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn wrong_kind(field: &str, wanted: &str) -> Error {
    Error::invalid("filter", format!("{field:?} is not {wanted}"))
}
