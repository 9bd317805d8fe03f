//! Units in the order of their scores.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Fraction;
use super::policy::Policy;
use super::terms::{Rate, Terms};
use crate::query::{Figure, NodePath};
use crate::store::Snapshot;
use crate::tree::Node;

/// Units in the order of their scores: the higher score first, then the larger volume. A tie only where both are equal:
/// then the units share a rank, and the next one skips as many. Ranks are compared as exact fractions.
///
/// A unit without a score (no order judged), or with fewer orders judged than the policy's minimum, is listed behind the
/// others, without a rank. With peer groups, each group is ranked for itself.
#[derive(Debug, Clone)]
pub struct Ranking {
    snapshot: Snapshot,
    terms: Arc<Terms>,
    groups: Vec<String>,
    areas: Vec<String>,
    time: Option<i64>,
    /// In tree order, areas last.
    units: Vec<Unit>,
    /// The units by group, those of none last; then by rank, ties and units without a rank in tree order.
    order: Vec<usize>,
    /// What was counted of each unit.
    counts: Vec<u64>,
    pooled: Unit,
    /// Computed when it is first asked for: a mean of many exact rates is long to write down.
    mean: OnceLock<Unit>,
}

/// What is known of a unit, or of a summary.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    pub(super) node: Option<Node>,
    /// The number of the area that it is, in place of a node.
    pub(super) area: Option<u32>,
    pub(super) peers: Option<u32>,
    pub(super) volume: u64,
    pub(super) judged: u64,
    pub(super) rates: Rates,
    /// Where a metric is ranked by.
    pub(super) figure: Option<Box<Figure>>,
    pub(super) score: Option<Fraction>,
    pub(super) place: Option<Place>,
}

/// What the rates of a unit are.
#[derive(Debug, Clone, Default)]
pub(super) enum Rates {
    /// It has no order that a rate counts.
    #[default]
    None,
    /// Those of what was counted: its counts begin here.
    Counted(usize),
    /// Means of the rates of others.
    Means(Box<[Rate]>),
}

/// Where a unit stands in its group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    rank: u32,
    /// How many units have a lower rank.
    behind: u32,
    ranked: u32,
}

/// What of a unit decides where it stands, as far as it is quick to compare.
#[derive(Clone, Copy)]
struct Standing {
    /// About its score, so that the smaller one stands first.
    near: f64,
    /// Its group, and whether it is one of those in it without a rank.
    group: (u32, bool),
    /// Which unit it is.
    at: usize,
}

impl Standing {
    /// Which of two scores stands first; none where floating-point numbers, which are wrong by some 10⁻¹⁶ of them, do not tell.
    fn by_far(&self, other: &Self) -> Option<Ordering> {
        let apart = (self.near - other.near).abs() > self.near.abs().max(other.near.abs()) * 1e-14;
        if apart { self.near.partial_cmp(&other.near) } else { None }
    }
}

