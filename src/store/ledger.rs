//! The ledger: what the segments of several months together add up to, so that a question about years costs little more
//! than one about a month, and one about orders that have changed little more than one about orders that have not.
//!
//! A page has the units of one level, and sums a block: 2^n months (or what the store's partitions are) that begin at a
//! multiple of 2^n. Any run of months is a few blocks. A page by days has the units or the nodes of a level in one month. A
//! page names the segments that it sums and what of them had ended, and serves only snapshots that see exactly that.
//! Pages are made in memory, each from the two of its halves or from views, when a question first wants them, and again
//! after a commit has touched their months.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::error::Result;
use crate::segment::{Deaths, Grid, SectionId, Segment, Source, Totals, day_totals};

use super::{Live, State};

/// Beyond so many units a level has no pages: making one would take longer than most answers.
const MOST_UNITS: usize = 20_000;
/// Pages that take more bytes together are made anew.
const MOST_BYTES: usize = 64 << 20;

/// 2^`height` partitions: all whose number, without its lowest `height` bits, is `index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Block {
    height: u32,
    index: i32,
}

/// The pages that were made. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pages: Arc<RwLock<Pages>>,
    /// Whether no page is made: for snapshots of earlier commits, whose segments few others ask for.
    reads_only: bool,
}

#[derive(Debug, Default)]
struct Pages {
    /// By the views that they are like.
    of: HashMap<(SectionId, Block), Arc<Page>, FixedState>,
    bytes: usize,
}

/// What a block adds up to.
#[derive(Debug)]
pub(crate) struct Page {
    /// What it sums; it keeps none of them.
    seen: Vec<Seen>,
    /// The commit of the snapshot that it was made for.
    commit: u64,
    sums: Sums,
}

#[derive(Debug)]
enum Sums {
    Units(Totals),
    /// A view by days; none where it is not worth making.
    Days(Option<Vec<u8>>),
    /// A view by days that was asked for once. It is made when it is asked for again, as to make it takes longer than to
    /// read the segments one by one.
    Wish,
}

/// A segment, and which of its versions had ended.
#[derive(Debug)]
struct Seen {
    segment: Weak<Segment>,
    deaths: Vec<Weak<Deaths>>,
}

impl Block {
    pub(crate) fn of(partition: i32, height: u32) -> Self {
        Self { height, index: partition >> height }
    }

    fn last(self) -> i64 {
        ((i64::from(self.index) + 1) << self.height) - 1
    }

    /// As few blocks as hold the partitions from `first` to `last` and no other of a store that has those from the first
    /// to the last of `all`; each with the last partition that it is there for.
    pub(crate) fn cut(first: i32, last: i32, all: (i32, i32)) -> impl Iterator<Item = (Self, i32)> {
        let mut from = i64::from(first);
        std::iter::from_fn(move || {
            let begin = i32::try_from(from).ok().filter(|begin| *begin <= last)?;
            let fits = |block: &Self| {
                let starts = i64::from(block.index) << block.height == from || begin <= all.0;
                starts && (block.last() <= i64::from(last) || last >= all.1)
            };
            let heights = (0..31).map(|height| Self::of(begin, height)).take_while(fits);
            // The smallest of those that reach as far as any.
            let reach = |block: &Self| block.last().min(last.into());
            let block = heights.reduce(|best, next| if reach(&next) > reach(&best) { next } else { best });
            let block = block.unwrap_or(Self::of(begin, 0));
            from = reach(&block) + 1;
            Some((block, i32::try_from(reach(&block)).unwrap_or(last)))
        })
    }
}

impl Ledger {
    /// The same pages, for a snapshot of an earlier commit.
    pub(crate) fn of_earlier(&self) -> Self {
        Self { pages: Arc::clone(&self.pages), reads_only: true }
    }

    /// The page like a view that sums a block, whose segments are those of `lives`, by partition; none where it is not worth
    /// making, or not yet.
    pub(super) fn page(
        &self,
        state: &State,
        view: SectionId,
        block: Block,
        lives: &[&Live],
    ) -> Result<Option<Arc<Page>>> {
        let known = self.pages.read().unwrap_or_else(PoisonError::into_inner).of.get(&(view, block)).cloned();
        let (mut wished, mut later) = (false, false);
        if let Some(page) = known {
            match page.sums {
                Sums::Wish if page.is_of(lives) => wished = true,
                _ if page.is_of(lives) => return Ok(Some(page)),
                // It is left to those who see the newest.
                _ => later = page.commit > state.commit,
            }
        }
        if self.reads_only || later {
            return Ok(None);
        }
        let sums = match view {
            SectionId::Level(level) => self.totals(state, level, block, lives)?.map(Sums::Units),
            _ if wished => Some(Sums::Days(Self::days(state, view, lives)?)),
            _ => Some(Sums::Wish),
        };
        let Some(sums) = sums else { return Ok(None) };
        let seen = lives.iter().map(|live| Seen::new(live)).collect();
        let page = Arc::new(Page { seen, commit: state.commit, sums });
        self.insert((view, block), Arc::clone(&page));
        Ok(Some(page))
    }

