//! Repeats: orders of one key, and of one node of a tree, that came more than once.

use std::cmp::Reverse;
use std::ops::Range;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::schema::Field;
use crate::segment::{Column, ColumnId, present};
use crate::store::{Live, Snapshot};
use crate::tree::Node;

use super::execute::{Asked, Frame, SegmentPlan};
use super::groups::{Member, NONE};
use super::number::AT_ONCE;
use super::plan::{Dimension, Plan, dimension};
use super::row_reader::group;
use super::rows::{Chosen, pieces};
use super::select::{Kept, retain};
use super::several::{Seen, groups, hash};
use super::{By, Query};

/// The keys of so many orders are kept in memory; of more, they are read twice.
const MOST_READ: u64 = if cfg!(test) { 16 } else { 1 << 21 };
/// About how many orders have to be read before another thread is asked to help.
const ROWS_TO_SHARE: u64 = if cfg!(test) { 8 } else { 8_000 };
/// Into so many pieces for each thread orders are cut, so that none waits long for another.
const PIECES: usize = 4;

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

/// The orders of a segment, or of a piece of one, that are asked for.
struct Orders<'a> {
    ranges: Vec<Range<u32>>,
    kept: Kept,
    keys: Column<'a>,
    nodes: Option<Column<'a>>,
    dimension: Option<&'a Dimension>,
}

impl Orders<'_> {
    /// How many orders they are.
    fn len(&self) -> u64 {
        self.ranges.iter().map(|range| self.kept.len(range.clone()) as u64).sum()
    }

    /// Calls `each` with every row that has a key, and the key.
    fn for_each(&self, mut each: impl FnMut(u32, u64)) {
        let mut of = |row: u32, key: i64| {
            if let Some(key) = present(key) {
                each(row, key.cast_unsigned());
            }
        };
        let mut keys = Vec::new();
        for range in &self.ranges {
            match &self.kept {
                Kept::All => {
                    for start in range.clone().step_by(AT_ONCE) {
                        let rows = start..range.end.min(start + AT_ONCE as u32);
                        keys.clear();
                        self.keys.decode(rows.start as usize..rows.end as usize, &mut keys);
                        rows.zip(&keys).for_each(|(row, key)| of(row, *key));
                    }
                }
                Kept::Mask(mask) => self.keys.gather(mask.iter(range.clone()), &mut of),
                Kept::List(list) => {
                    let rows = list.iter().copied().filter(|row| range.contains(row));
                    self.keys.gather(rows, &mut of);
                }
            }
        }
    }

    /// Calls `each` with every row that has a key, and which of some buckets it belongs to: by the lower half of its key's hash.
    fn hashed(&self, buckets: usize, mut each: impl FnMut(usize, HashedRow)) {
        self.for_each(|row, key| {
            let hash = hash(key);
            let (higher, lower) = (hash & !u64::from(u32::MAX), hash & u64::from(u32::MAX));
            each(((lower * buckets as u64) >> 32) as usize, HashedRow(higher | u64::from(row)));
        });
    }

    /// Appends the keys of rows and the nodes that they repeat under: always the same where none is asked for; rows that have no node
    /// repeat nothing.
    fn pairs(&self, of: &[HashedRow], pairs: &mut Vec<(u64, Member)>) {
        let rows = || of.iter().map(|row| row.row());
        let Some(dimension) = self.dimension else {
            return self.keys.gather(rows(), |_, key| pairs.push((key.cast_unsigned(), 0)));
        };
        // A segment without the tree has no orders with a node.
        let Some(nodes) = &self.nodes else { return };
        let mut under = Vec::with_capacity(of.len());
        nodes.gather(rows(), |_, node| under.push(group(dimension, node)));
        let mut under = under.into_iter();
        self.keys.gather(rows(), |_, key| {
            pairs.extend(under.next().filter(|node| *node != NONE).map(|node| (key.cast_unsigned(), node)));
        });
    }
}

/// A row, and above it the higher half of its key's hash.
#[derive(Clone, Copy)]
struct HashedRow(u64);

impl HashedRow {
    #[inline]
    fn row(self) -> u32 {
        self.0 as u32
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
        let frame = Frame::new(&plan, self)?;
        let mut segments = Vec::new();
        for Asked { live, times } in Asked::all(&plan, &frame, self) {
            let chosen = SegmentPlan::new(&plan, self, live, &times)?;
            segments.extend(chosen.map(|chosen| (live, chosen)));
        }
        let rows: u64 = segments.iter().map(|(_, chosen)| chosen.hull().len() as u64).sum();
        let threads = if rows >= ROWS_TO_SHARE { self.threads()? } else { None };
        let find = |threads| find(&plan, &segments, (key, nodes.as_ref()), repeats.times, threads);
        let mut groups = match threads {
            Some(threads) => threads.install(|| find(threads.current_num_threads()))?,
            None => find(1)?,
        };
        let mut report = RepeatReport {
            groups: groups.len() as u64,
            orders: groups.iter().map(|(.., orders)| orders).sum(),
            listed: Vec::new(),
        };
        if repeats.list > 0 {
            groups.sort_unstable_by_key(|(key, node, orders)| (Reverse(*orders), *key, *node));
            let tree = nodes.as_ref().and_then(|nodes| self.forest().of(nodes.field));
            let listed = groups.into_iter().take(repeats.list).map(|(key, node, orders)| {
                let node = tree.and_then(|tree| tree.get(node));
                Repeat { key, node, orders }
            });
            report.listed = listed.collect();
        }
        Ok(report)
    }
}

