//! What the groups need of single rows, read and added.

use std::ops::Range;

use crate::error::Result;
use crate::schema::{Clock, Field};
use crate::segment::{
    Bits, Column, ColumnId, Directory, Finder, Lists, MISSING, RowMask, SectionId, Segment, present,
};
use crate::store::Live;

use super::Access;
use super::execute::Frame;
use super::facts::{Facts, widest};
use super::groups::{Groups, Member, NONE, member};
use super::number::Number;
use super::plan::{Dimension, Plan};
use super::row_test::RowTest;
use super::rows::{PartRuns, Sink};
use super::select::{Kept, Selector};

/// So many rows are looked up together.
const LOOKED_UP: usize = 64;

/// The rows that a counter counts: as the segment has them, or by its filter where it has not.
#[derive(Debug)]
enum CounterRows<'a> {
    Bits(Bits<'a>),
    Test(RowTest<'a>),
}

impl CounterRows<'_> {
    #[inline]
    fn holds(&self, row: u32) -> bool {
        match self {
            Self::Bits(bits) => bits.get(row),
            Self::Test(test) => test.accepts(row),
        }
    }
}

/// What a row adds to the facts of its groups.
#[derive(Debug)]
struct RowFacts<'a> {
    counters: Vec<CounterRows<'a>>,
    sums: Vec<Number<'a>>,
    extremes: Vec<Number<'a>>,
    values: Vec<Number<'a>>,
    keys: Vec<Number<'a>>,
}

impl RowFacts<'_> {
    /// Whether orders are counted and nothing else.
    fn is_empty(&self) -> bool {
        self.counters.is_empty()
            && self.sums.is_empty()
            && self.extremes.is_empty()
            && self.values.is_empty()
            && self.keys.is_empty()
    }

    /// Adds the kept orders of a run to one group, one fact after the other.
    fn add_kept(&self, kept: &Kept, run: Range<u32>, slot: usize, facts: &mut Facts) {
        let mut orders = 0;
        kept.for_each(run.clone(), |_| orders += 1);
        facts.orders[slot] += orders;
        for (counts, counter) in facts.counters.iter_mut().zip(&self.counters) {
            let mut counted = 0;
            kept.for_each(run.clone(), |row| counted += u64::from(counter.holds(row)));
            counts[slot] += counted;
        }
        for (sums, number) in facts.sums.iter_mut().zip(&self.sums) {
            let (sum, count) = &mut sums[slot];
            number.each(kept, run.clone(), |value| {
                *sum += i128::from(value);
                *count += 1;
            });
        }
        for (extremes, number) in facts.extremes.iter_mut().zip(&self.extremes) {
            let found = &mut extremes[slot];
            number.each(kept, run.clone(), |value| *found = widest(*found, Some((value, value))));
        }
        for (values, number) in facts.values.iter_mut().zip(&self.values) {
            let list = &mut values[slot];
            number.each(kept, run.clone(), |value| list.push(value));
        }
        for (keys, number) in facts.keys.iter_mut().zip(&self.keys) {
            let set = &mut keys[slot];
            if let Number::Column(Some(column)) = number {
                set.expect(column.bounds(), orders);
            }
            number.each(kept, run.clone(), |key| set.insert_near(key));
        }
    }

    /// Adds one order.
    #[inline]
    fn add(&self, row: u32, slot: usize, facts: &mut Facts) {
        facts.orders[slot] += 1;
        for (counts, counter) in facts.counters.iter_mut().zip(&self.counters) {
            counts[slot] += u64::from(counter.holds(row));
        }
        for (sums, number) in facts.sums.iter_mut().zip(&self.sums) {
            if let Some(value) = present(number.get(row)) {
                sums[slot].0 += i128::from(value);
                sums[slot].1 += 1;
            }
        }
        for (extremes, number) in facts.extremes.iter_mut().zip(&self.extremes) {
            let value = present(number.get(row));
            extremes[slot] = widest(extremes[slot], value.map(|value| (value, value)));
        }
        for (values, number) in facts.values.iter_mut().zip(&self.values) {
            values[slot].extend(present(number.get(row)));
        }
        for (keys, number) in facts.keys.iter_mut().zip(&self.keys) {
            if let Some(key) = present(number.get(row)) {
                keys[slot].insert(key);
            }
        }
    }
}

