//! From groups to an answer: order, dense time, subtotals, ranks and others.

use std::ops::Range;

use hashbrown::{HashMap, HashSet};

use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::schema::Field;
use crate::store::Snapshot;
use crate::tree::Node;

use super::answer::{Answer, Figure, GroupData, RowData, RowKind};
use super::execute::Frame;
use super::facts::Facts;
use super::groups::{Groups, Key, Member, NONE, member};
use super::plan::{Dimension, Part, Plan};
use super::table::Table;
use super::{Query, rank};

/// A group over all time: one row, or one row for each step.
#[derive(Debug, Clone)]
struct Series {
    unit: Option<Node>,
    kind: RowKind,
    by: Vec<Member>,
    /// Steps with orders, and their slots.
    cells: Vec<(Member, usize)>,
}

/// Builds the answer, of groups with at least so many orders. `others` counts the orders that are in a group not among the given ones.
pub(crate) fn assemble(
    query: &Query,
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    (mut groups, least): (Groups, u64),
    others: impl FnOnce(&HashSet<Key>) -> Result<Groups>,
) -> Result<Answer> {
    let mut series = collect(plan, frame, snapshot, &groups, least);
    if query.all_units {
        add_empty_units(plan, snapshot, &mut series, query.limit)?;
    }
    if query.between && query.top.is_none() {
        add_subtotals(plan, snapshot, &mut series, &mut groups.facts);
    }
    sort(plan, snapshot, &mut series);
    if let Some(k) = query.top {
        let rest = keep_top(plan, &mut series, &mut groups.facts, k);
        if !rest.is_empty() {
            let row = if plan.by.iter().any(|by| matches!(by.field, Field::Tags(_))) {
                let top = series.iter().map(|series| key(frame, series)).collect();
                let counted = others(&top)?;
                adopt(plan, frame, &mut groups.facts, &counted)
            } else {
                merge_all(plan, &mut groups.facts, &rest)
            };
            series.push(row);
        }
    }
    rows(query, plan, frame, snapshot, &series, &groups.facts)
}

/// Builds the answer of a table: a row for every unit with orders, or one for each of its steps.
pub(super) fn assemble_table(
    query: &Query,
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    table: &Table,
) -> Result<Answer> {
    let place = snapshot.place();
    let orders = |step: usize| {
        let mut cells = table.units().map(|(_, first)| first + step);
        cells.any(|cell| table.facts.orders[cell] > 0)
    };
    let steps = plan.grain.as_ref().map(|_| {
        let first = (0..table.steps()).find(|step| orders(*step)).unwrap_or(0);
        let last = (0..table.steps()).rfind(|step| orders(*step));
        let all = frame.steps.len().saturating_sub(1);
        dense(plan, all, last.map(|last| first..last + 1))
    });
    let units = || table.units().filter(|(_, first)| table.has_orders(*first));
    let total = (units().count() as u64).saturating_mul(steps.as_ref().map_or(1, |steps| steps.len() as u64));
    if total > plan.limit {
        return Err(Error::TooManyGroups { groups: total, limit: plan.limit });
    }
    let mut answer = empty(query, plan, snapshot);
    answer.rows.reserve_exact(total as usize);
    let mut cells = Vec::with_capacity(total as usize);
    for (member, first) in units() {
        let unit = place.get(member);
        let kind = row_kind(plan, snapshot, unit);
        for step in steps.clone().unwrap_or(0..1) {
            let cell = first + step;
            answer.rows.push(RowData { place: unit, kind, orders: table.facts.orders[cell] });
            cells.push(cell);
        }
        if let Some(steps) = &steps {
            answer.times.extend(steps.clone().map(|step| frame.steps.get(step).copied()));
        }
    }
    answer.figures = table.facts.figures(&plan.metrics, cells.iter().copied().map(Some));
    Ok(answer)
}