impl Ranking {
    pub(super) fn new(
        policy: &Policy,
        terms: &Arc<Terms>,
        snapshot: &Snapshot,
        time: Option<i64>,
        (mut units, pooled): (Vec<Unit>, Unit),
        counts: Vec<u64>,
    ) -> Self {
        let standing = |(unit, at): (&Unit, usize)| {
            let score = unit.score.as_ref().filter(|_| unit.judged >= policy.minimum);
            let near = score.map_or(0.0, Fraction::to_f64);
            // Behind the last group come units of none, and in each group those without a rank.
            let group = (unit.peers.unwrap_or(u32::MAX), score.is_none());
            Standing { near: if policy.ascending { near } else { -near }, group, at }
        };
        let order = |a: &Standing, b: &Standing| {
            a.by_far(b).unwrap_or_else(|| {
                let (one, other) = (&units[a.at], &units[b.at]);
                let scores = one.score.cmp(&other.score);
                (if policy.ascending { scores } else { scores.reverse() }).then(other.volume.cmp(&one.volume))
            })
        };
        let mut standings: Vec<Standing> = units.iter().zip(0..).map(standing).collect();
        // Floating-point numbers bring the scores nearly into order, which is quick; what they are exactly decides.
        standings.sort_unstable_by(|a, b| a.near.total_cmp(&b.near));
        standings.sort_by(|a, b| {
            let scores = || if a.group.1 { Ordering::Equal } else { order(a, b) };
            a.group.cmp(&b.group).then_with(scores).then(a.at.cmp(&b.at))
        });
        let mut places = Vec::with_capacity(units.len());
        for group in standings.chunk_by(|a, b| a.group == b.group) {
            let ranked = group.len() as u32;
            let mut before = 0;
            for tied in group.chunk_by(|a, b| order(a, b) == Ordering::Equal) {
                let tie = tied.len() as u32;
                let place = Place { rank: before + 1, behind: ranked - before - tie, ranked };
                places
                    .extend(tied.iter().map(|standing| (standing.at, (!standing.group.1).then_some(place))));
                before += tie;
            }
        }
        for (at, place) in &places {
            units[*at].place = *place;
        }
        let order = places.into_iter().map(|(at, _)| at).collect();
        Self {
            snapshot: snapshot.clone(),
            terms: Arc::clone(terms),
            groups: policy.peers.iter().map(|peers| peers.name.clone()).collect(),
            areas: policy.areas.iter().map(|area| area.name.clone()).collect(),
            time,
            units,
            order,
            counts,
            pooled,
            mean: OnceLock::new(),
        }
    }

    /// The units: group by group, in each by rank, and last those without a rank.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Ranked<'_>> {
        self.order.iter().map(|at| Ranked { ranking: self, unit: &self.units[*at] })
    }

    /// A unit's row; none for a unit that was not asked for or has no orders.
    #[must_use]
    pub fn unit(&self, node: Node) -> Option<Ranked<'_>> {
        self.rows().find(|row| row.node() == Some(node))
    }

    /// The first `n` of every group, with all that share the last of these ranks.
    pub fn first(&self, n: u64) -> impl Iterator<Item = Ranked<'_>> {
        self.rows().filter(move |row| row.rank().is_some_and(|rank| rank <= n))
    }

    /// The last `n` of every group, with all that share the first of these ranks; units without a rank are not among them.
    pub fn last(&self, n: u64) -> impl Iterator<Item = Ranked<'_>> {
        self.rows().filter(move |row| row.unit.place.is_some_and(|place| u64::from(place.behind) < n))
    }

    /// All orders asked for as one: rates of sums (micro). Has no rank.
    #[must_use]
    pub fn pooled(&self) -> Ranked<'_> {
        Ranked { ranking: self, unit: &self.pooled }
    }

    /// The mean of the units (macro): of each rate, and of the score, over the units that have one. Has no rank.
    #[must_use]
    pub fn mean(&self) -> Ranked<'_> {
        let unit = self.mean.get_or_init(|| self.mean_of_units());
        Ranked { ranking: self, unit }
    }

    fn mean_of_units(&self) -> Unit {
        let over = |values: Vec<Fraction>| {
            let over = values.len() as u64;
            Rate { credited: values.into_iter().sum(), over, of_orders: false }
        };
        let rate = |term| over(self.rows().filter_map(|row| row.term(term)?.value()).collect());
        let units = &self.units;
        Unit {
            volume: units.iter().map(|unit| unit.volume).sum(),
            judged: units.iter().map(|unit| unit.judged).sum(),
            rates: Rates::Means((0..self.terms.names().len()).map(rate).collect()),
            score: over(units.iter().filter_map(|unit| unit.score.clone()).collect()).value(),
            ..Unit::default()
        }
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The first second of the step that is ranked; none without a grain.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        self.time
    }

    /// Where the units stood in another ranking of the same store: of an earlier period, or of the same period as it was known
    /// earlier. In the order of this ranking; units that only the other one has come last.
    #[must_use]
    pub fn against<'a>(&'a self, earlier: &'a Self) -> Vec<Movement<'a>> {
        let which = |row: &Ranked<'a>| (row.node(), row.area());
        let mut before: HashMap<_, Ranked<'a>> = earlier.rows().map(|row| (which(&row), row)).collect();
        let moved = |row| Movement { now: Some(row), before: before.remove(&which(&row)) };
        let mut moved: Vec<_> = self.rows().map(moved).collect();
        let gone = earlier.rows().filter(|row| before.contains_key(&which(row)));
        moved.extend(gone.map(|row| Movement { now: None, before: Some(row) }));
        moved
    }
}

