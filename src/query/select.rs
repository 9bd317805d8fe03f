//! Which rows of a segment a condition keeps.

use std::ops::Range;

use crate::error::Result;
use crate::filter::{Condition, Leaf, Test};
use crate::segment::{ColumnId, MISSING, RowMask, SectionId, Segment, Sets};

use super::Access;
use super::number::Number;

/// Evaluates conditions on the rows of one segment.
#[derive(Debug, Clone)]
pub(crate) struct Selector<'a> {
    segment: &'a Segment,
    /// The rows that matter; what a mask says outside is without meaning.
    range: Range<u32>,
    access: Option<Access>,
}

impl<'a> Selector<'a> {
    pub(crate) fn new(segment: &'a Segment, range: Range<u32>, access: Option<Access>) -> Self {
        Self { segment, range, access }
    }

    /// The rows that a condition keeps.
    pub(crate) fn mask(&self, condition: &Condition) -> Result<RowMask> {
        let rows = self.segment.rows();
        match condition {
            Condition::And(all) => {
                let mut mask: Option<RowMask> = None;
                for condition in all {
                    let more = self.mask(condition)?;
                    match &mut mask {
                        Some(mask) => mask.and(&more),
                        None => mask = Some(more),
                    }
                }
                Ok(mask.unwrap_or_else(|| RowMask::full(rows)))
            }
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

    /// The row sets that answer a test on a column, where they are the better way: few rows to put into the mask,
    /// compared with reading the column.
    fn sets_for(&self, column: ColumnId, test: &Test) -> Result<Option<Sets<'a>>> {
        if !self.bitmaps_allowed() {
            return Ok(None);
        }
        let Some(sets) = self.segment.sets(column)? else { return Ok(None) };
        if self.access == Some(Access::Bitmaps) {
            return Ok((!matches!(test, Test::Between(..))).then_some(sets));
        }
        let Test::OneOf(values) = test else { return Ok(None) };
        let scanned = u64::from(self.range.end.saturating_sub(self.range.start));
        let mut inserted = 0u64;
        for &value in values {
            let set = self.segment.placed(SectionId::Sets(column), sets.get(value))?;
            inserted += set.map_or(0, |set| set.len());
            if inserted > scanned {
                return Ok(None);
            }
        }
        Ok(Some(sets))
    }

    fn leaf(&self, leaf: &Leaf) -> Result<RowMask> {
        match leaf {
            Leaf::Column(column, test) => match self.sets_for(*column, test)? {
                Some(sets) => self.mask_of_sets(SectionId::Sets(*column), sets, test),
                None => self.scan(*column, test),
            },
            Leaf::Elapsed { from, to, unit, test } => {
                let elapsed = Number::elapsed(self.segment, *from, *to, *unit)?;
                Ok(self.each_row(|row| test.accepts(elapsed.get(row))))
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
                for &value in values {
                    if let Some(set) = self.segment.placed(section, sets.get(value))? {
                        set.insert_into(&mut mask);
                    }
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

    fn scan(&self, column: ColumnId, test: &Test) -> Result<RowMask> {
        let Some(column) = self.segment.column(column)? else {
            let rows = self.segment.rows();
            return Ok(if test.accepts(MISSING) { RowMask::full(rows) } else { RowMask::new(rows) });
        };
        let range = self.range.clone();
        Ok(match test {
            Test::Missing => RowMask::matching(&column, range, |value| value == MISSING),
            Test::Between(least, most) => {
                let least = (*least).max(MISSING + 1);
                RowMask::matching(&column, range, |value| value >= least && value <= *most)
            }
            Test::OneOf(values) => {
                let members = Members::new(values);
                RowMask::matching(&column, range, |value| members.contains(value))
            }
        })
    }

    fn each_row(&self, accepts: impl Fn(u32) -> bool) -> RowMask {
        let mut mask = RowMask::new(self.segment.rows());
        for row in self.range.clone().filter(|row| accepts(*row)) {
            mask.insert(row);
        }
        mask
    }
}

/// A set of small numbers, as bits.
struct Members(Vec<u64>);

impl Members {
    fn new(values: &[u32]) -> Self {
        let words = values.last().map_or(0, |last| *last as usize / 64 + 1);
        let mut bits = vec![0; words];
        for &value in values {
            bits[value as usize / 64] |= 1 << (value % 64);
        }
        Self(bits)
    }

    fn contains(&self, value: i64) -> bool {
        let word = usize::try_from(value).ok().and_then(|value| self.0.get(value / 64));
        word.is_some_and(|word| word >> (value % 64) & 1 == 1)
    }
}
