//! Which rows of a segment a condition keeps.

use std::ops::Range;

use crate::error::Result;
use crate::filter::{Condition, Leaf, Test};
use crate::segment::{ColumnId, RowMask, SectionId, Segment, Sets, SetsOf};
use crate::store::Live;

use super::Access;
use super::number::Number;
use super::row_test::RowTest;

/// Rows are listed, rather than marked, where at most one in so many is kept.
const LISTED_OF: u64 = 8;
/// So few rows are asked one by one before anything better could be prepared.
const FEW_ROWS: u64 = if cfg!(test) { 2 } else { 32 };
/// A value's rows are looked up, rather than every row's value, where there are so many rows for each value.
const ROWS_PER_VALUE: u64 = 16;

/// Evaluates conditions on the rows of one segment.
#[derive(Debug, Clone)]
pub(crate) struct Selector<'a> {
    segment: &'a Segment,
    /// The rows that matter; what a mask says outside is without meaning.
    range: Range<u32>,
    access: Option<Access>,
}

/// The rows that a question keeps, of those that matter.
#[derive(Debug)]
pub(crate) enum Kept {
    All,
    Mask(RowMask),
    /// Few of them, each once, in no particular order.
    List(Vec<u32>),
}

impl Kept {
    /// Leaves out the rows of a range whose versions have ended.
    pub(crate) fn leave_out_dead(&mut self, live: &Live, range: Range<u32>) {
        let dead = live.dead_mask();
        if let Self::List(list) = self {
            if let Some(dead) = dead {
                return retain(list, |row| !dead.contains(row));
            }
            let few: Vec<u32> = live.dead_rows(range).collect();
            if !few.is_empty() {
                retain(list, |row| !few.contains(&row));
            }
            return;
        }
        if dead.map_or_else(|| live.dead(range.clone()), |dead| dead.count(range.clone())) == 0 {
            return;
        }
        if matches!(self, Self::All) {
            *self = Self::Mask(RowMask::full(live.segment.rows()));
        }
        if let Self::Mask(mask) = self {
            match dead {
                Some(dead) => mask.and_not(range, dead),
                None => live.dead_rows(range).for_each(|row| mask.remove(row)),
            }
        }
    }

    /// How many there are, of rows that lie in a range.
    pub(crate) fn len(&self, range: Range<u32>) -> usize {
        match self {
            Self::All => range.len(),
            Self::Mask(mask) => mask.count(range) as usize,
            Self::List(list) => list.len(),
        }
    }

    /// The rows one by one, those that lie in a range.
    pub(crate) fn listed(self, range: Range<u32>) -> Vec<u32> {
        match self {
            Self::All => range.collect(),
            Self::Mask(mask) => mask.iter(range).collect(),
            Self::List(list) => list,
        }
    }

    /// The rows as a mask, those that lie in a range, of so many.
    pub(crate) fn marked(self, rows: u32, range: Range<u32>) -> RowMask {
        let mut mask = RowMask::new(rows);
        match self {
            Self::All => mask.insert_range(range),
            Self::Mask(marked) => return marked,
            Self::List(list) => list.into_iter().for_each(|row| mask.insert(row)),
        }
        mask
    }

    /// Calls `each` with the rows of a range.
    pub(crate) fn for_each(&self, range: Range<u32>, each: impl FnMut(u32)) {
        match self {
            Self::All => range.for_each(each),
            Self::Mask(mask) => mask.iter(range).for_each(each),
            Self::List(list) => list.iter().copied().filter(|row| range.contains(row)).for_each(each),
        }
    }
}

/// Keeps what of a list is accepted. No branch hangs on an answer: what decides of several is on its way at once.
pub(super) fn retain<T: Copy>(list: &mut Vec<T>, accepts: impl Fn(T) -> bool) {
    let mut kept = 0;
    for at in 0..list.len() {
        let one = list[at];
        list[kept] = one;
        kept += usize::from(accepts(one));
    }
    list.truncate(kept);
}

