//! The front door: a snapshot runs a query, lists orders, explains.

use hashbrown::HashSet;

use crate::error::Result;
use crate::store::Snapshot;

use super::answer::Answer;
use super::assemble::assemble;
use super::execute::{Frame, Reach, plan_segment};
use super::explain::{Explanation, explain};
use super::groups::{Groups, Key};
use super::plan::Plan;
use super::rows::{Sink, count_all};
use super::{Query, Sort, orders};
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
        let plan = Plan::new(query, self)?;
        let frame = Frame::new(&plan, self)?;
        let groups = self.count(&plan, &frame, None)?;
        assemble(query, &plan, &frame, self, groups, |top| self.count(&plan, &frame, Some(top)))
    }

    fn count(&self, plan: &Plan, frame: &Frame, top: Option<&HashSet<Key>>) -> Result<Groups> {
        let mut sink = Sink::new(plan, frame, top);
        let mut by_rows = Vec::new();
        for live in self.lives() {
            let chosen = plan_segment(plan, frame, self, live)?;
            if chosen.reach != Reach::Pruned {
                by_rows.push((live, chosen));
            }
        }
        count_all(plan, frame, self, &by_rows, &mut sink)?;
        sink.groups.check()?;
        sink.groups.facts.settle();
        Ok(sink.groups)
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
        let plans = self.lives().iter().map(|live| plan_segment(&plan, &frame, self, live));
        Ok(explain(self, &plans.collect::<Result<Vec<_>>>()?))
    }
}
