//! Repeats: orders of one key, and of one node of a tree, that came more than once.
//!
//! Most keys come once, so hashes sort them out first: a bit for a pair that was seen, another for one that was seen again.
//! Only pairs with the second bit are grouped, and grouped exactly: what merely shares a hash falls out there.

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::hash::BuildHasher;

use crate::error::{Error, Result};
use crate::schema::Field;
use crate::segment::{Column, ColumnId, MISSING, present};
use crate::store::Snapshot;
use crate::tree::Node;

use super::execute::{Frame, SegmentPlan, kept};
use super::groups::{Member, NONE};
use super::number::AT_ONCE;
use super::plan::{Dimension, Plan, dimension};
use super::row_reader::group;
use super::select::Kept;
use super::{By, Query};

/// So many pairs are kept in memory; of more, the orders are read twice.
const MOST_PAIRS: u64 = if cfg!(test) { 16 } else { 1 << 21 };

/// What makes orders repeats of one another: the same key and, where asked for, the same node of a tree.
///
/// ```
/// # use zonal::Repeats;
/// let same_caller_and_topic = Repeats::of("caller").within("topic", "item").list(10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Repeats {
    pub(crate) key: String,
    /// A tree and its level.
    pub(crate) node: Option<(String, String)>,
    times: u64,
    list: usize,
}

impl Repeats {
    /// Orders that share this key, two or more.
    pub fn of(key: impl Into<String>) -> Self {
        Self { key: key.into(), node: None, times: 2, list: 0 }
    }

    /// And lie under the same node of a tree's level. An order above the level counts for its own node.
    pub fn within(mut self, tree: impl Into<String>, level: impl Into<String>) -> Self {
        self.node = Some((tree.into(), level.into()));
        self
    }

    /// At least so many orders; two without this call. One order repeats nothing, but counts where 1 is asked for.
    pub fn times(mut self, orders: u64) -> Self {
        self.times = orders.max(1);
        self
    }

    /// Also lists at most so many groups, those with the most orders first.
    pub fn list(mut self, groups: usize) -> Self {
        self.list = groups;
        self
    }
}

/// How many orders repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RepeatReport {
    /// Different keys, or pairs of key and node, that came often enough.
    pub groups: u64,
    /// The orders in them, the first of each included.
    pub orders: u64,
    /// As many groups as were asked for: the most orders first, then by key and node.
    pub listed: Vec<Repeat>,
}

/// A key, and a node, with several orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repeat {
    /// The key.
    pub key: u64,
    /// The node of the tree; none where no tree was asked for.
    pub node: Option<Node>,
    /// How many orders.
    pub orders: u64,
}

/// A key and a node's number.
type Pair = (i64, Member);

/// The orders of a segment that are asked for.
struct Asked<'a> {
    chosen: SegmentPlan<'a>,
    kept: Kept,
    keys: Column<'a>,
    nodes: Option<Column<'a>>,
}

impl Asked<'_> {
    /// Calls `each` with the pair of every order that has one.
    fn for_each(&self, dimension: Option<&Dimension>, mut each: impl FnMut(Pair)) {
        let mut pair = |key: i64, node: i64| {
            let Some(key) = present(key) else { return };
            let node = dimension.map_or(0, |dimension| group(dimension, node));
            if node != NONE {
                each((key, node));
            }
        };
        let (mut keys, mut nodes) = (Vec::new(), Vec::new());
        for (_, range) in &self.chosen.ranges {
            if !matches!(self.kept, Kept::All) {
                let node = |row: usize| self.nodes.map_or(MISSING, |nodes| nodes.get(row));
                let each = |row: u32| pair(self.keys.get(row as usize), node(row as usize));
                self.kept.for_each(range.clone(), each);
                continue;
            }
            let (first, end) = (range.start as usize, range.end as usize);
            for start in (first..end).step_by(AT_ONCE) {
                let rows = start..end.min(start + AT_ONCE);
                keys.clear();
                self.keys.decode(rows.clone(), &mut keys);
                nodes.clear();
                match self.nodes {
                    Some(column) => column.decode(rows, &mut nodes),
                    None => nodes.resize(keys.len(), MISSING),
                }
                keys.iter().zip(&nodes).for_each(|(key, node)| pair(*key, *node));
            }
        }
    }
}

