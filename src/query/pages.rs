//! Counting by pages of the ledger: what several segments add up to, without looking at each.

use crate::error::Result;
use crate::segment::{Fact, Records, SectionId};
use crate::store::{Block, Live, Snapshot};

use super::Access;
use super::cover::{Days, Lines, clock_of_days, is_by_days, is_counted, level_of, views_by_days};
use super::execute::Asked;
use super::facts::add;
use super::groups::NONE;
use super::plan::{Part, Plan};
use super::ranges::Ranges;

impl Ranges<'_> {
    /// Adds what the ledger sums. Gives the segments that are left.
    pub(super) fn add_pages<'s>(&mut self, asked: Vec<Asked<'s>>) -> Result<Vec<Asked<'s>>> {
        let plan = self.plan;
        let views = matches!(plan.access, None | Some(Access::Views));
        if !views || !plan.by.is_empty() || !plan.needs.adds_up() {
            return Ok(asked);
        }
        let left = if plan.filter.is_always() { self.add_blocks(asked)? } else { asked };
        if is_by_days(plan) { self.add_days(left) } else { Ok(left) }
    }

    /// Adds runs of partitions of which all is asked for in one step.
    fn add_blocks<'s>(&mut self, asked: Vec<Asked<'s>>) -> Result<Vec<Asked<'s>>> {
        let index = self.snapshot.index();
        let all = index.first().map(|first| first.partition).zip(index.last().map(|last| last.partition));
        let Some(all) = all else { return Ok(asked) };
        if let [only] = asked.as_slice()
            && only.live.is_clean()
        {
            return Ok(asked);
        }
        let lives: Vec<&Live> = asked.iter().map(|asked| asked.live).collect();
        let mut left = Vec::new();
        let mut begin = 0;
        while let Some(first) = asked.get(begin) {
            // The partition, and those behind it that lie in the same step whole.
            let (mut end, step) = self.whole(&asked, begin);
            while step.is_some() && end < asked.len() {
                let (next, other) = self.whole(&asked, end);
                if other != step {
                    break;
                }
                end = next;
            }
            match step {
                None => left.extend_from_slice(&asked[begin..end]),
                Some(step) => {
                    let last = lives[end - 1].partition();
                    for (block, behind) in Block::cut(first.live.partition(), last, all) {
                        let inside = begin
                            ..begin + lives[begin..end].partition_point(|live| live.partition() <= behind);
                        begin = inside.end;
                        if !self.add_block(step, block, &lives[inside.clone()])? {
                            left.extend_from_slice(&asked[inside]);
                        }
                    }
                }
            }
            begin = end;
        }
        Ok(left)
    }

    /// Where the partition that begins at a segment ends, and the step that all its orders lie in; none where not all of
    /// them are asked for, or seen.
    fn whole(&self, asked: &[Asked<'_>], begin: usize) -> (usize, Option<usize>) {
        let step = |asked: &Asked<'_>| {
            let whole = asked.times.all && asked.live.visibility().is_none();
            asked.times.step.filter(|_| whole).and_then(|step| self.frame.place_of(step))
        };
        let partition = asked[begin].live.partition();
        let same = asked[begin..].iter().take_while(|asked| asked.live.partition() == partition);
        let end = begin + same.count();
        let first = step(&asked[begin]);
        (end, first.filter(|_| asked[begin..end].iter().all(|asked| step(asked) == first)))
    }

    /// Adds a block of the ledger; says whether there are pages for it.
    fn add_block(&mut self, step: usize, block: Block, lives: &[&Live]) -> Result<bool> {
        let (plan, snapshot) = (self.plan, self.snapshot);
        // A view alone is as good as a page.
        if let [only] = lives
            && only.is_clean()
        {
            return Ok(false);
        }
        self.pages.clear();
        let mut units = 0;
        for part in &plan.parts {
            let view = SectionId::Level(level_of(snapshot, *part));
            let Some(page) = snapshot.page(view, block, lives)? else { return Ok(false) };
            let Some(totals) = page.units() else { return Ok(false) };
            if !self.is_covered_by(&totals.records()?) {
                return Ok(false);
            }
            units += totals.units().len();
            self.pages.push((*part, page));
        }
        if !self.table.has_room(units) {
            return Ok(false);
        }
        let place = snapshot.place();
        let pages = std::mem::take(&mut self.pages);
        for (part, page) in &pages {
            let Some(totals) = page.units() else { continue };
            let range = part.base.map_or(0..totals.units().len(), |base| totals.under(place, base));
            let units = totals.units().get(range.clone()).unwrap_or(&[]);
            let per_unit = if part.level.is_some() { 1 } else { units.len() };
            self.place(*part, units.iter().map(|unit| u32::try_from(*unit).unwrap_or(NONE)));
            self.cells.iter_mut().for_each(|cell| *cell += step);
            self.count_view(&totals.records()?, (range.start, per_unit), add, i128::saturating_add);
        }
        self.pages = pages;
        Ok(true)
    }

    /// Adds partitions of which some days are asked for.
    fn add_days<'s>(&mut self, asked: Vec<Asked<'s>>) -> Result<Vec<Asked<'s>>> {
        let mut left = Vec::new();
        for partition in asked.chunk_by(|a, b| a.live.partition() == b.live.partition()) {
            if !self.add_partition(partition)? {
                left.extend_from_slice(partition);
            }
        }
        Ok(left)
    }

    /// Adds a partition, of whose segments some may have no order in the span; says whether there are pages for it.
    fn add_partition(&mut self, asked: &[Asked<'_>]) -> Result<bool> {
        let (plan, frame, snapshot) = (self.plan, self.frame, self.snapshot);
        let Some(first) = asked.first().map(|asked| asked.live) else { return Ok(true) };
        // A view alone is as good as a page.
        if asked.len() == 1 && first.is_clean() || asked.iter().any(|asked| asked.live.visibility().is_some())
        {
            return Ok(false);
        }
        let index = snapshot.index();
        let begin = index.partition_point(|entry| entry.partition < first.partition());
        let entries = index[begin..].iter().take_while(|entry| entry.partition == first.partition());
        let lives: Vec<&Live> = entries.filter_map(|entry| snapshot.lives().get(entry.live)).collect();
        let bounds = lives.iter().filter_map(|live| live.segment.summary().times(clock_of_days(plan)));
        let Some(bounds) = bounds.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { return Ok(false) };
        let block = Block::of(first.partition(), 0);
        let mut pages = Vec::with_capacity(plan.parts.len());
        for part in &plan.parts {
            let Some(view) = smallest(plan, snapshot, *part, &lives)? else { return Ok(false) };
            let Some(page) = snapshot.page(view, block, &lives)? else { return Ok(false) };
            pages.push((*part, view, page));
        }
        let mut parts = Vec::with_capacity(pages.len());
        for (part, view, page) in &pages {
            let Some(grid) = page.days()?.filter(|grid| is_counted(plan, grid)) else { return Ok(false) };
            let Some(days) = Days::of(plan, frame, bounds, &grid) else { return Ok(false) };
            parts.push((Lines::new(plan, snapshot, *part, (*view, grid)), days));
        }
        if !self.table.has_room(parts.iter().map(|(lines, _)| lines.units()).sum()) {
            return Ok(false);
        }
        for (lines, days) in &parts {
            self.add_lines(lines, days);
        }
        Ok(true)
    }

    /// Whether a view has all that is counted.
    fn is_covered_by(&self, view: &Records<'_>) -> bool {
        let needs = &self.plan.needs;
        let counters = needs.counters.iter().map(|number| Fact::Counter(*number));
        let sums = needs.sums.iter().flat_map(|number| [Fact::Having(*number), Fact::Sum(*number)]);
        counters.chain(sums).chain([Fact::Orders]).all(|fact| view.lane(fact).is_some())
    }
}

/// The smallest view by days that some segment has for a part of the question.
fn smallest(plan: &Plan, snapshot: &Snapshot, part: Part, lives: &[&Live]) -> Result<Option<SectionId>> {
    for view in views_by_days(plan, snapshot, part) {
        for live in lives {
            if live.segment.grid(view)?.is_some() {
                return Ok(Some(view));
            }
        }
    }
    Ok(None)
}