    fn days(state: &State, view: SectionId, lives: &[&Live]) -> Result<Option<Vec<u8>>> {
        let segments: Vec<_> =
            lives.iter().map(|live| (live.segment.as_ref(), live.deaths.as_slice())).collect();
        day_totals(view, &segments, &state.schema, &state.forest)
    }

    fn totals(&self, state: &State, level: usize, block: Block, lives: &[&Live]) -> Result<Option<Totals>> {
        for live in lives {
            if live.segment.directory(level)?.len() > MOST_UNITS {
                return Ok(None);
            }
        }
        let mut pages = Vec::new();
        let mut sources: Vec<Source<'_>> = Vec::new();
        if let Some(height) = block.height.checked_sub(1) {
            for half in lives.chunk_by(|a, b| a.partition() >> height == b.partition() >> height) {
                let Some(first) = half.first() else { continue };
                match half {
                    [only] if only.deaths.is_empty() => sources.push(Self::source(only)),
                    _ => match self.page(
                        state,
                        SectionId::Level(level),
                        Block::of(first.partition(), height),
                        half,
                    )? {
                        Some(page) => pages.push(page),
                        None => return Ok(None),
                    },
                }
            }
        } else {
            sources.extend(lives.iter().map(|live| Self::source(live)));
        }
        sources.extend(pages.iter().filter_map(|page| page.units()).map(Source::Totals));
        Totals::of(&sources, level, &state.schema, &state.forest).map(Some)
    }

    fn source<'a>(live: &'a Live) -> Source<'a> {
        Source::Segment(&live.segment, &live.deaths)
    }

    fn insert(&self, key: (SectionId, Block), page: Arc<Page>) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = pages.of.remove(&key) {
            pages.bytes -= old.size();
        }
        if pages.bytes + page.size() > MOST_BYTES {
            *pages = Pages::default();
        }
        pages.bytes += page.size();
        pages.of.insert(key, page);
    }
}

impl Page {
    /// What the units of a level add up to.
    pub(crate) fn units(&self) -> Option<&Totals> {
        match &self.sums {
            Sums::Units(totals) => Some(totals),
            Sums::Days(_) | Sums::Wish => None,
        }
    }

    /// What lines add up to by days.
    pub(crate) fn days(&self) -> Result<Option<Grid<'_>>> {
        match &self.sums {
            Sums::Days(Some(bytes)) => Ok(Some(Grid::open(bytes)?)),
            _ => Ok(None),
        }
    }

    fn is_of(&self, lives: &[&Live]) -> bool {
        self.seen.len() == lives.len() && self.seen.iter().zip(lives).all(|(seen, live)| seen.is(live))
    }

    fn size(&self) -> usize {
        let sums = match &self.sums {
            Sums::Units(totals) => totals.size(),
            Sums::Days(bytes) => bytes.as_ref().map_or(0, Vec::len),
            Sums::Wish => 0,
        };
        sums + size_of_val(self.seen.as_slice())
    }
}

impl Seen {
    fn new(live: &Live) -> Self {
        Self {
            segment: Arc::downgrade(&live.segment),
            deaths: live.deaths.iter().map(Arc::downgrade).collect(),
        }
    }

    fn is(&self, live: &Live) -> bool {
        self.segment.as_ptr() == Arc::as_ptr(&live.segment)
            && self.deaths.len() == live.deaths.len()
            && self.deaths.iter().zip(&live.deaths).all(|(seen, deaths)| seen.as_ptr() == Arc::as_ptr(deaths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_hold_each_partition_once_and_no_other(first in -70i32..70, length in 0i32..70, before in 0i32..9, behind in 0i32..9) {
            let (last, all) = (first + length, (first - before, first + length + behind));
            let blocks: Vec<_> = Block::cut(first, last, all).collect();
            let held = |partition: i32| blocks.iter().filter(|(block, _)| Block::of(partition, block.height) == *block).count();
            for partition in all.0..=all.1 {
                prop_assert_eq!(held(partition), usize::from((first..=last).contains(&partition)));
            }
            let ends: Vec<i32> = blocks.iter().map(|(_, last)| *last).collect();
            prop_assert!(ends.is_sorted() && ends.last() == Some(&last));
            if before == 0 && behind == 0 && first >= 0 {
                prop_assert_eq!(blocks.len(), 1);
            }
            prop_assert!(blocks.len() <= 2 * 7);
        }
    }
}