/// Pairs that were seen, and seen again, by their hashes.
struct Seen {
    /// Bits of those that were seen, and beside them of those seen again.
    words: Vec<[u64; 2]>,
    shift: u32,
}

impl Seen {
    /// For so many pairs: eight bits for each keep the hashes that two of them share few.
    fn new(pairs: u64) -> Self {
        let bits = pairs.saturating_mul(8).clamp(64, 1 << 30).next_power_of_two();
        Self { words: vec![[0; 2]; (bits / 64) as usize], shift: 64 - bits.ilog2() }
    }

    #[inline]
    fn place(&self, pair: Pair) -> (usize, u64) {
        let (key, node) = pair;
        let at = FixedState::default().hash_one(key.cast_unsigned() ^ u64::from(node).rotate_left(40))
            >> self.shift;
        ((at / 64) as usize, 1 << (at % 64))
    }

    #[inline]
    fn mark(&mut self, pair: Pair) {
        let (word, bit) = self.place(pair);
        let [once, again] = &mut self.words[word];
        *again |= *once & bit;
        *once |= bit;
    }

    #[inline]
    fn again(&self, pair: Pair) -> bool {
        let (word, bit) = self.place(pair);
        self.words[word][1] & bit != 0
    }
}

impl Snapshot {
    /// The orders that repeat, of those that the query's units, span and filter keep. Orders without the key, or without
    /// a node of the tree, repeat nothing.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn repeats(&self, query: &Query, repeats: &Repeats) -> Result<RepeatReport> {
        let plan = Plan::new(&query.uncut(), self)?;
        let key = ColumnId::Key(plan.schema().key(&repeats.key)?);
        let nodes = repeats.node.as_ref().map(|(tree, level)| {
            let by = By { field: tree.clone(), level: Some(level.clone()) };
            dimension(&by, self)
        });
        let nodes = nodes.transpose()?;
        if let Some(flat) = nodes.as_ref().filter(|nodes| !matches!(nodes.field, Field::Tree(_))) {
            return Err(Error::invalid(
                "query",
                format!("{:?} is not a tree to look for repeats in", flat.name),
            ));
        }
        let asked = asked(self, &plan, key, nodes.as_ref())?;
        let most = asked.iter().map(|orders| orders.kept.len(orders.chosen.hull()) as u64).sum();
        let all = |each: &mut dyn FnMut(Pair)| {
            asked.iter().for_each(|orders| orders.for_each(nodes.as_ref(), &mut *each))
        };
        let mut pairs: Vec<Pair> = Vec::new();
        if repeats.times < 2 || most <= MOST_PAIRS {
            all(&mut |pair| pairs.push(pair));
        }
        if repeats.times > 1 {
            let mut seen = Seen::new(most);
            if most <= MOST_PAIRS {
                pairs.iter().for_each(|pair| seen.mark(*pair));
                pairs.retain(|pair| seen.again(*pair));
            } else {
                all(&mut |pair| seen.mark(pair));
                all(&mut |pair| pairs.extend(Some(pair).filter(|pair| seen.again(*pair))));
            }
        }
        pairs.sort_unstable();
        let groups = pairs.chunk_by(|a, b| a == b).filter(|group| group.len() as u64 >= repeats.times);
        let mut report = RepeatReport { groups: 0, orders: 0, listed: Vec::new() };
        for group in groups {
            let (Some((key, node)), orders) = (group.first(), group.len() as u64) else { continue };
            report.groups += 1;
            report.orders += orders;
            if repeats.list > 0 {
                let tree = nodes.as_ref().and_then(|nodes| self.forest().of(nodes.field));
                let node = tree.and_then(|tree| tree.get(*node));
                report.listed.push(Repeat { key: key.cast_unsigned(), node, orders });
            }
        }
        // Stable: of as many orders, keys and nodes stay in their order.
        report.listed.sort_by_key(|repeat| (Reverse(repeat.orders), repeat.key));
        report.listed.truncate(repeats.list);
        Ok(report)
    }
}