/// A part of a conjunction, with what is known of it before it is evaluated.
struct Conjunct<'c> {
    condition: &'c Condition,
    has_sets: bool,
    /// The sets of rows that are kept, where they tell.
    sets: Option<(ColumnId, SetsOf<'c>)>,
    /// What is asked of single rows, where that is known and sets do not tell.
    test: Option<RowTest<'c>>,
    /// About how many rows it keeps.
    rows: u64,
}

impl<'a> Selector<'a> {
    pub(crate) fn new(segment: &'a Segment, range: Range<u32>, access: Option<Access>) -> Self {
        Self { segment, range, access }
    }

    /// The rows that a condition keeps: few rows that sets tell first, then what is decided for 64 rows at once, then other
    /// sets, and the rest for what these leave. Of a few rows each is asked.
    pub(crate) fn keep(&self, condition: &Condition) -> Result<Kept> {
        if self.rows() <= FEW_ROWS && self.access.is_none() {
            let test = self.test(condition)?;
            return Ok(Kept::List(self.range.clone().filter(|row| test.accepts(*row)).collect()));
        }
        let mut conjuncts = Vec::new();
        self.flatten(condition, &mut conjuncts)?;
        let few = self.rows() / 64;
        conjuncts.sort_by_key(|conjunct| {
            let at_once = conjunct.test.as_ref().is_some_and(RowTest::is_at_once);
            let class = match (conjunct.has_sets, at_once) {
                (true, _) if conjunct.rows <= few => 0,
                (_, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
            };
            (class, conjunct.rows)
        });
        conjuncts.into_iter().try_fold(Kept::All, |kept, conjunct| self.narrow(kept, conjunct))
    }

    /// About how many rows a condition keeps, by what can be known without looking at them.
    pub(crate) fn estimate(&self, condition: &Condition) -> Result<u64> {
        let mut conjuncts = Vec::new();
        self.flatten(condition, &mut conjuncts)?;
        Ok(conjuncts.iter().map(|conjunct| conjunct.rows).min().unwrap_or(self.rows()))
    }

    fn flatten<'c>(&self, condition: &'c Condition, conjuncts: &mut Vec<Conjunct<'c>>) -> Result<()>
    where
        'a: 'c,
    {
        if let Condition::And(all) = condition {
            return all.iter().try_for_each(|condition| self.flatten(condition, conjuncts));
        }
        let mut conjunct = Conjunct { condition, has_sets: false, sets: None, test: None, rows: self.rows() };
        if let Condition::Leaf(Leaf::Column(column, test)) = condition {
            match (self.sets_for(*column, test)?, test) {
                (Some(sets), Test::OneOf(values)) => {
                    let sets = sets.of(values);
                    conjunct.has_sets = true;
                    // As many in the range as in any other of its length.
                    let all = u64::from(self.segment.rows()).max(1);
                    conjunct.rows = (sets.rows() * self.rows()).div_ceil(all);
                    conjunct.sets = Some((*column, sets));
                }
                (sets, _) => {
                    conjunct.has_sets = sets.is_some();
                    let test = RowTest::column(self.segment.column(*column)?, test);
                    conjunct.rows = self.rows() * test.share() / 256;
                    conjunct.test = Some(test).filter(|_| !conjunct.has_sets);
                }
            }
        }
        conjuncts.push(conjunct);
        Ok(())
    }

    fn narrow(&self, kept: Kept, mut conjunct: Conjunct<'_>) -> Result<Kept> {
        let range = self.range.clone();
        let known = conjunct.test.take();
        let test = |known: Option<_>| known.map_or_else(|| self.test(conjunct.condition), Ok);
        Ok(match kept {
            Kept::All => match (self.listed(&conjunct)?, known) {
                (Some(list), _) => Kept::List(list),
                (None, Some(test)) => Kept::Mask(test.mask(self.segment.rows(), range)),
                (None, None) => Kept::Mask(self.mask(conjunct.condition)?),
            },
            Kept::List(mut list) => {
                let test = test(known)?;
                retain(&mut list, |row| test.accepts(row));
                Kept::List(list)
            }
            Kept::Mask(mut mask) => {
                if let Some(mut list) =
                    self.listed(&conjunct)?.filter(|_| self.access != Some(Access::Bitmaps))
                {
                    retain(&mut list, |row| mask.contains(row));
                    return Ok(Kept::List(list));
                }
                // To look at a row's value takes about as long as to mark two rows.
                let marked = conjunct.has_sets && conjunct.rows <= 2 * mask.count(range.clone());
                if marked || self.access == Some(Access::Bitmaps) {
                    mask.and(&self.mask(conjunct.condition)?);
                } else {
                    test(known)?.narrow(&mut mask, range);
                }
                Kept::Mask(mask)
            }
        })
    }

    /// The rows of a conjunct, where sets tell that there are few.
    fn listed(&self, conjunct: &Conjunct<'_>) -> Result<Option<Vec<u32>>> {
        let few = conjunct.rows * LISTED_OF <= self.rows();
        let Some((column, sets)) = conjunct.sets.as_ref().filter(|_| few) else { return Ok(None) };
        let mut list = Vec::with_capacity(conjunct.rows as usize);
        for set in sets.iter() {
            let set = self.segment.placed(SectionId::Sets(*column), set)?;
            set.for_each(self.range.clone(), |row| list.push(row));
        }
        Ok(Some(list))
    }

    /// The rows that a condition keeps, as a mask.
    pub(crate) fn mask(&self, condition: &Condition) -> Result<RowMask> {
        let rows = self.segment.rows();
        match condition {
            Condition::And(_) => Ok(self.keep(condition)?.marked(rows, 0..rows)),
            Condition::Or(any) => {
                let mut mask = RowMask::new(rows);
                for condition in any {
                    mask.or(&self.mask(condition)?);
                }
                Ok(mask)
            }
            Condition::Not(condition) => {
                let mut mask = self.mask(condition)?;
                mask.not();
                Ok(mask)
            }
            Condition::Leaf(leaf) => self.leaf(leaf),
        }
    }

    /// A condition to be asked of single rows.
    pub(crate) fn test(&self, condition: &Condition) -> Result<RowTest<'a>> {
        let each = |conditions: &[Condition]| {
            conditions.iter().map(|condition| self.test(condition)).collect::<Result<Vec<_>>>()
        };
        Ok(match condition {
            Condition::And(all) => RowTest::All(each(all)?),
            Condition::Or(any) => RowTest::Any(each(any)?),
            Condition::Not(condition) => RowTest::Not(Box::new(self.test(condition)?)),
            Condition::Leaf(Leaf::Column(column, test)) => {
                RowTest::column(self.segment.column(*column)?, test)
            }
            Condition::Leaf(Leaf::Elapsed { from, to, unit, test }) => {
                let elapsed = Number::elapsed(self.segment, *from, *to, *unit)?;
                RowTest::Elapsed(Box::new(elapsed), test.clone())
            }
            Condition::Leaf(leaf) => RowTest::Mask(self.leaf(leaf)?),
        })
    }

