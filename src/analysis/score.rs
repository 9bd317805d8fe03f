//! A policy meets a snapshot: counts become rates, scores and ranks.

use std::sync::Arc;

use hashbrown::HashMap;

use super::areas::under_any;
use super::policy::Policy;
use super::ranking::{Ranking, Rates, Unit};
use super::terms::Terms;
use super::{Area, Fraction};
use crate::error::{Error, Result};
use crate::filter::{Filter, NodeRef, resolve};
use crate::query::{Answer, Figure, Metric, Query, Row, RowKind};
use crate::schema::{COUNT, Schema};
use crate::store::Snapshot;
use crate::tree::Node;

impl Policy {
    /// Judges and ranks the units that a query asks for: its units, span and filter count, its metrics do not.
    ///
    /// # Errors
    /// As for [`Snapshot::run`](crate::Snapshot::run), and where the policy names what the store does not know, or a weight or
    /// credit that is no number. [`Error::Invalid`] for a query with a grain, dimensions or a top k: for a grain there is
    /// [`rank_each`](Self::rank_each).
    pub fn rank(&self, snapshot: &Snapshot, query: &Query) -> Result<Ranking> {
        if query.grain.is_some() {
            return Err(Error::invalid("query", "one ranking has no grain; rank each step by itself"));
        }
        let mut rankings = self.rank_each(snapshot, query)?;
        rankings.pop().ok_or_else(|| Error::invalid("query", "it has no span to rank in"))
    }

    /// One ranking for every step of the query's grain, in time.
    ///
    /// # Errors
    /// As for [`rank`](Self::rank).
    pub fn rank_each(&self, snapshot: &Snapshot, query: &Query) -> Result<Vec<Ranking>> {
        if !query.by.is_empty() || query.top.is_some() || query.between {
            return Err(Error::invalid(
                "query",
                "a ranking takes units alone: no dimensions, top k or subtotals",
            ));
        }
        let scheme = Scheme::new(self, snapshot)?;
        // In time.
        let mut steps: Vec<(Option<i64>, Tally)> = Vec::new();
        for part in scheme.parts(query) {
            let mut take = |answer: &Answer, of: Of| {
                let first = answer.rows().next().and_then(|row| row.node());
                let per_unit = answer.rows().take_while(|row| row.node() == first).count();
                for row in answer.rows() {
                    let step = steps.binary_search_by_key(&row.time(), |(time, _)| *time);
                    let step = step.unwrap_or_else(|step| {
                        let units = answer.len() / per_unit;
                        steps.insert(step, (row.time(), Tally::new(&scheme.terms, units)));
                        step
                    });
                    steps[step].1.take(&scheme, &part, of, &row);
                }
            };
            let apart: Vec<&NodeRef> =
                self.areas.iter().filter(|area| area.apart).flat_map(|area| &area.units).collect();
            let mut units = part.query.clone();
            if !apart.is_empty() {
                units = units.filter(!under_any(apart.iter().copied()));
                take(&snapshot.run(&part.query.of_units(apart))?, Of::Pool);
            }
            let answer = snapshot.run(&units)?;
            take(&answer, Of::Units);
            for (number, area) in (0..).zip(&self.areas) {
                take(&snapshot.run(&part.query.of_units(&area.units))?, Of::Area(number));
            }
            if answer.is_empty() && query.grain.is_none() && steps.is_empty() {
                steps.push((None, Tally::new(&scheme.terms, 0)));
            }
        }
        // Orders that lack the clock belong to no step.
        steps.retain(|(time, _)| time.is_some() || query.grain.is_none());
        Ok(steps.into_iter().map(|(time, tally)| tally.ranking(&scheme, snapshot, time)).collect())
    }

    /// The orders that earn credit in one term and none in another: satisfied but unsolved, solved but unsatisfied. Narrows a
    /// query to them, among the orders judged, for [`Snapshot::run`](crate::Snapshot::run) and
    /// [`Snapshot::orders`](crate::Snapshot::orders).
    ///
    /// # Errors
    /// [`Error::Unknown`] for a term that the policy does not have, or a counter that the schema does not.
    pub fn gap(&self, schema: &Schema, query: Query, credited: &str, uncredited: &str) -> Result<Query> {
        let counter = |name: &str| -> Result<Filter> {
            if name == COUNT {
                Ok(Filter::All)
            } else {
                Ok(schema.counters[schema.counter(name)?].filter.clone())
            }
        };
        let earns = |name: &str| -> Result<Filter> {
            let term = self.terms.iter().find(|term| term.name == name);
            let names = || self.terms.iter().map(|term| term.name.as_str());
            let term = term.ok_or_else(|| Error::unknown("term", name, names()))?;
            let mut credits = Vec::new();
            for (name, credit) in &term.credits {
                if credit.parse::<Fraction>()? != Fraction::from(0) {
                    credits.push(counter(name)?);
                }
            }
            let judged = counter(term.judged.as_deref().unwrap_or(&self.judged))?;
            Ok(judged.and(Filter::Or(credits)))
        };
        let query = query.filter(counter(&self.judged)?).filter(earns(credited)?).filter(!earns(uncredited)?);
        Ok(match &self.excluded_from_rates {
            Some(excluded) => query.filter(!excluded.clone()),
            None => query,
        })
    }
}