/// The keys and nodes that come together so many times, and how many times they do.
fn find(
    plan: &Plan,
    segments: &[Chosen<'_, '_>],
    (key, nodes): (ColumnId, Option<&Dimension>),
    times: u64,
    threads: usize,
) -> Result<Vec<(u64, Member, u64)>> {
    let least = ROWS_TO_SHARE as usize / 2;
    let pieces = if threads > 1 { pieces(segments, PIECES * threads, least) } else { None };
    let asked = on_each(threads > 1, pieces.as_deref().unwrap_or(segments), |(live, chosen)| {
        asked(plan, live, chosen, key, nodes)
    });
    let asked: Vec<Orders<'_>> = asked.into_iter().filter_map(Result::transpose).collect::<Result<_>>()?;
    let all: u64 = asked.iter().map(Orders::len).sum();
    let read = (all <= MOST_READ).then(|| {
        on_each(threads > 1, &asked, |orders| {
            let about = orders.len() as usize * 9 / 8 / threads;
            let mut read: Vec<Vec<HashedRow>> = (0..threads).map(|_| Vec::with_capacity(about)).collect();
            orders.hashed(threads, |bucket, row| read[bucket].push(row));
            read
        })
    });
    let buckets: Vec<usize> = (0..threads).collect();
    let found = on_each(threads > 1, &buckets, |number| {
        let each = |visit: &mut dyn FnMut(&Orders<'_>, &[HashedRow])| match &read {
            Some(read) => asked.iter().zip(read).for_each(|(orders, read)| visit(orders, &read[*number])),
            None => asked.iter().for_each(|orders| {
                let mut mine = Vec::with_capacity(AT_ONCE);
                orders.hashed(threads, |bucket, row| {
                    if bucket == *number {
                        mine.push(row);
                    }
                    if mine.len() == AT_ONCE {
                        visit(orders, &mine);
                        mine.clear();
                    }
                });
                visit(orders, &mine);
            }),
        };
        repeating(all / threads as u64, times, each)
    });
    Ok(found.into_iter().flatten().map(|((key, node), orders)| (key, node, orders)).collect())
}

/// The keys and nodes that come together so many times, of about so many rows that `each` visits, twice the same.
fn repeating(
    rows: u64,
    times: u64,
    each: impl Fn(&mut dyn FnMut(&Orders<'_>, &[HashedRow])),
) -> Vec<((u64, Member), u64)> {
    // Few keys come again: only of their orders the nodes are looked at.
    let seen = (times > 1).then(|| {
        let mut seen = Seen::new(rows);
        each(&mut |_, rows| rows.iter().for_each(|row| seen.mark(row.0)));
        seen
    });
    let (mut again, mut pairs) = (Vec::new(), Vec::new());
    each(&mut |orders, rows| {
        again.clear();
        again.extend(rows);
        if let Some(seen) = &seen {
            retain(&mut again, |row: HashedRow| seen.again(row.0));
        }
        orders.pairs(&again, &mut pairs);
    });
    groups(&mut pairs, times)
}

/// What of a segment is asked for; none where its orders have no key.
fn asked<'a>(
    plan: &Plan,
    live: &'a Live,
    chosen: &SegmentPlan<'_>,
    key: ColumnId,
    dimension: Option<&'a Dimension>,
) -> Result<Option<Orders<'a>>> {
    let Some(keys) = live.segment.column(key)? else { return Ok(None) };
    let column = dimension.and_then(Dimension::column);
    let nodes = column.map_or(Ok(None), |column| live.segment.column(column))?;
    let kept = chosen.kept(plan, live)?;
    let ranges = chosen.ranges.iter().map(|(_, range)| range.clone()).collect();
    Ok(Some(Orders { ranges, kept, keys, nodes, dimension }))
}

/// What `work` gives for each task; shared among the threads that this runs on, where that is said.
fn on_each<T: Sync, R: Send>(shared: bool, tasks: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    if shared && tasks.len() > 1 {
        tasks.par_iter().map(work).collect()
    } else {
        tasks.iter().map(work).collect()
    }
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
            // Far from 0, but not from one another.
            let (caller, theme, district) = (9_000_000_000 + number * number % 97, number % 3, number % 4);
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