/// A dimension's values per row.
#[derive(Debug)]
enum Values<'a> {
    Single(Option<Column<'a>>),
    Tags(usize, Option<Lists<'a>>),
}

/// The only dimension, where a row has one value in it, and where the groups stand among those of their unit: that of each byte,
/// where codes are bytes, or that of each value.
#[derive(Debug)]
enum Only<'a> {
    Bytes(&'a [u8], Box<[usize; 256]>),
    Values(Column<'a>, &'a [usize]),
}

/// The step of time of a row.
#[derive(Debug)]
enum Times<'a> {
    /// The same for all.
    Same(Member),
    Clock(Option<Column<'a>>),
}

/// Reads what the groups need of single rows.
#[derive(Debug)]
pub(super) struct RowReader<'a> {
    plan: &'a Plan,
    frame: &'a Frame,
    segment: &'a Segment,
    dimensions: Vec<(&'a Dimension, Values<'a>)>,
    /// Whether a row has one group: all dimensions have one value.
    single: bool,
    only: Option<Only<'a>>,
    times: Times<'a>,
    facts: RowFacts<'a>,
}

impl<'a> RowReader<'a> {
    pub(super) fn open(
        plan: &'a Plan,
        frame: &'a Frame,
        segment: &'a Segment,
        selector: &Selector<'a>,
    ) -> Result<Self> {
        let scan = plan.access == Some(Access::Scan);
        let counter = |(need, number): (usize, &usize)| -> Result<CounterRows<'a>> {
            match segment.counter(*number)? {
                Some(bits) if !scan => Ok(CounterRows::Bits(bits)),
                _ => Ok(CounterRows::Test(selector.test(&plan.counters()?[need])?)),
            }
        };
        let measure = |measure: &usize| Number::measure(segment, plan.schema(), *measure);
        let measures = |list: &[usize]| list.iter().map(measure).collect::<Result<Vec<_>>>();
        let key = |key: &usize| segment.column(ColumnId::Key(*key)).map(Number::Column);
        let dimension = |dimension: &'a Dimension| -> Result<_> {
            let values = match (dimension.field, dimension.column()) {
                (Field::Tags(number), _) => Values::Tags(number, segment.tags(number)?),
                (_, Some(column)) => Values::Single(segment.column(column)?),
                (_, None) => Values::Single(None),
            };
            Ok((dimension, values))
        };
        let facts = RowFacts {
            counters: plan.needs.counters.iter().enumerate().map(counter).collect::<Result<_>>()?,
            sums: measures(&plan.needs.sums)?,
            extremes: measures(&plan.needs.extremes)?,
            values: measures(&plan.needs.values)?,
            keys: plan.needs.keys.iter().map(key).collect::<Result<_>>()?,
        };
        let dimensions: Vec<_> = plan.by.iter().map(dimension).collect::<Result<_>>()?;
        let single = dimensions.iter().all(|(_, values)| matches!(values, Values::Single(_)));
        let times = Self::times(plan, frame, segment)?;
        let only = match (dimensions.as_slice(), frame.places.as_slice()) {
            ([(_, Values::Single(Some(column)))], [places]) => Some(match column.bytes() {
                Some(bytes) => {
                    let place = |code| place_among(places, column.value_of(code as u64));
                    Only::Bytes(bytes, Box::new(std::array::from_fn(place)))
                }
                None => Only::Values(*column, places),
            }),
            _ => None,
        };
        Ok(Self { plan, frame, segment, dimensions, single, only, times, facts })
    }

    fn times(plan: &Plan, frame: &Frame, segment: &'a Segment) -> Result<Times<'a>> {
        if plan.grain.is_none() {
            return Ok(Times::Same(NONE));
        }
        // `created` is never missing; other clocks may be.
        let bounds = segment.summary().times(plan.clock).filter(|_| plan.clock == Clock::Created);
        match bounds.map(|(first, last)| (frame.step(first), frame.step(last))) {
            Some((first, last)) if first == last => Ok(Times::Same(first)),
            _ => Ok(Times::Clock(segment.column(plan.clock.into())?)),
        }
    }

    #[inline]
    fn step(&self, row: u32) -> Member {
        match &self.times {
            Times::Same(step) => *step,
            Times::Clock(column) => {
                self.frame.step(column.as_ref().map_or(MISSING, |column| column.get(row as usize)))
            }
        }
    }

    /// Adds the rows of a run that are kept.
    pub(super) fn add_run(
        &self,
        kept: &Kept,
        run: Range<u32>,
        unit: Member,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let Some(first) = self.first(unit, sink) else {
            let mut added = Ok(());
            kept.for_each(run, |row| {
                if added.is_ok() {
                    added = self.add_hashed(row, unit, sink);
                }
            });
            return added;
        };
        let facts = &mut sink.groups.facts;
        match (&self.times, &self.only) {
            (Times::Same(step), _) if self.dimensions.is_empty() => {
                self.facts.add_kept(kept, run, first + self.frame.keys.place_of(*step), facts);
            }
            (Times::Same(step), Some(Only::Bytes(bytes, places))) if self.facts.is_empty() => {
                let orders = &mut facts.orders[first + self.frame.keys.place_of(*step)..];
                kept.for_each(run, |row| orders[places[usize::from(bytes[row as usize])]] += 1);
            }
            (Times::Same(step), Some(Only::Values(column, places))) if self.facts.is_empty() => {
                let orders = &mut facts.orders[first + self.frame.keys.place_of(*step)..];
                kept.for_each(run, |row| orders[place_among(places, column.get(row as usize))] += 1);
            }
            _ if self.facts.is_empty() => {
                kept.for_each(run, |row| facts.orders[first + self.place(row)] += 1)
            }
            _ => kept.for_each(run, |row| self.facts.add(row, first + self.place(row), facts)),
        }
        Ok(())
    }

    /// Adds listed rows, which ascend where there are several parts.
    pub(super) fn add_list(&self, list: &[u32], parts: &[PartRuns<'_>], sink: &mut Sink<'_>) -> Result<()> {
        for part in parts {
            let mut rows = list;
            if parts.len() > 1 {
                rows = &rows[rows.partition_point(|row| *row < part.rows.start)..];
                rows = &rows[..rows.partition_point(|row| *row < part.rows.end)];
            }
            let Some(directory) = &part.directory else {
                self.add_rows(rows, member(part.part.base), sink)?;
                continue;
            };
            let finder = directory.finder(part.runs.clone(), rows.len());
            rows.chunks(LOOKED_UP).try_for_each(|rows| self.look_up(rows, directory, &finder, sink))?;
        }
        Ok(())
    }

    /// Adds rows whose units are looked up. Each step is done for all of them, so that the memory fetches what several need at a
    /// time.
    fn look_up(
        &self,
        rows: &[u32],
        directory: &Directory<'_>,
        finder: &Finder<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let (mut runs, mut units, mut firsts) = ([0; LOOKED_UP], [NONE; LOOKED_UP], [None; LOOKED_UP]);
        for (run, row) in runs.iter_mut().zip(rows) {
            *run = finder.run_of(*row);
        }
        for (unit, (run, _)) in units.iter_mut().zip(runs.iter().zip(rows)) {
            *unit = directory.unit(*run).unwrap_or(NONE);
        }
        for (first, (unit, _)) in firsts.iter_mut().zip(units.iter().zip(rows)) {
            *first = self.first(*unit, sink);
        }
        let only = self.only_group();
        for ((row, unit), first) in rows.iter().zip(&units).zip(&firsts) {
            match (first, only) {
                (Some(first), Some(place)) => sink.groups.facts.orders[first + place] += 1,
                (Some(first), None) => {
                    self.facts.add(*row, first + self.place(*row), &mut sink.groups.facts);
                }
                (None, _) => self.add_hashed(*row, *unit, sink)?,
            }
        }
        Ok(())
    }

    /// Where the facts of a unit's groups begin; none where its rows are added group by group.
    #[inline]
    fn first(&self, unit: Member, sink: &mut Sink<'_>) -> Option<usize> {
        if self.single && sink.top.is_none() { sink.groups.unit(unit) } else { None }
    }

    /// Where the only group of a unit stands, where orders are counted and nothing else.
    fn only_group(&self) -> Option<usize> {
        match &self.times {
            Times::Same(step) if self.dimensions.is_empty() && self.facts.is_empty() => {
                Some(self.frame.keys.place_of(*step))
            }
            _ => None,
        }
    }

    /// Adds rows of a unit.
    #[inline]
    fn add_rows(&self, rows: &[u32], unit: Member, sink: &mut Sink<'_>) -> Result<()> {
        let Some(first) = self.first(unit, sink) else {
            return rows.iter().try_for_each(|row| self.add_hashed(*row, unit, sink));
        };
        let facts = &mut sink.groups.facts;
        match self.only_group() {
            Some(place) => facts.orders[first + place] += rows.len() as u64,
            None => rows.iter().for_each(|row| self.facts.add(*row, first + self.place(*row), facts)),
        }
        Ok(())
    }

    /// Finds where the only group of each row stands among those of its unit.
    pub(super) fn places(&self, rows: &[u32], found: &mut [u32]) {
        let mut next = found.iter_mut().zip(rows);
        match (&self.times, &self.only) {
            (Times::Same(step), Some(Only::Values(column, among))) => {
                let step = self.frame.keys.place_of(*step);
                column.gather(rows.iter().copied(), |_, value| {
                    next.next()
                        .into_iter()
                        .for_each(|(place, _)| *place = (step + place_among(among, value)) as u32);
                });
            }
            _ => next.for_each(|(place, row)| *place = self.place(*row) as u32),
        }
    }

    /// Where the only group of a row stands among those of its unit.
    #[inline]
    fn place(&self, row: u32) -> usize {
        let dimensions = self.dimensions.iter().zip(&self.frame.places);
        let places = dimensions.map(|((_, values), places)| {
            let value = match values {
                Values::Single(Some(column)) => column.get(row as usize),
                _ => MISSING,
            };
            place_among(places, value)
        });
        places.sum::<usize>() + self.frame.keys.place_of(self.step(row))
    }

    /// Adds a row whose unit has no places for its groups.
    fn add_hashed(&self, row: u32, unit: Member, sink: &mut Sink<'_>) -> Result<()> {
        let first = sink.groups.first_key(unit).filter(|_| self.single && sink.top.is_none());
        if let Some(first) = first {
            let slot = sink.groups.hashed((first + self.place(row) as u64).into())?;
            self.facts.add(row, slot, &mut sink.groups.facts);
            return Ok(());
        }
        self.add_to_each(row, unit, sink)
    }

    /// Adds a row to all its groups.
    fn add_to_each(&self, row: u32, unit: Member, sink: &mut Sink<'_>) -> Result<()> {
        let step = self.step(row);
        let members = self.members(row)?;
        let mut chosen = vec![0; members.len()];
        loop {
            let by: Vec<Member> = chosen.iter().zip(&members).map(|(at, values)| values[*at]).collect();
            let done = self.emit(row, unit, &by, step, sink)?;
            // The next combination of values: only tags have more than one.
            let next = (0..members.len()).find(|dimension| {
                chosen[*dimension] += 1;
                let more = chosen[*dimension] < members[*dimension].len();
                if !more {
                    chosen[*dimension] = 0;
                }
                more
            });
            if done || next.is_none() {
                return Ok(());
            }
        }
    }

    /// Adds the row to one group; says whether the row is done with.
    fn emit(&self, row: u32, unit: Member, by: &[Member], step: Member, sink: &mut Sink<'_>) -> Result<bool> {
        let keys = &self.frame.keys;
        let key = keys.pack(unit, by, step);
        let Some(top) = sink.top else {
            let slot = sink.groups.slot(key)?;
            self.facts.add(row, slot, &mut sink.groups.facts);
            return Ok(false);
        };
        if top.contains(&keys.series(key)) {
            return Ok(false);
        }
        let others = vec![NONE; by.len()];
        let slot = sink.groups.slot(keys.pack(NONE, &others, step))?;
        self.facts.add(row, slot, &mut sink.groups.facts);
        Ok(true)
    }

    /// The groups of a row in each dimension.
    fn members(&self, row: u32) -> Result<Vec<Vec<Member>>> {
        let members = |(dimension, values): &(&Dimension, Values<'_>)| match values {
            Values::Single(column) => {
                let value = column.as_ref().map_or(MISSING, |column| column.get(row as usize));
                Ok(vec![group(dimension, value)])
            }
            Values::Tags(number, lists) => {
                let list = match lists {
                    Some(lists) => self.segment.placed(SectionId::Tags(*number), lists.get(row))?,
                    None => Vec::new(),
                };
                Ok(if list.is_empty() {
                    vec![NONE]
                } else {
                    list.into_iter().map(|tag| group(dimension, tag.into())).collect()
                })
            }
        };
        self.dimensions.iter().map(members).collect()
    }

    /// Counts all rows of a run without looking at each, less those that have ended.
    pub(super) fn count_range(
        &self,
        live: &Live,
        unit: Member,
        run: Range<u32>,
        groups: &mut Groups,
    ) -> Result<()> {
        let orders = u64::from(run.end - run.start).saturating_sub(live.dead(run.clone()));
        let Some(slot) = self.counted(orders, unit, run.start, groups)? else { return Ok(()) };
        let counters = self.facts.counters.iter().zip(&self.plan.needs.counters);
        for (counts, (counter, number)) in groups.facts.counters.iter_mut().zip(counters) {
            let counted = match counter {
                CounterRows::Bits(bits) => bits.count(run.clone()),
                CounterRows::Test(test) => run.clone().filter(|row| test.accepts(*row)).count() as u64,
            };
            // In a damaged segment a counter may count fewer than its dead.
            counts[slot] += counted.saturating_sub(live.dead_counted(*number, run.clone()));
        }
        Ok(())
    }

    /// Counts the rows of a run that a mask has.
    pub(super) fn count_mask(
        &self,
        mask: &RowMask,
        unit: Member,
        run: Range<u32>,
        groups: &mut Groups,
    ) -> Result<()> {
        let orders = mask.count(run.clone());
        let Some(slot) = self.counted(orders, unit, run.start, groups)? else { return Ok(()) };
        for (counts, counter) in groups.facts.counters.iter_mut().zip(&self.facts.counters) {
            counts[slot] += match counter {
                CounterRows::Bits(bits) => mask.count_with(*bits, run.clone()),
                CounterRows::Test(test) => {
                    mask.iter(run.clone()).filter(|row| test.accepts(*row)).count() as u64
                }
            };
        }
        Ok(())
    }

    /// Adds so many orders of a run to its only group; none where there are none.
    fn counted(&self, orders: u64, unit: Member, row: u32, groups: &mut Groups) -> Result<Option<usize>> {
        if orders == 0 {
            return Ok(None);
        }
        debug_assert!(self.plan.by.is_empty(), "dimensions are counted row by row");
        let slot = groups.slot(self.frame.keys.pack(unit, &[], self.step(row)))?;
        groups.facts.orders[slot] += orders;
        Ok(Some(slot))
    }
}

/// The place of a value. One that is missing, or came later than the snapshot, stands last.
#[inline]
fn place_among(places: &[usize], value: i64) -> usize {
    let place = usize::try_from(value).ok().and_then(|value| places.get(value));
    place.or(places.last()).copied().unwrap_or(0)
}

/// The group of a value.
#[inline]
pub(super) fn group(dimension: &Dimension, value: i64) -> Member {
    let value = usize::try_from(value).ok();
    value.and_then(|value| dimension.groups.get(value)).copied().unwrap_or(NONE)
}
