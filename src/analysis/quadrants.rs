//! Complaint rate against satisfaction: which units are good and quiet, which neither.

use std::fmt;

use hashbrown::HashMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::attributes::{Attribute, Attributes};
use super::terms::Rate;
use super::{Fraction, Ranked, Ranking};
use crate::error::{Error, Result};
use crate::query::NodePath;
use crate::store::Snapshot;
use crate::tree::Node;

/// Complaints are counted for each so many of the attribute.
const PER: u64 = 10_000;

/// How units are put into four cells, by their satisfaction and their complaint rate (万人诉求比): orders for each 10,000 of an
/// attribute, residents as a rule.
///
/// A unit is *high* where it reaches the threshold, which is one of its peer group: the rate of all its units together, unless
/// said otherwise. A unit with fewer than 30 orders judged, without the attribute or without the rate has no cell and no part
/// in a threshold.
///
/// No source says which cell bears which name. The cells are neutral; their labels are a table, which starts with one reading.
#[derive(Debug, Clone)]
#[must_use]
pub struct Quadrants {
    term: String,
    attribute: String,
    threshold: Threshold,
    minimum: u64,
    labels: [String; 4],
}

/// From where on a rate is high.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Threshold {
    /// The rate of all units of the peer group together.
    Pooled,
    /// The median of the peer group's units; of an even number, the mean of the middle two.
    Median,
    /// The same for all groups.
    Fixed {
        /// Satisfaction, from 0 to 1.
        satisfaction: Fraction,
        /// Orders for each 10,000.
        complaints: Fraction,
    },
}

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Whether satisfaction is high.
    pub satisfied: bool,
    /// Whether the complaint rate is high.
    pub busy: bool,
}

impl Cell {
    fn number(self) -> usize {
        usize::from(self.satisfied) * 2 + usize::from(self.busy)
    }
}

/// `high satisfaction, low complaints`
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |high: bool| if high { "high" } else { "low" };
        f.pad(&format!("{} satisfaction, {} complaints", word(self.satisfied), word(self.busy)))
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Quadrants {
    /// By the rate of a policy's term, and the orders for each 10,000 of an attribute.
    pub fn new(term: impl Into<String>, attribute: impl Into<String>) -> Self {
        let labels = ["堵点", "难点", "亮点", "拐点"].map(str::to_owned);
        Self {
            term: term.into(),
            attribute: attribute.into(),
            threshold: Threshold::Pooled,
            minimum: 30,
            labels,
        }
    }

    /// Another threshold than the pooled rate.
    pub fn threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// Units with fewer orders judged have no cell; 30 without this call.
    pub fn minimum(mut self, judged: u64) -> Self {
        self.minimum = judged;
        self
    }

    /// What a cell is called. Without this call, high satisfaction is 亮点 with few complaints and 拐点 with many, low satisfaction
    /// 堵点 with few and 难点 with many.
    pub fn label(mut self, cell: Cell, label: impl Into<String>) -> Self {
        self.labels[cell.number()] = label.into();
        self
    }

    /// Puts the units of a ranking into cells, with the attribute as it holds at a time.
    ///
    /// # Errors
    /// [`Error::Unknown`] where the ranking has no such term, or no unit has the attribute.
    pub fn map(&self, ranking: &Ranking, attributes: &Attributes, at: i64) -> Result<QuadrantMap> {
        let terms = || ranking.terms().names();
        let term = terms().position(|name| name == self.term);
        let term = term.ok_or_else(|| Error::unknown("term", &self.term, terms()))?;
        if !attributes.names().any(|name| name == self.attribute) {
            return Err(Error::unknown("attribute", &self.attribute, attributes.names()));
        }
        let mut groups: Vec<Group> = Vec::new();
        let mut units = Vec::with_capacity(ranking.rows().len());
        for row in ranking.rows() {
            let Some(node) = row.node() else { continue };
            let (rate, attribute) = (row.term(term), attributes.get(&self.attribute, node, at));
            let satisfaction = rate.as_ref().and_then(Rate::value);
            let complaints = attribute.and_then(|attribute| attribute.rate(row.volume(), PER));
            let position = groups.iter().position(|group| group.peers.as_deref() == row.peers());
            let group = position.unwrap_or_else(|| {
                groups.push(Group::new(row.peers()));
                groups.len() - 1
            });
            let counts = row.judged() >= self.minimum && satisfaction.is_some() && complaints.is_some();
            if let (Some(group), Some(rate), Some(attribute), true) =
                (groups.get_mut(group), rate, attribute, counts)
            {
                group.add(&row, &rate, attribute);
                if self.threshold == Threshold::Median {
                    group.satisfaction.extend(satisfaction.clone());
                    group.complaints.extend(complaints.clone());
                }
            }
            units.push(Unit {
                node,
                group,
                satisfaction,
                complaints,
                attribute,
                counts,
                cell: None,
                previous: None,
                periods: 0,
            });
        }
        let limits: Vec<Option<Limits>> =
            groups.iter_mut().map(|group| group.limits(&self.threshold)).collect();
        for unit in units.iter_mut().filter(|unit| unit.counts) {
            let limits = limits.get(unit.group).and_then(Option::as_ref);
            let rates = unit.satisfaction.as_ref().zip(unit.complaints.as_ref());
            unit.cell = limits.zip(rates).map(|((satisfaction, complaints), (satisfied, busy))| Cell {
                satisfied: satisfied >= satisfaction,
                busy: busy >= complaints,
            });
            unit.periods = u32::from(unit.cell.is_some());
        }
        let groups = groups.into_iter().map(|group| group.peers).zip(limits).collect();
        Ok(QuadrantMap { snapshot: ranking.snapshot().clone(), labels: self.labels.clone(), groups, units })
    }
}