/// The groups, put together over time.
fn collect(plan: &Plan, frame: &Frame, snapshot: &Snapshot, groups: &Groups, least: u64) -> Vec<Series> {
    let place = snapshot.place();
    let mut series: HashMap<Key, Series> = HashMap::new();
    for (key, slot) in groups.keys().filter(|(_, slot)| groups.facts.orders[*slot] >= least) {
        let step = frame.keys.step(key);
        let found = series.entry(frame.keys.series(key)).or_insert_with(|| {
            let (unit, by) = frame.keys.unit_and_by(key);
            let unit = place.get(unit);
            let kind = row_kind(plan, snapshot, unit);
            Series { unit, kind, by, cells: Vec::new() }
        });
        found.cells.push((step, slot));
    }
    let mut series: Vec<Series> = series.into_values().collect();
    series.iter_mut().for_each(|series| series.cells.sort_unstable());
    series
}

/// What the row of a unit stands for.
pub(super) fn row_kind(plan: &Plan, snapshot: &Snapshot, unit: Option<Node>) -> RowKind {
    let is_target = part_of(plan, snapshot, unit).is_none_or(|part| part.is_target(snapshot.place(), unit));
    if is_target { RowKind::Target } else { RowKind::Remainder }
}

/// The part of the asked set that a group belongs to.
fn part_of<'a>(plan: &'a Plan, snapshot: &Snapshot, unit: Option<Node>) -> Option<&'a Part> {
    let place = snapshot.place();
    // Without a base, the label need not be looked up.
    let begins = |base: Node| place.label(base) <= unit.map_or(0, |unit| place.label(unit));
    let behind = plan.parts.partition_point(|part| part.base.is_none_or(begins));
    let part = plan.parts.get(behind.checked_sub(1)?)?;
    part.base.is_none_or(|base| unit.is_some_and(|unit| place.is_under(unit, base))).then_some(part)
}

fn key(frame: &Frame, series: &Series) -> Key {
    frame.keys.series(frame.keys.pack(member(series.unit), &series.by, NONE))
}

/// Adds what is missing of every target for every combination of groups that occurs.
fn add_empty_units(plan: &Plan, snapshot: &Snapshot, series: &mut Vec<Series>, limit: u64) -> Result<()> {
    let combinations: HashSet<Vec<Member>> = if plan.by.is_empty() {
        HashSet::from_iter([Vec::new()])
    } else {
        series.iter().map(|series| series.by.clone()).collect()
    };
    let known: HashSet<(Option<Node>, Vec<Member>)> =
        series.iter().map(|series| (series.unit, series.by.clone())).collect();
    for part in &plan.parts {
        let targets: Vec<Option<Node>> = match part.level {
            None => vec![part.base],
            Some(level) => snapshot.place().descendants(part.base, level).map(Some).collect(),
        };
        for unit in targets {
            let missing = combinations.iter().filter(|by| !known.contains(&(unit, (*by).clone())));
            series.extend(missing.map(|by| Series {
                unit,
                kind: RowKind::Target,
                by: by.clone(),
                cells: Vec::new(),
            }));
            if series.len() as u64 > limit {
                return Err(Error::TooManyGroups { groups: series.len() as u64, limit });
            }
        }
    }
    Ok(())
}

/// Adds a series for every unit between base and targets, with all orders at or under it.
fn add_subtotals(plan: &Plan, snapshot: &Snapshot, series: &mut Vec<Series>, facts: &mut Facts) {
    let place = snapshot.place();
    let mut sums: HashMap<(Node, Vec<Member>), HashMap<Member, usize>> = HashMap::new();
    for series in series.iter() {
        let (Some(unit), Some(part)) = (series.unit, part_of(plan, snapshot, series.unit)) else { continue };
        let Some(level) = part.level else { continue };
        let deepest = place.level_of(unit).min(level.saturating_sub(1));
        if level == 0 || series.cells.is_empty() {
            continue;
        }
        for above in part.between..=deepest {
            let total = sums.entry((place.ancestor(unit, above), series.by.clone())).or_default();
            for (step, from) in &series.cells {
                let slot = *total.entry(*step).or_insert_with(|| facts.slot());
                facts.merge_within(slot, *from);
            }
        }
    }
    for ((unit, by), cells) in sums {
        let mut cells: Vec<(Member, usize)> = cells.into_iter().collect();
        cells.sort_unstable();
        series.push(Series { unit: Some(unit), kind: RowKind::Subtotal, by, cells });
    }
}