/// A unit of a [`Ranking`], or one of its summaries.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a> {
    ranking: &'a Ranking,
    unit: &'a Unit,
}

impl<'a> Ranked<'a> {
    /// The name of the area; none for a unit of the place tree and for a summary.
    #[must_use]
    pub fn area(&self) -> Option<&'a str> {
        self.ranking.areas.get(self.unit.area? as usize).map(String::as_str)
    }

    /// The unit's path from the top; empty for an area and a summary.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        NodePath::new(self.ranking.snapshot.place(), self.unit.node)
    }

    /// The unit; none for an area and a summary.
    #[must_use]
    pub fn node(&self) -> Option<Node> {
        self.unit.node
    }

    /// The unit's peer group.
    #[must_use]
    pub fn peers(&self) -> Option<&'a str> {
        self.ranking.groups.get(self.unit.peers? as usize).map(String::as_str)
    }

    /// The rank within the peer group, from 1.
    #[must_use]
    pub fn rank(&self) -> Option<u64> {
        Some(self.unit.place?.rank.into())
    }

    /// How many of the other units with a rank stand behind this one: 1 for the first, 0 for the last, comparable where the
    /// number of units has changed. No ratio for the only one.
    #[must_use]
    pub fn percentile(&self) -> Figure {
        let Some(place) = self.unit.place else { return Figure::Missing };
        Figure::Ratio { numerator: place.behind.into(), denominator: u64::from(place.ranked) - 1 }
    }

    /// The score; none where nothing was judged.
    #[must_use]
    pub fn score(&self) -> Option<&'a Fraction> {
        self.unit.score.as_ref()
    }

    /// The number of orders judged (V).
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.unit.judged
    }

    /// The number of orders (N).
    #[must_use]
    pub fn volume(&self) -> u64 {
        self.unit.volume
    }

    /// The share of orders that were judged: V over N.
    #[must_use]
    pub fn coverage(&self) -> Figure {
        Figure::Ratio { numerator: self.unit.judged, denominator: self.unit.volume }
    }

    /// The rate of a term; none where nothing was judged, or the policy has no such term.
    #[must_use]
    pub fn rate(&self, term: &str) -> Option<Fraction> {
        self.rate_of(term)?.value()
    }

    /// The rates of all terms, with their names, in the policy's order.
    pub fn rates(&self) -> impl Iterator<Item = (&'a str, Option<Fraction>)> + use<'a> {
        let row = *self;
        let names = (0..).zip(row.ranking.terms.names());
        names.filter_map(move |(at, name)| Some((name, row.term(at)?.value())))
    }

    /// The Wilson score interval of a term's rate at 95 %, from 0 to 1: which rates of a large whole would give this one by
    /// chance (Wilson 1927, without correction for continuity). Credits that are fractions enter as the rate they make. None for a
    /// mean of units.
    #[must_use]
    pub fn interval(&self, term: &str) -> Option<(f64, f64)> {
        let rate = self.rate_of(term).filter(|rate| rate.of_orders)?;
        Some(wilson(rate.value()?.to_f64(), rate.over))
    }

    fn rate_of(&self, term: &str) -> Option<Rate> {
        self.term(self.ranking.terms.names().position(|name| name == term)?)
    }

    /// The rate of a term by its number.
    pub(super) fn term(&self, term: usize) -> Option<Rate> {
        match &self.unit.rates {
            Rates::None => None,
            Rates::Counted(first) => {
                self.ranking.terms.rate(term, self.ranking.counts.get(*first..).unwrap_or_default())
            }
            Rates::Means(rates) => rates.get(term).cloned(),
        }
    }
}

/// The Wilson score interval of a share of `count` at 95 %.
fn wilson(share: f64, count: u64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054; // the 97.5th percentile of the standard normal distribution
    #[expect(clippy::cast_precision_loss, reason = "an interval is an estimate")]
    let n = count as f64;
    let scale = 1.0 + Z * Z / n;
    let centre = share + Z * Z / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).max(0.0).sqrt();
    (((centre - reach) / scale).max(0.0), ((centre + reach) / scale).min(1.0))
}

