//! Filters, evaluated order by order.

use zonal::Filter;

use super::order::Fact;
use super::schema::Kind;
use super::{Fault, Model};

impl Model {
    /// Whether a filter keeps an order.
    pub(crate) fn keeps(&self, filter: &Filter, fact: &Fact) -> bool {
        match filter {
            Filter::All => true,
            Filter::And(all) => all.iter().all(|filter| self.keeps(filter, fact)),
            Filter::Or(any) => any.iter().any(|filter| self.keeps(filter, fact)),
            Filter::Not(filter) => !self.keeps(filter, fact),
            Filter::Is { field, values } => match self.fields.kind(field) {
                Some(Kind::Tags) => values.iter().any(|value| fact.tags(field).contains(value)),
                _ => fact.label(field).is_some_and(|label| values.iter().any(|value| value == label)),
            },
            Filter::HasAll { field, values } => values.iter().all(|value| fact.tags(field).contains(value)),
            Filter::Under { tree, nodes } => fact.node(tree).is_some_and(|node| {
                let tree = self.tree(tree).expect("checked");
                nodes.iter().any(|base| tree.is_under(node, tree.find(base).expect("checked")))
            }),
            Filter::Missing { field } => self.is_missing(field, fact),
            Filter::Between { measure, least, most } => {
                self.measure(fact, measure).is_some_and(|value| *least <= value && value <= *most)
            }
            Filter::During { clock, span } => fact.clock(clock).is_some_and(|time| span.contains(time)),
            Filter::Within { west, south, east, north } => {
                fact.order.point().is_some_and(|(longitude, latitude)| {
                    *west <= longitude && longitude <= *east && *south <= latitude && latitude <= *north
                })
            }
            other => panic!("a new condition, {other:?}: teach the model"),
        }
    }

    fn is_missing(&self, field: &str, fact: &Fact) -> bool {
        match self.fields.kind(field).expect("checked") {
            Kind::Location => fact.order.point().is_none(),
            Kind::Measure => self.measure(fact, field).is_none(),
            Kind::Clock => fact.clock(field).is_none(),
            Kind::Tree => fact.node(field).is_none(),
            Kind::Category | Kind::Tags | Kind::Outcome | Kind::Key | Kind::Text => {
                fact.order.value(field).is_none()
            }
        }
    }

    /// What is wrong with a filter.
    pub(super) fn filter_faults(&self, filter: &Filter) -> Vec<Fault> {
        let kind = |field: &str| self.fields.kind(field).ok_or(Fault::Unknown);
        let all = |filters: &[Filter]| filters.iter().flat_map(|filter| self.filter_faults(filter)).collect();
        let checked = match filter {
            Filter::All => Ok(()),
            Filter::And(filters) | Filter::Or(filters) => return all(filters),
            Filter::Not(filter) => return self.filter_faults(filter),
            Filter::Is { field, values } => kind(field).and_then(|kind| match kind {
                Kind::Category | Kind::Tags | Kind::Outcome => {
                    values.iter().try_for_each(|value| self.known(field, value))
                }
                _ => Err(Fault::Invalid),
            }),
            Filter::HasAll { field, values } => kind(field).and_then(|kind| match kind {
                Kind::Tags => values.iter().try_for_each(|value| self.known(field, value)),
                _ => Err(Fault::Invalid),
            }),
            Filter::Under { tree, nodes } => kind(tree).and_then(|_| {
                let tree = self.tree(tree).ok_or(Fault::Invalid)?;
                nodes.iter().try_for_each(|node| tree.find(node).map(drop))
            }),
            Filter::Missing { field } => kind(field).map(drop),
            Filter::Between { measure, .. } => self.known_as(Kind::Measure, measure),
            Filter::During { clock, .. } => self.known_as(Kind::Clock, clock),
            Filter::Within { .. } => self.known_as(Kind::Location, "location"),
            other => panic!("a new condition, {other:?}: teach the model"),
        };
        checked.err().into_iter().collect()
    }

    /// Whether a category, tags field or outcome knows a value.
    fn known(&self, field: &str, value: &str) -> Result<(), Fault> {
        let known = self.fields.labels(field).unwrap_or_else(|| &self.values[field]);
        if known.iter().any(|known| known == value) { Ok(()) } else { Err(Fault::Unknown) }
    }

    /// Whether there is a field of this kind and name.
    pub(super) fn known_as(&self, kind: Kind, name: &str) -> Result<(), Fault> {
        if self.fields.kind(name) == Some(kind) { Ok(()) } else { Err(Fault::Unknown) }
    }
}