/// Tree order, subtotals before remainders of the same unit; then the groups in the order of their dimension.
fn sort(plan: &Plan, snapshot: &Snapshot, series: &mut [Series]) {
    let place = snapshot.place();
    series.sort_by_cached_key(|series| {
        let unit = series.unit.map_or(0, |unit| place.label(unit));
        let by =
            plan.by.iter().zip(&series.by).map(|(dimension, value)| standing(dimension, *value, snapshot));
        (unit, series.kind != RowKind::Subtotal, by.collect::<Vec<u64>>())
    });
}

/// Where a group stands in the order of its dimension.
pub(super) fn standing(dimension: &Dimension, value: Member, snapshot: &Snapshot) -> u64 {
    match (dimension.field, value) {
        (Field::Tree(_), NONE) => 0,
        (Field::Tree(number), value) => {
            let tree = &snapshot.forest().trees[number];
            tree.label_at(value)
        }
        // Categories, tags and outcomes count from 0, and missing comes last.
        (_, value) => u64::from(value),
    }
}

/// Keeps the `k` series with the largest first metric, in that order, and gives the rest.
fn keep_top(plan: &Plan, series: &mut Vec<Series>, facts: &mut Facts, k: usize) -> Vec<Series> {
    let metric = plan.metrics.first().copied();
    let mut ranked: Vec<(Figure, Series)> = std::mem::take(series)
        .into_iter()
        .map(|series| {
            let slot = match series.cells[..] {
                [] => None,
                [(_, slot)] => Some(slot),
                _ => {
                    let total = facts.slot();
                    series.cells.iter().for_each(|(_, slot)| facts.merge_within(total, *slot));
                    Some(total)
                }
            };
            let orders = || Figure::Count(slot.map_or(0, |slot| facts.orders[slot]));
            (metric.map_or_else(orders, |metric| facts.lane(metric).figure(slot)), series)
        })
        .collect();
    // The sort is stable, so ties stay in tree order.
    ranked.sort_by(|a, b| rank::compare(&b.0, &a.0));
    let rest = ranked.split_off(k.min(ranked.len()));
    *series = ranked.into_iter().map(|(_, series)| series).collect();
    rest.into_iter().map(|(_, series)| series).collect()
}

fn others_row(plan: &Plan, cells: Vec<(Member, usize)>) -> Series {
    Series { unit: None, kind: RowKind::Others, by: vec![NONE; plan.by.len()], cells }
}

/// One series of all orders of the given ones, which share none.
fn merge_all(plan: &Plan, facts: &mut Facts, rest: &[Series]) -> Series {
    let mut cells: HashMap<Member, usize> = HashMap::new();
    for (step, from) in rest.iter().flat_map(|series| &series.cells) {
        let slot = *cells.entry(*step).or_insert_with(|| facts.slot());
        facts.merge_within(slot, *from);
    }
    let mut cells: Vec<(Member, usize)> = cells.into_iter().collect();
    cells.sort_unstable();
    others_row(plan, cells)
}

/// The series of others that an execution of its own has counted.
fn adopt(plan: &Plan, frame: &Frame, facts: &mut Facts, counted: &Groups) -> Series {
    let mut cells: Vec<(Member, usize)> = counted
        .keys()
        .map(|(key, from)| {
            let slot = facts.slot();
            facts.merge(slot, &counted.facts, from);
            (frame.keys.step(key), slot)
        })
        .collect();
    cells.sort_unstable();
    others_row(plan, cells)
}

/// The steps that rows are made for: those of the frame, less the ones before the first order and behind the last
/// where the span is open on that side.
fn dense_steps(plan: &Plan, frame: &Frame, series: &[Series]) -> Range<usize> {
    let dated =
        || series.iter().flat_map(|series| &series.cells).map(|(step, _)| *step).filter(|step| *step != NONE);
    let filled = dated().min().zip(dated().max()).map(|(first, last)| first as usize..last as usize + 1);
    dense(plan, frame.steps.len().saturating_sub(1), filled)
}