    /// Whether any part of a condition would be answered from bitmaps.
    pub(crate) fn uses_bitmaps(&self, condition: &Condition) -> Result<bool> {
        match condition {
            Condition::And(conditions) | Condition::Or(conditions) => {
                conditions.iter().try_fold(false, |used, condition| Ok(used | self.uses_bitmaps(condition)?))
            }
            Condition::Not(condition) => self.uses_bitmaps(condition),
            Condition::Leaf(Leaf::Column(column, test)) => Ok(self.sets_for(*column, test)?.is_some()),
            Condition::Leaf(Leaf::AnyTag(..) | Leaf::AllTags(..) | Leaf::NoTag(_)) => {
                Ok(self.bitmaps_allowed())
            }
            Condition::Leaf(_) => Ok(false),
        }
    }

    fn bitmaps_allowed(&self) -> bool {
        self.access != Some(Access::Scan)
    }

    /// How many rows matter.
    fn rows(&self) -> u64 {
        u64::from(self.range.end.saturating_sub(self.range.start))
    }

    /// The row sets that answer a test on a column, where they are the better way.
    fn sets_for(&self, column: ColumnId, test: &Test) -> Result<Option<Sets<'a>>> {
        let wanted = match (self.access, test) {
            (Some(Access::Scan), _) | (_, Test::Between(..)) => false,
            (Some(Access::Bitmaps), _) => true,
            (_, Test::OneOf(values)) => values.len() as u64 * ROWS_PER_VALUE <= self.rows(),
            (_, Test::Missing) => false,
        };
        if wanted { self.segment.sets(column) } else { Ok(None) }
    }

    fn leaf(&self, leaf: &Leaf) -> Result<RowMask> {
        match leaf {
            Leaf::Column(column, test) => match self.sets_for(*column, test)? {
                Some(sets) => self.mask_of_sets(SectionId::Sets(*column), sets, test),
                None => {
                    let test = RowTest::column(self.segment.column(*column)?, test);
                    Ok(test.mask(self.segment.rows(), self.range.clone()))
                }
            },
            Leaf::Elapsed { from, to, unit, test } => {
                let elapsed = Number::elapsed(self.segment, *from, *to, *unit)?;
                let accepts = |row| test.accepts(elapsed.get(row));
                Ok(RowMask::of(self.segment.rows(), self.range.clone(), accepts))
            }
            Leaf::AnyTag(tags, values) => self.tags(
                *tags,
                |list| values.iter().any(|tag| list.contains(tag)),
                |sets| self.mask_of_sets(SectionId::TagSets(*tags), sets, &Test::OneOf(values.clone())),
            ),
            Leaf::AllTags(tags, values) => self.tags(
                *tags,
                |list| values.iter().all(|tag| list.contains(tag)),
                |sets| {
                    let mut mask = RowMask::full(self.segment.rows());
                    for &value in values {
                        let one =
                            self.mask_of_sets(SectionId::TagSets(*tags), sets, &Test::OneOf(vec![value]))?;
                        mask.and(&one);
                    }
                    Ok(mask)
                },
            ),
            Leaf::NoTag(tags) => self.tags(*tags, <[u32]>::is_empty, |sets| {
                self.mask_of_sets(SectionId::TagSets(*tags), sets, &Test::Missing)
            }),
            Leaf::NoText(number) => {
                let Some(texts) = self.segment.text(*number)? else {
                    return Ok(RowMask::full(self.segment.rows()));
                };
                let mut mask = RowMask::new(self.segment.rows());
                for (row, text) in self.range.clone().zip(texts.rows(self.range.clone())) {
                    if self.segment.placed(SectionId::Text(*number), text)?.is_none() {
                        mask.insert(row);
                    }
                }
                Ok(mask)
            }
        }
    }

    fn tags(
        &self,
        tags: usize,
        accepts: impl Fn(&[u32]) -> bool,
        from_sets: impl Fn(Sets<'a>) -> Result<RowMask>,
    ) -> Result<RowMask> {
        if self.bitmaps_allowed()
            && let Some(sets) = self.segment.tag_sets(tags)?
        {
            return from_sets(sets);
        }
        let mut mask = RowMask::new(self.segment.rows());
        let lists = self.segment.tags(tags)?;
        for row in self.range.clone() {
            let list = match &lists {
                Some(lists) => self.segment.placed(SectionId::Tags(tags), lists.get(row))?,
                None => Vec::new(),
            };
            if accepts(&list) {
                mask.insert(row);
            }
        }
        Ok(mask)
    }

    /// The rows whose value is one of those tested for; the rows that no set holds for *missing*.
    fn mask_of_sets(&self, section: SectionId, sets: Sets<'_>, test: &Test) -> Result<RowMask> {
        let mut mask = RowMask::new(self.segment.rows());
        match test {
            Test::OneOf(values) => {
                for set in sets.of(values).iter() {
                    self.segment.placed(section, set)?.insert_into(&mut mask);
                }
            }
            _ => {
                for set in sets.iter() {
                    self.segment.placed(section, set)?.1.insert_into(&mut mask);
                }
                mask.not();
            }
        }
        Ok(mask)
    }
}