/// From where on satisfaction and complaints are high.
type Limits = (Fraction, Fraction);

/// What is known of a peer group.
struct Group {
    peers: Option<String>,
    credited: Fraction,
    judged: u64,
    orders: u64,
    residents: u64,
    satisfaction: Vec<Fraction>,
    complaints: Vec<Fraction>,
}

impl Group {
    fn new(peers: Option<&str>) -> Self {
        Self {
            peers: peers.map(str::to_owned),
            credited: Fraction::from(0),
            judged: 0,
            orders: 0,
            residents: 0,
            satisfaction: Vec::new(),
            complaints: Vec::new(),
        }
    }

    fn add(&mut self, row: &Ranked<'_>, rate: &Rate, attribute: Attribute) {
        self.credited += rate.credited.clone();
        self.judged += rate.over;
        self.orders += row.volume();
        self.residents = self.residents.saturating_add(attribute.value);
    }

    /// From where on satisfaction and complaints are high; none for a group without units to judge by.
    fn limits(&mut self, threshold: &Threshold) -> Option<Limits> {
        match threshold {
            Threshold::Pooled => {
                let complaints = Attribute { value: self.residents, since: 0 }.rate(self.orders, PER)?;
                Some((self.credited.over(&Fraction::from(self.judged))?, complaints))
            }
            Threshold::Median => Some((median(&mut self.satisfaction)?, median(&mut self.complaints)?)),
            Threshold::Fixed { satisfaction, complaints } => Some((satisfaction.clone(), complaints.clone())),
        }
    }
}

fn median(values: &mut [Fraction]) -> Option<Fraction> {
    values.sort();
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    (low.clone() + high.clone()).over(&Fraction::from(2))
}

#[derive(Debug, Clone)]
struct Unit {
    node: Node,
    group: usize,
    satisfaction: Option<Fraction>,
    complaints: Option<Fraction>,
    attribute: Option<Attribute>,
    /// Whether it may have a cell.
    counts: bool,
    cell: Option<Cell>,
    previous: Option<Cell>,
    periods: u32,
}

/// Units in their cells.
#[derive(Debug, Clone)]
pub struct QuadrantMap {
    snapshot: Snapshot,
    labels: [String; 4],
    /// Peer groups with their thresholds.
    groups: Vec<(Option<String>, Option<Limits>)>,
    units: Vec<Unit>,
}