fn dense(plan: &Plan, count: usize, filled: Option<Range<usize>>) -> Range<usize> {
    let open_start = plan.span.start() == Span::ALL.start();
    let open_end = plan.span.end() == Span::ALL.end();
    match filled {
        Some(filled) => {
            (if open_start { filled.start } else { 0 })..(if open_end { filled.end } else { count })
        }
        None if open_start || open_end => 0..0,
        None => 0..count,
    }
}

/// The answer to a query, before it has a row.
pub(super) fn empty(query: &Query, plan: &Plan, snapshot: &Snapshot) -> Answer {
    Answer {
        snapshot: snapshot.clone(),
        metrics: query.metrics.clone(),
        by: plan.by.iter().map(|by| (by.name.clone(), by.field)).collect(),
        timed: plan.grain.is_some(),
        rows: Vec::new(),
        times: Vec::new(),
        groups: Vec::new(),
        figures: Vec::new(),
    }
}

fn rows(
    query: &Query,
    plan: &Plan,
    frame: &Frame,
    snapshot: &Snapshot,
    series: &[Series],
    facts: &Facts,
) -> Result<Answer> {
    let mut answer = empty(query, plan, snapshot);
    let steps = plan.grain.as_ref().map(|_| dense_steps(plan, frame, series));
    let per_series = steps.as_ref().map_or(1, |steps| steps.len() as u64);
    let undated = series
        .iter()
        .filter(|series| plan.grain.is_some() && series.cells.last().is_some_and(|(step, _)| *step == NONE));
    let total = (series.len() as u64).saturating_mul(per_series).saturating_add(undated.count() as u64);
    if total > plan.limit {
        return Err(Error::TooManyGroups { groups: total, limit: plan.limit });
    }
    let mut slots = Vec::with_capacity(total as usize);
    for series in series {
        let groups: Vec<GroupData> = group_data(plan, snapshot, series);
        let mut push = |time: Option<i64>, slot: Option<usize>| {
            let orders = slot.map_or(0, |slot| facts.orders[slot]);
            answer.rows.push(RowData { place: series.unit, kind: series.kind, orders });
            if plan.grain.is_some() {
                answer.times.push(time);
            }
            answer.groups.extend_from_slice(&groups);
            slots.push(slot);
        };
        let Some(steps) = steps.clone() else {
            push(None, series.cells.first().map(|(_, slot)| *slot));
            continue;
        };
        let mut cells = series.cells.iter().copied().peekable();
        for step in steps {
            let slot = cells.next_if(|cell| cell.0 as usize == step).map(|cell| cell.1);
            push(frame.steps.get(step).copied(), slot);
        }
        if let Some((_, slot)) = cells.find(|cell| cell.0 == NONE) {
            push(None, Some(slot));
        }
    }
    answer.figures = facts.figures(&plan.metrics, slots.iter().copied());
    Ok(answer)
}

fn group_data(plan: &Plan, snapshot: &Snapshot, series: &Series) -> Vec<GroupData> {
    let data = |(dimension, value): (&Dimension, &Member)| match series.kind {
        RowKind::Others => GroupData { value: None, remainder: false },
        _ => group(dimension, *value, snapshot),
    };
    plan.by.iter().zip(&series.by).map(data).collect()
}

/// A value of a dimension, as rows tell it.
pub(super) fn group(dimension: &Dimension, value: Member, snapshot: &Snapshot) -> GroupData {
    let known = (value != NONE).then_some(value);
    let remainder = match (dimension.field, dimension.level) {
        (Field::Tree(number), Some(level)) => {
            let tree = &snapshot.forest().trees[number];
            known.and_then(|value| tree.get(value)).is_none_or(|node| tree.level_of(node) < level)
        }
        _ => false,
    };
    GroupData { value: known, remainder }
}
