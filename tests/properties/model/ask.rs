//! A question in plain parts.

use zonal::{Filter, Grain, Metric, NodeRef, Query, Span};

use super::schema::Kind;
use super::{Fault, Model};

/// A question; [`Ask::query`] makes the store's own form of it.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) within: Vec<NodeRef>,
    pub(crate) targets: Targets,
    pub(crate) between: bool,
    pub(crate) clock: String,
    pub(crate) span: Span,
    pub(crate) grain: Option<Grain>,
    pub(crate) by: Vec<(String, Option<String>)>,
    pub(crate) filter: Filter,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) top: Option<usize>,
    pub(crate) all_units: bool,
    pub(crate) limit: u64,
}

#[derive(Debug, Clone)]
pub(crate) enum Targets {
    Bases,
    Level(String),
    Depth(u8),
}

impl Ask {
    /// Everything as one group.
    pub(crate) fn zoom() -> Self {
        Self {
            within: Vec::new(),
            targets: Targets::Bases,
            between: false,
            clock: "created".to_owned(),
            span: Span::ALL,
            grain: None,
            by: Vec::new(),
            filter: Filter::All,
            metrics: Vec::new(),
            top: None,
            all_units: false,
            limit: 5_000,
        }
    }

    pub(crate) fn query(&self) -> Query {
        let mut query =
            Query::zoom().during_on(&self.clock, self.span).filter(self.filter.clone()).limit(self.limit);
        for base in &self.within {
            query = query.within(base.clone());
        }
        query = match &self.targets {
            Targets::Bases => query,
            Targets::Level(level) => query.level(level),
            Targets::Depth(depth) => query.depth(*depth),
        };
        if self.between {
            query = query.between();
        }
        if let Some(grain) = &self.grain {
            query = query.grain(grain.clone());
        }
        for (field, level) in &self.by {
            query = match level {
                Some(level) => query.by_level(field, level),
                None => query.by(field),
            };
        }
        for metric in &self.metrics {
            query = query.metric(metric);
        }
        if let Some(top) = self.top {
            query = query.top(top);
        }
        if self.all_units { query.all_units() } else { query }
    }
}

impl Model {
    /// Everything that is wrong with a question.
    pub(crate) fn faults(&self, ask: &Ask) -> Vec<Fault> {
        let mut faults: Vec<Fault> =
            ask.within.iter().filter_map(|base| self.place.find(base).err()).collect();
        // Which bases there are is only known when all of them are.
        if faults.is_empty() {
            faults.extend(self.target_fault(ask));
        }
        faults.extend(self.filter_faults(&ask.filter));
        faults.extend(self.known_as(Kind::Clock, &ask.clock).err());
        faults.extend(ask.metrics.iter().flat_map(|metric| self.metric_faults(metric)));
        for (number, (field, level)) in ask.by.iter().enumerate() {
            faults.extend(self.by_fault(field, level.as_deref()));
            if ask.by[..number].iter().any(|(earlier, _)| earlier == field) {
                faults.push(Fault::Invalid);
            }
        }
        faults
    }

    fn by_fault(&self, field: &str, level: Option<&str>) -> Option<Fault> {
        match (self.fields.kind(field), level) {
            (None, _) => Some(Fault::Unknown),
            (Some(Kind::Tree), Some(level)) if field != "place" => {
                let known =
                    self.tree(field).is_some_and(|tree| tree.levels.iter().any(|known| known == level));
                (!known).then_some(Fault::Unknown)
            }
            (Some(Kind::Tree), None) if field != "place" => None,
            (Some(Kind::Category | Kind::Tags | Kind::Outcome), None) => None,
            _ => Some(Fault::Invalid),
        }
    }

    fn target_fault(&self, ask: &Ask) -> Option<Fault> {
        let bases = self.bases(&ask.within);
        match &ask.targets {
            Targets::Bases => None,
            Targets::Level(name) => {
                let Some(level) = self.place.levels.iter().position(|known| known == name) else {
                    return Some(Fault::Unknown);
                };
                bases.iter().any(|base| self.place.depth(*base) > level).then_some(Fault::Invalid)
            }
            Targets::Depth(depth) => {
                let tops = self.place.children(None);
                let from = if ask.within.is_empty() { &tops } else { &bases };
                if ask.within.is_empty() && tops.len() > 1 {
                    return Some(Fault::Ambiguous);
                }
                let last = self.place.levels.len() - 1;
                let deepest = from.iter().map(|base| self.place.depth(*base)).max().unwrap_or(0);
                let too_deep = deepest + usize::from(*depth) > last;
                too_deep.then_some(Fault::Invalid)
            }
        }
    }
}