fn asked<'a>(
    snapshot: &'a Snapshot,
    plan: &'a Plan,
    key: ColumnId,
    nodes: Option<&Dimension>,
) -> Result<Vec<Asked<'a>>> {
    let frame = Frame::new(plan, snapshot)?;
    let mut asked = Vec::new();
    for live in snapshot.lives() {
        let Some(keys) = live.segment.column(key)? else { continue };
        let Some((chosen, kept)) = kept(plan, &frame, snapshot, live)? else { continue };
        let column = nodes.and_then(Dimension::column);
        let nodes = column.map_or(Ok(None), |column| live.segment.column(column))?;
        asked.push(Asked { chosen, kept, keys, nodes });
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Order, Patch, Schema, Store, is};
    use std::collections::BTreeMap;

    /// Callers come again at every distance, some only under other topics, in other districts or months.
    #[test]
    fn repeats_are_what_grouping_finds() {
        let schema = Schema::builder("UTC")
            .place(["district"])
            .tree("topic", ["theme", "topic"])
            .category("channel")
            .key("caller")
            .build()
            .unwrap();
        let store = Store::in_memory(schema).unwrap();
        let mut commit = store.begin();
        let mut naive: BTreeMap<(u64, String), u64> = BTreeMap::new();
        for number in 0..600_u64 {
            let (caller, theme, district) = (number * number % 97, number % 3, number % 4);
            let created = format!("2026-0{}-11T00:00:00Z", 1 + number % 5);
            let mut order = Order::new(number.to_string(), created.as_str())
                .place([format!("d{district}")])
                .tree("topic", [format!("t{theme}"), format!("t{theme}.{}", number % 7 / 4)])
                .category("channel", if number % 11 == 0 { "web" } else { "phone" });
            if number % 13 != 0 {
                order = order.key("caller", caller);
            }
            commit.upsert(order);
            let asked = district < 2 && number % 5 < 4 && (number % 11 != 0 && number != 5);
            if asked && number % 13 != 0 {
                *naive.entry((caller, format!("t{theme}"))).or_default() += 1;
            }
        }
        commit.finish().unwrap();
        let mut commit = store.begin();
        commit.patch("5", Patch::new().category("channel", "web"));
        commit.finish().unwrap();
        let now = store.snapshot();
        let months =
            now.calendar().month(2026, 1).unwrap().start()..now.calendar().month(2026, 4).unwrap().end();
        let query = Query::zoom()
            .within(now.unit(["d0"]).unwrap())
            .within(now.unit(["d1"]).unwrap())
            .during(crate::Span::new(months.start, months.end).unwrap())
            .filter(is("channel", "phone"));
        let topics = now.tree("topic").unwrap();
        for times in 1..6 {
            let repeats = Repeats::of("caller").within("topic", "theme").times(times).list(1000);
            let report = now.repeats(&query, &repeats).unwrap();
            let mut expected: Vec<_> = naive
                .iter()
                .filter(|(_, orders)| **orders >= times)
                .map(|(pair, orders)| (pair.clone(), *orders))
                .collect();
            assert!(!expected.is_empty() || times > 4);
            assert_eq!(report.groups, expected.len() as u64);
            assert_eq!(report.orders, expected.iter().map(|(_, orders)| orders).sum::<u64>());
            assert!(report.listed.is_sorted_by_key(|repeat| Reverse(repeat.orders)));
            let name = |repeat: &Repeat| topics.name_of(repeat.node.unwrap()).to_owned();
            let mut listed: Vec<_> =
                report.listed.iter().map(|repeat| ((repeat.key, name(repeat)), repeat.orders)).collect();
            listed.sort();
            expected.sort();
            assert_eq!(listed, expected);
        }
        let by_caller = now.repeats(&Query::zoom(), &Repeats::of("caller")).unwrap();
        assert_eq!(by_caller.orders, 600 - 600_u64.div_ceil(13));
        assert!(now.repeats(&query, &Repeats::of("caller").within("channel", "theme")).is_err());
        assert!(now.repeats(&query, &Repeats::of("channel")).is_err());
    }
}