/// As a JSON line: `path`, `area` for one, `peers` where there are groups, `rank`, `score`, `judged`, `volume`, `rates` by term, `percentile`.
impl Serialize for Ranked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        if let Some(area) = self.area() {
            map.serialize_entry("area", area)?;
        }
        if !self.ranking.groups.is_empty() {
            map.serialize_entry("peers", &self.peers())?;
        }
        map.serialize_entry("rank", &self.rank())?;
        map.serialize_entry("score", &self.score())?;
        map.serialize_entry("judged", &self.judged())?;
        map.serialize_entry("volume", &self.volume())?;
        let rates: Vec<_> = self.rates().collect();
        map.serialize_entry("rates", &rates.into_iter().collect::<std::collections::BTreeMap<_, _>>())?;
        map.serialize_entry("percentile", &self.percentile())?;
        map.end()
    }
}

/// A unit in two rankings.
#[derive(Debug, Clone, Copy)]
pub struct Movement<'a> {
    /// The unit in the later ranking; none where it is not in it.
    pub now: Option<Ranked<'a>>,
    /// The unit in the earlier ranking; none where it is not in it.
    pub before: Option<Ranked<'a>>,
}

impl Movement<'_> {
    /// How many ranks the unit has gone up; negative where it went down, none where it has no rank in one of the two.
    #[must_use]
    pub fn places(&self) -> Option<i64> {
        let (now, before) = (self.now?.rank()?, self.before?.rank()?);
        i64::try_from(before).ok()?.checked_sub(i64::try_from(now).ok()?)
    }

    /// Whether rank, score or volume differ between the two.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let shown = |row: Option<Ranked<'_>>| row.map(|row| (row.rank(), row.score().cloned(), row.volume()));
        shown(self.now) != shown(self.before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Schema, Store};

    /// Pairs of numbers, many of which floating-point numbers cannot tell apart.
    fn pair() -> impl Strategy<Value = (Fraction, Fraction)> {
        let part = || prop_oneof![-9_i128..9, (1_i128 << 55..1 << 62), any::<i128>()];
        let nearly = (part(), part(), -3_i128..4, -3_i128..4);
        nearly.prop_filter_map("over nothing", |(above, below, more, further)| {
            let near = Fraction::new(above.checked_add(more)?, below.checked_add(further)?)?;
            Some((Fraction::new(above, below)?, near))
        })
    }

    proptest! {
        #[test]
        fn floating_point_numbers_tell_nothing_wrong((a, b) in pair()) {
            let standing = |score: &Fraction| Standing { near: score.to_f64(), group: (0, false), at: 0 };
            if let Some(order) = standing(&a).by_far(&standing(&b)) {
                prop_assert_eq!(order, a.cmp(&b));
            }
        }
    }

    #[test]
    fn scores_that_round_to_the_same_number_are_ranked_as_what_they_are() {
        let score = |above: i64| Fraction::new(above.into(), (1_i128 << 62) + 1).unwrap();
        let scores = [1 << 60, (1 << 60) + 2, (1 << 60) + 1, (1 << 60) + 2].map(score);
        assert!(scores.iter().all(|score| score.to_f64().to_bits() == scores[0].to_f64().to_bits()));
        let unit = |score: &Fraction| Unit { score: Some(score.clone()), ..Unit::default() };
        let units = scores.iter().map(unit).collect();
        let policy = Policy::new("p", "count");
        let terms = Arc::new(Terms::new(&policy).unwrap());
        let schema = Schema::builder("Asia/Shanghai").place(["city"]).build().unwrap();
        let now = Store::in_memory(schema).unwrap().snapshot();
        let ranking = Ranking::new(&policy, &terms, &now, None, (units, Unit::default()), Vec::new());
        let ranks: Vec<_> =
            ranking.rows().map(|row| (row.rank().unwrap(), row.score().unwrap().clone())).collect();
        let [a, b, c, d] = scores;
        assert_eq!(ranks, [(1, b), (1, d), (3, c), (4, a)]);
    }
}
