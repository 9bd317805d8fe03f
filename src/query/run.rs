//! The front door: a snapshot runs a query, lists orders, explains.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::calendar::Span;
use crate::error::Result;
use crate::store::{Live, Snapshot};

use super::answer::{Answer, GroupKey};
use super::assemble::{assemble, assemble_table};
use super::cover::Cover;
use super::cross::{assemble_cross, assemble_some};
use super::execute::{Asked, Frame, SegmentPlan, Times};
use super::explain::{Explanation, Way, explain};
use super::groups::{Groups, Member, NONE, member};
use super::plan::Plan;
use super::ranges::Ranges;
use super::rows::{Wanted, count_all};
use super::table::Table;
use super::top::assemble_top;
use super::{Access, Query, Sort, orders};
use crate::order::Order;

impl Snapshot {
    /// Answers a query.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown), [`Error::Ambiguous`](crate::Error::Ambiguous) or
    /// [`Error::Invalid`](crate::Error::Invalid) name what the query says and the store does not know;
    /// [`Error::TooManyGroups`](crate::Error::TooManyGroups) the limit;
    /// [`Error::Corrupt`](crate::Error::Corrupt) a damaged file.
    pub fn run(&self, query: &Query) -> Result<Answer> {
        self.run_at_least(query, 1)
    }

    /// As [`run`](Self::run), for a query without grain, top k and subtotals: groups with fewer orders may be left out.
    pub(crate) fn run_at_least(&self, query: &Query, least: u64) -> Result<Answer> {
        let plan = Plan::new(query, self)?;
        let frame = Frame::new(&plan, self)?;
        let (mut table, mut groups) = self.count(&plan, &frame, Wanted { least, top: None })?;
        let plain = plan.by.is_empty() && !query.all_units;
        match query.top {
            None if plain && !query.between && groups.is_empty() => {
                return assemble_table(query, &plan, &frame, self, &table);
            }
            Some(k) if plain && plan.grain.is_none() && groups.is_empty() => {
                let units: Vec<_> = table.filled().map(|(unit, _, cell)| (unit, cell)).collect();
                return assemble_top(query, &plan, self, units.into_iter(), &mut table.facts, k);
            }
            _ => {}
        }
        groups.add(&frame.keys, plan.grain.is_some(), &table)?;
        if let Some(k) = query.top.filter(|_| plain && plan.grain.is_none()) {
            let orders = &groups.facts.orders;
            let units: Vec<_> = match groups.by_unit() {
                // Without dimensions and time, a unit is one group.
                Some(units) => units.iter().copied().filter(|(_, slot)| orders[*slot] > 0).collect(),
                None => groups.keys().map(|(key, slot)| (frame.keys.unit_and_by(key).0, slot)).collect(),
            };
            return assemble_top(query, &plan, self, units.into_iter(), &mut groups.facts, k);
        }
        let flat = query.top.is_none() && plan.grain.is_none() && !query.between && !query.all_units;
        if let Some(units) = groups.by_unit().filter(|_| flat) {
            return assemble_cross(query, &plan, &frame, self, (units, &groups.facts), least);
        }
        if let Some(per_unit) = frame.keys.per_unit().filter(|_| flat) {
            return assemble_some(query, &plan, &frame, self, (&groups, least), per_unit);
        }
        assemble(query, &plan, &frame, self, (groups, least), |top| {
            Ok(self.count(&plan, &frame, Wanted { least: 1, top: Some(top) })?.1)
        })
    }

    /// The orders that some groups of a query without grain, top k and subtotals have in each of several spans.
    pub(crate) fn counts_in(
        &self,
        query: &Query,
        spans: &[Span],
        groups: &[GroupKey],
    ) -> Result<Vec<Vec<u64>>> {
        let members = |by: &[Option<u32>]| by.iter().map(|value| value.unwrap_or(NONE)).collect();
        let wanted: Vec<(Member, Vec<Member>)> =
            groups.iter().map(|(unit, by)| (member(*unit), members(by))).collect();
        let query = Query { metrics: Vec::new(), ..query.clone() };
        let counts = |span: &Span| -> Result<Vec<u64>> {
            let plan = Plan::new(&query.clone().during_on(query.clock.clone(), *span), self)?;
            let frame = Frame::new(&plan, self)?;
            let (table, mut groups) = self.count(&plan, &frame, Wanted { least: 1, top: None })?;
            groups.add(&frame.keys, false, &table)?;
            Ok(wanted.iter().map(|(unit, by)| groups.orders(frame.keys.pack(*unit, by, NONE))).collect())
        };
        match self.threads()?.filter(|_| spans.len() > 1) {
            // Each span is one thread's.
            Some(threads) => threads.install(|| spans.par_iter().map(counts).collect()),
            None => spans.iter().map(counts).collect(),
        }
    }

    /// Counts what can be had from ranges into a table, and the rest into groups.
    fn count(&self, plan: &Plan, frame: &Frame, mut wanted: Wanted<'_>) -> Result<(Table, Groups)> {
        let mut ranges = Ranges::new(plan, frame, self);
        let asked = ranges.add_pages(Asked::all(plan, frame, self))?;
        let mut by_rows = Vec::with_capacity(asked.len());
        for Asked { live, times } in asked {
            let cover = Cover::of(plan, frame, self, live, &times)?;
            if let Some(cover) = &cover
                && ranges.add(live, cover)?
            {
                continue;
            }
            by_rows.extend(SegmentPlan::new(plan, self, live, &times)?.map(|chosen| (live, chosen)));
        }
        if !ranges.table.is_empty() {
            // What the table has of a group is still to come.
            wanted.least = 1;
        }
        let mut groups = count_all(plan, frame, self, &by_rows, wanted)?;
        groups.finish()?;
        Ok((ranges.table, groups))
    }

    /// The orders behind a figure: at most `limit` of those that the query's units, span and filter keep.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn orders(&self, query: &Query, sort: Sort, limit: usize) -> Result<Vec<Order>> {
        orders::orders(self, query, &sort, limit)
    }

    /// How a query would be answered, segment by segment.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn explain(&self, query: &Query) -> Result<Explanation> {
        let plan = Plan::new(query, self)?;
        let frame = Frame::new(&plan, self)?;
        let ways = self.lives().iter().map(|live| {
            let times = Times::of(&plan, &frame, &live.segment);
            let Some(chosen) = SegmentPlan::new(&plan, self, live, &times)? else { return Ok(None) };
            let cover = Cover::of(&plan, &frame, self, live, &times)?;
            let access = match cover {
                Some(_) => query.access.unwrap_or(Access::Views),
                None => chosen.access(&plan, &live.segment)?,
            };
            Ok(Some(Way { chosen, access, view: cover.and_then(|cover| cover.name(self)) }))
        });
        let left = Ranges::new(&plan, &frame, self).add_pages(Asked::all(&plan, &frame, self))?;
        let is_left = |live: &Live| left.iter().any(|asked| std::ptr::eq(asked.live, live));
        Ok(explain(self, &ways.collect::<Result<Vec<_>>>()?, |live| !is_left(live)))
    }
}