impl QuadrantMap {
    /// The units, in the order of the ranking.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Placed<'_>> {
        self.units.iter().map(|unit| Placed { map: self, unit })
    }

    /// The thresholds of each peer group: satisfaction from 0 to 1, and orders for each 10,000. None for a group without units
    /// that have a cell.
    pub fn thresholds(&self) -> impl Iterator<Item = (Option<&str>, Option<(&Fraction, &Fraction)>)> {
        self.groups.iter().map(|(peers, limits)| {
            (peers.as_deref(), limits.as_ref().map(|(satisfaction, complaints)| (satisfaction, complaints)))
        })
    }

    /// Lays the map of the period before under this one: where units come from, and for how many periods they have been where
    /// they are.
    #[must_use]
    pub fn after(mut self, earlier: &Self) -> Self {
        let before: HashMap<Node, &Unit> = earlier.units.iter().map(|unit| (unit.node, unit)).collect();
        for unit in &mut self.units {
            let Some(before) = before.get(&unit.node) else { continue };
            unit.previous = before.cell;
            if unit.cell.is_some() && unit.cell == before.cell {
                unit.periods = before.periods.saturating_add(1);
            }
        }
        self
    }
}

/// A unit in its cell.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    map: &'a QuadrantMap,
    unit: &'a Unit,
}

impl<'a> Placed<'a> {
    /// The unit's path from the top.
    #[must_use]
    pub fn path(&self) -> NodePath<'a> {
        NodePath::new(self.map.snapshot.place(), Some(self.unit.node))
    }

    /// The unit.
    #[must_use]
    pub fn node(&self) -> Node {
        self.unit.node
    }

    /// The unit's peer group.
    #[must_use]
    pub fn peers(&self) -> Option<&'a str> {
        self.map.groups.get(self.unit.group).and_then(|(peers, _)| peers.as_deref())
    }

    /// The rate of the term, from 0 to 1.
    #[must_use]
    pub fn satisfaction(&self) -> Option<&'a Fraction> {
        self.unit.satisfaction.as_ref()
    }

    /// Orders for each 10,000 of the attribute.
    #[must_use]
    pub fn complaints(&self) -> Option<&'a Fraction> {
        self.unit.complaints.as_ref()
    }

    /// The attribute that the complaints were counted over, with its vintage.
    #[must_use]
    pub fn attribute(&self) -> Option<Attribute> {
        self.unit.attribute
    }

    /// The cell.
    #[must_use]
    pub fn cell(&self) -> Option<Cell> {
        self.unit.cell
    }

    /// The cell in the period [before](QuadrantMap::after).
    #[must_use]
    pub fn previous(&self) -> Option<Cell> {
        self.unit.previous
    }

    /// For how many periods on end the unit has been in its cell; 0 without one.
    #[must_use]
    pub fn periods(&self) -> u32 {
        self.unit.periods
    }

    /// What the cell is called.
    #[must_use]
    pub fn label(&self) -> Option<&'a str> {
        self.map.labels.get(self.unit.cell?.number()).map(String::as_str)
    }
}

/// As a JSON line: `path`, `peers` where there are groups, `satisfaction`, `complaints`, the attribute's `value` and `since`,
/// `cell`, `label`, `previous`, `periods`.
impl Serialize for Placed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let since = self.attribute().map(|attribute| self.map.snapshot.calendar().format(attribute.since));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path())?;
        if let Some(peers) = self.peers() {
            map.serialize_entry("peers", peers)?;
        }
        map.serialize_entry("satisfaction", &self.satisfaction())?;
        map.serialize_entry("complaints", &self.complaints())?;
        map.serialize_entry("value", &self.attribute().map(|attribute| attribute.value))?;
        map.serialize_entry("since", &since)?;
        map.serialize_entry("cell", &self.cell())?;
        map.serialize_entry("label", &self.label())?;
        map.serialize_entry("previous", &self.previous())?;
        map.serialize_entry("periods", &self.periods())?;
        map.end()
    }
}
