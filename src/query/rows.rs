//! Counting row by row: what the groups need of single rows.

use crate::error::Result;
use crate::schema::Field;
use crate::segment::{Bits, Column, ColumnId, MISSING, RowMask, SectionId, Segment};

use super::Access;
use super::execute::Frame;
use super::facts::RowFacts;
use super::groups::{Groups, Key, Member, NONE};
use super::number::Number;
use super::plan::{Dimension, Plan};
use super::select::Selector;

/// Where counted orders go.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    pub(super) groups: Groups,
    /// Where set, only orders that are in a group not among these are counted, once and without unit and
    /// dimensions: the *others*.
    pub(super) top: Option<&'a hashbrown::HashSet<Key>>,
}

/// The rows that a counter counts: as the segment has them, or computed where it has not.
#[derive(Debug)]
pub(super) enum CounterRows<'a> {
    Bits(Bits<'a>),
    Mask(RowMask),
}

impl CounterRows<'_> {
    fn holds(&self, row: u32) -> bool {
        match self {
            Self::Bits(bits) => bits.get(row),
            Self::Mask(mask) => mask.contains(row),
        }
    }
}

/// A dimension's values per row.
#[derive(Debug)]
enum Values<'a> {
    Single(Option<Column<'a>>),
    Tags(usize),
}

/// Reads what the groups need of single rows.
#[derive(Debug)]
pub(super) struct RowReader<'a> {
    segment: &'a Segment,
    frame: &'a Frame,
    dimensions: Vec<(&'a Dimension, Values<'a>)>,
    clock: Option<Column<'a>>,
    timed: bool,
    pub(super) counters: Vec<CounterRows<'a>>,
    sums: Vec<Number<'a>>,
    extremes: Vec<Number<'a>>,
    values: Vec<Number<'a>>,
    keys: Vec<Number<'a>>,
    /// Reused for every row.
    facts: RowFacts,
    members: Vec<Vec<Member>>,
}

impl<'a> RowReader<'a> {
    pub(super) fn open(
        plan: &'a Plan,
        frame: &'a Frame,
        segment: &'a Segment,
        selector: &Selector<'a>,
        by_row: bool,
    ) -> Result<Self> {
        let scan = plan.access == Some(Access::Scan);
        let counter = |(need, number): (usize, &usize)| -> Result<CounterRows<'a>> {
            match segment.counter(*number)? {
                Some(bits) if !scan => Ok(CounterRows::Bits(bits)),
                _ => Ok(CounterRows::Mask(selector.mask(&plan.counters()?[need])?)),
            }
        };
        let counters = plan.needs.counters.iter().enumerate().map(counter).collect::<Result<_>>()?;
        let measure = |measure: &usize| Number::measure(segment, plan.schema(), *measure);
        let measures = |list: &[usize]| list.iter().map(measure).collect::<Result<Vec<_>>>();
        let key = |key: &usize| segment.column(ColumnId::Key(*key)).map(Number::Column);
        let dimension = |dimension: &'a Dimension| -> Result<_> {
            let values = match (dimension.field, dimension.column()) {
                (Field::Tags(number), _) => Values::Tags(number),
                (_, Some(column)) => Values::Single(segment.column(column)?),
                (_, None) => Values::Single(None),
            };
            Ok((dimension, values))
        };
        let timed = plan.grain.is_some() && by_row;
        Ok(Self {
            segment,
            frame,
            dimensions: plan.by.iter().map(dimension).collect::<Result<_>>()?,
            clock: if timed { segment.column(plan.clock.into())? } else { None },
            timed,
            counters,
            sums: measures(&plan.needs.sums)?,
            extremes: measures(&plan.needs.extremes)?,
            values: measures(&plan.needs.values)?,
            keys: plan.needs.keys.iter().map(key).collect::<Result<_>>()?,
            facts: RowFacts::default(),
            members: Vec::new(),
        })
    }

    /// Adds a row to its groups.
    pub(super) fn add(&mut self, row: u32, unit: Member, sink: &mut Sink<'_>) -> Result<()> {
        let step = if self.timed {
            self.frame.step(self.clock.map_or(MISSING, |clock| clock.get(row as usize)))
        } else {
            NONE
        };
        self.read_facts(row);
        if self.dimensions.is_empty() {
            return self.emit(unit, &[], step, sink).map(|_| ());
        }
        self.read_members(row)?;
        let members = std::mem::take(&mut self.members);
        let mut chosen = vec![0; members.len()];
        loop {
            let by: Vec<Member> = chosen.iter().zip(&members).map(|(at, values)| values[*at]).collect();
            let done = self.emit(unit, &by, step, sink)?;
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
                break;
            }
        }
        self.members = members;
        Ok(())
    }

    /// Adds the row to one group; says whether the row is done with.
    fn emit(&self, unit: Member, by: &[Member], step: Member, sink: &mut Sink<'_>) -> Result<bool> {
        let keys = &self.frame.keys;
        let key = keys.pack(unit, by, step);
        let Some(top) = sink.top else {
            let slot = sink.groups.slot(key)?;
            sink.groups.facts.add(slot, &self.facts);
            return Ok(false);
        };
        if top.contains(&keys.series(key)) {
            return Ok(false);
        }
        let others = vec![NONE; by.len()];
        let slot = sink.groups.slot(keys.pack(NONE, &others, step))?;
        sink.groups.facts.add(slot, &self.facts);
        Ok(true)
    }

    fn read_facts(&mut self, row: u32) {
        fn fill<'n>(values: &mut Vec<i64>, numbers: impl Iterator<Item = &'n Number<'n>>, row: u32) {
            values.clear();
            values.extend(numbers.map(|number| number.get(row)));
        }
        self.facts.counted.clear();
        self.facts.counted.extend(self.counters.iter().map(|counter| counter.holds(row)));
        fill(&mut self.facts.sums, self.sums.iter(), row);
        fill(&mut self.facts.extremes, self.extremes.iter(), row);
        fill(&mut self.facts.values, self.values.iter(), row);
        fill(&mut self.facts.keys, self.keys.iter(), row);
    }

    fn read_members(&mut self, row: u32) -> Result<()> {
        self.members.clear();
        for (dimension, values) in &self.dimensions {
            let group = |value: i64| {
                let value = usize::try_from(value).ok();
                value.and_then(|value| dimension.groups.get(value)).copied().unwrap_or(NONE)
            };
            let members = match values {
                Values::Single(column) => {
                    vec![group(column.map_or(MISSING, |column| column.get(row as usize)))]
                }
                Values::Tags(number) => {
                    let list = match self.segment.tags(*number)? {
                        Some(lists) => self.segment.placed(SectionId::Tags(*number), lists.get(row))?,
                        None => Vec::new(),
                    };
                    if list.is_empty() {
                        vec![NONE]
                    } else {
                        list.into_iter().map(|tag| group(tag.into())).collect()
                    }
                }
            };
            self.members.push(members);
        }
        Ok(())
    }
}