/// A policy whose numbers have been read, and whose peers have been found.
struct Scheme<'a> {
    policy: &'a Policy,
    terms: Arc<Terms>,
    /// Units, each with the number of its group.
    peers: Vec<(Node, u32)>,
    /// The units of each area.
    areas: Vec<Vec<Node>>,
}

/// One of the queries that a ranking takes.
struct Part {
    query: Query,
    volume: bool,
    rates: bool,
}

impl<'a> Scheme<'a> {
    fn new(policy: &'a Policy, snapshot: &Snapshot) -> Result<Self> {
        let terms = Arc::new(Terms::new(policy)?);
        if policy.terms.is_empty() && policy.metric.is_none() {
            let what = format!("policy {:?}", policy.name);
            return Err(Error::invalid(
                what,
                "it has no terms to score by; give it one, or rank by a metric",
            ));
        }
        let mut peers = Vec::new();
        for (group, named) in (0..).zip(&policy.peers) {
            for unit in &named.units {
                peers.push((resolve(snapshot.place(), unit)?, group));
            }
        }
        let find = |area: &Area| area.units.iter().map(|unit| resolve(snapshot.place(), unit)).collect();
        let areas = policy.areas.iter().map(find).collect::<Result<_>>()?;
        Ok(Self { policy, terms, peers, areas })
    }

    /// Volume and rates in one query, or in two where they leave out different orders.
    fn parts(&self, query: &Query) -> Vec<Part> {
        let part = |excluded: &Option<Filter>, volume: bool, rates: bool| {
            let mut query = query.clone();
            query.metrics.clear();
            if let Some(excluded) = excluded {
                query = query.filter(!excluded.clone());
            }
            let metrics = self.metrics(volume, rates);
            Part { query: metrics.into_iter().fold(query, Query::metric), volume, rates }
        };
        let (rates, volume) = (&self.policy.excluded_from_rates, &self.policy.excluded_from_volume);
        if rates == volume {
            return vec![part(rates, true, true)];
        }
        vec![part(volume, true, false), part(rates, false, true)]
    }

    /// The volume; then what the terms count, and the metric.
    fn metrics(&self, volume: bool, rates: bool) -> Vec<Metric> {
        let counted =
            |name: &String| if name == COUNT { Metric::Count } else { Metric::Counter(name.clone()) };
        let mut metrics = Vec::new();
        if volume {
            metrics.push(counted(&self.policy.volume));
        }
        if rates {
            metrics.extend(self.terms.counters().iter().map(counted));
            metrics.extend(self.policy.metric.clone());
        }
        metrics
    }

    /// The score; none where a rate that has weight is over nothing.
    fn score(&self, unit: &Unit, counts: &[u64]) -> Option<Fraction> {
        match (&unit.figure, &unit.rates) {
            (Some(figure), _) => score_of(figure),
            (None, Rates::Counted(first)) => self.terms.score(counts.get(*first..)?),
            // The unit has a volume, but no order that a rate counts.
            (None, _) => None,
        }
    }

    fn group(&self, snapshot: &Snapshot, unit: Node) -> Option<u32> {
        let under = |(peer, group): &(Node, u32)| snapshot.place().is_under(unit, *peer).then_some(*group);
        self.peers.iter().filter_map(under).min()
    }

    /// The first group under whose units all of an area's lie.
    fn group_of_area(&self, snapshot: &Snapshot, area: u32) -> Option<u32> {
        let units = self.areas.get(area as usize)?;
        let place = snapshot.place();
        let holds = |group: &u32| {
            let peers = || self.peers.iter().filter(|(_, of)| of == group);
            units.iter().all(|unit| peers().any(|(peer, _)| place.is_under(*unit, *peer)))
        };
        (0..self.policy.peers.len() as u32).find(holds)
    }
}

fn orders(figure: Figure) -> u64 {
    match figure {
        Figure::Count(count) => count,
        _ => 0,
    }
}

/// A metric as a score: a rate in percent.
fn score_of(figure: &Figure) -> Option<Fraction> {
    let value = Fraction::of(figure)?;
    Some(if matches!(figure, Figure::Ratio { .. }) { value * Fraction::from(100) } else { value })
}

/// The figure of both together; none for metrics that do not add up.
fn add(a: Figure, b: Figure) -> Figure {
    match (a, b) {
        (Figure::Count(a), Figure::Count(b)) => Figure::Count(a + b),
        (
            Figure::Ratio { numerator, denominator },
            Figure::Ratio { numerator: more, denominator: further },
        ) => Figure::Ratio { numerator: numerator + more, denominator: denominator + further },
        (Figure::Sum(a), Figure::Sum(b)) => Figure::Sum(a + b),
        (Figure::Mean { sum, count }, Figure::Mean { sum: more, count: further }) => {
            Figure::Mean { sum: sum + more, count: count + further }
        }
        _ => Figure::Missing,
    }
}

/// What an answer is about.
#[derive(Clone, Copy)]
enum Of {
    /// Units, and all orders but those of areas apart.
    Units,
    /// One area.
    Area(u32),
    /// The orders of all areas apart, which belong to the pool.
    Pool,
}

/// A unit, or the number of an area.
type Who = (Option<Node>, Option<u32>);

/// What has been counted of one ranking.
struct Tally {
    /// In tree order, areas last, unless several queries have given them.
    units: Vec<Unit>,
    /// All orders asked for, those of remainders too.
    pooled: Unit,
    /// What the terms count: of the pool, then of one unit after the other.
    counts: Vec<u64>,
    /// Where the units are that a query has asked for, once another one does.
    at: Option<HashMap<Who, usize>>,
}

impl Tally {
    /// For about so many units.
    fn new(terms: &Terms, units: usize) -> Self {
        let counters = terms.counters().len();
        let mut counts = Vec::with_capacity(counters * (units + 1));
        counts.resize(counters, 0);
        Self {
            units: Vec::with_capacity(units),
            pooled: Unit { rates: Rates::Counted(0), ..Unit::default() },
            counts,
            at: None,
        }
    }

    fn take(&mut self, scheme: &Scheme<'_>, part: &Part, of: Of, told: &Row<'_>) {
        let mut figures = told.figures();
        let volume = if part.volume { figures.next().map_or(0, orders) } else { 0 };
        let first = self.counts.len();
        self.counts.extend(figures.by_ref().take(scheme.terms.counters().len()).map(orders));
        let (judged, figure) = (self.counts.get(first).copied().unwrap_or(0), figures.next());
        if matches!(of, Of::Units | Of::Pool) {
            self.pooled.volume += volume;
            self.pooled.judged += judged;
            if let Some(figure) = figure {
                let sum = self.pooled.figure.as_deref().map_or(figure, |sum| add(*sum, figure));
                self.pooled.figure = Some(Box::new(sum));
            }
            let (sums, counts) = self.counts.split_at_mut(first);
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += *count);
        }
        let (node, area) = match of {
            Of::Area(area) => (None, Some(area)),
            // Without units, everything is one row that no unit stands for; a remainder is no unit to be ranked either.
            Of::Units if told.kind() == RowKind::Target && told.node().is_some() => (told.node(), None),
            Of::Units | Of::Pool => return self.counts.truncate(first),
        };
        let unit = self.unit(part, (node, area));
        unit.volume += volume;
        if part.rates {
            (unit.judged, unit.figure, unit.rates) = (judged, figure.map(Box::new), Rates::Counted(first));
        }
    }

    /// The unit or the area; a new one, unless a query before has asked for it.
    fn unit(&mut self, part: &Part, (node, area): Who) -> &mut Unit {
        let units = &mut self.units;
        // The query that counts the volume is the first, and gives every unit once.
        let known = if part.volume {
            None
        } else {
            let before = || units.iter().zip(0..).map(|(unit, at)| ((unit.node, unit.area), at)).collect();
            self.at.get_or_insert_with(before).get(&(node, area)).copied()
        };
        let at = known.unwrap_or_else(|| {
            units.push(Unit { node, area, ..Unit::default() });
            units.len() - 1
        });
        &mut units[at]
    }

    fn ranking(mut self, scheme: &Scheme<'_>, snapshot: &Snapshot, time: Option<i64>) -> Ranking {
        if self.at.is_some() {
            let place = snapshot.place();
            self.units.sort_by_cached_key(|unit| (unit.area, unit.node.map(|node| place.label(node))));
        }
        for unit in &mut self.units {
            unit.peers = match unit.area {
                Some(area) => scheme.group_of_area(snapshot, area),
                None => unit.node.and_then(|node| scheme.group(snapshot, node)),
            };
            unit.score = scheme.score(unit, &self.counts);
        }
        self.pooled.score = scheme.score(&self.pooled, &self.counts);
        let (units, terms) = ((self.units, self.pooled), &scheme.terms);
        Ranking::new(scheme.policy, terms, snapshot, time, units, self.counts)
    }
}
