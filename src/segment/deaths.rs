//! Deaths: which versions of a sealed segment have ended, and what they take out of its sums.
//!
//! A segment never changes. When a newer version ends a row, the row's number goes into a list beside it. Rows stand in
//! the order of the place tree, so the list sorted by row is sorted by place as well, and the share of the dead
//! in any run of rows (the *correction*) is one subtraction of running counts. What they take out of a view is a view of
//! the dead alone, with the same cells, made when it is first asked for.
//!
//! ```text
//! ┌───────────────────────────────────────────────────────────────────────────────┐
//! │ magic "zonaldth" · format version u32 · deaths u32                            │
//! ├───────────────────────────────────────────────────────────────────────────────┤
//! │ per death, by row: row u32 · removed u8 · 0 u8 ×3 · died u64                  │
//! ├───────────────────────────────────────────────────────────────────────────────┤
//! │ crc32 of all before                                                           │
//! └───────────────────────────────────────────────────────────────────────────────┘
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use crate::cursor::Cursor;
use crate::error::{Corruption, Result};
use crate::filter::Condition;
use crate::schema::Schema;
use crate::tree::Forest;

use super::column::MISSING;
use super::format::SectionId;
use super::reader::Segment;
use super::rows::ColumnId;
use super::views;

const MAGIC: &[u8; 8] = b"zonaldth";
const VERSION: u32 = 1;

/// The end of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Death {
    pub(crate) row: u32,
    /// The commit from which on the version is no more.
    pub(crate) died: u64,
    /// Whether the order was removed, rather than replaced by another version.
    pub(crate) removed: bool,
}

/// Versions of one segment that have ended, by row.
#[derive(Debug)]
pub(crate) struct Deaths {
    list: Vec<Death>,
    /// Per counter of the schema, how many of the first so many dead rows it counted.
    counted: Vec<Vec<u32>>,
    /// Views of the dead, by the code of the section that they correct.
    views: RwLock<BTreeMap<[u16; 3], Arc<Vec<u8>>>>,
}

impl Deaths {
    /// The deaths of rows of `segment`, each at most once.
    pub(crate) fn new(mut list: Vec<Death>, segment: &Segment, counters: &[Condition]) -> Result<Self> {
        list.sort_unstable();
        let counted = counters
            .iter()
            .enumerate()
            .map(|(number, condition)| running_counts(&list, segment, number, condition))
            .collect::<Result<_>>()?;
        Ok(Self { list, counted, views: RwLock::default() })
    }

    pub(crate) fn list(&self) -> &[Death] {
        &self.list
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn find(&self, row: u32) -> Option<&Death> {
        let at = self.list.binary_search_by_key(&row, |death| death.row).ok()?;
        self.list.get(at)
    }

    /// The dead rows of a range.
    pub(crate) fn rows(&self, rows: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        let range = self.positions(rows);
        self.list.get(range).unwrap_or(&[]).iter().map(|death| death.row)
    }

    /// How many rows of a range are dead.
    pub(crate) fn count(&self, rows: Range<u32>) -> u64 {
        self.positions(rows).len() as u64
    }

    /// How many dead rows of a range a counter counted.
    pub(crate) fn counted(&self, counter: usize, rows: Range<u32>) -> u64 {
        let range = self.positions(rows);
        let at = |position: usize| self.counted.get(counter).and_then(|counts| counts.get(position)).copied();
        u64::from(at(range.end).unwrap_or(0).saturating_sub(at(range.start).unwrap_or(0)))
    }

    /// What the dead take out of one of the segment's views: a view with the same cells.
    pub(crate) fn view(
        &self,
        section: SectionId,
        segment: &Segment,
        schema: &Schema,
        forest: &Forest,
    ) -> Result<Arc<Vec<u8>>> {
        let known = self.views.read().unwrap_or_else(PoisonError::into_inner).get(&section.code()).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let rows: Vec<u32> = self.list.iter().map(|death| death.row).collect();
        let made = views::of_some(section, segment, &rows, usize::MAX, schema, forest)?;
        let made = Arc::new(made.unwrap_or_default());
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(views.entry(section.code()).or_insert(made)))
    }

    fn positions(&self, rows: Range<u32>) -> Range<usize> {
        let before = |row: u32| self.list.partition_point(|death| death.row < row);
        before(rows.start)..before(rows.end)
    }

    pub(crate) fn encode(list: &[Death]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(u32::try_from(list.len()).unwrap_or(u32::MAX).to_le_bytes());
        for death in list {
            bytes.extend(death.row.to_le_bytes());
            bytes.extend([u8::from(death.removed), 0, 0, 0]);
            bytes.extend(death.died.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads the deaths of a segment of so many rows.
    pub(crate) fn decode(bytes: &[u8], rows: u32) -> Result<Vec<Death>, Corruption> {
        let mut cursor = Cursor::new(bytes);
        if cursor.take(MAGIC.len())? != MAGIC {
            return Err(Corruption::new(0, "it does not begin like deaths"));
        }
        let version = cursor.u32()?;
        if version != VERSION {
            return Err(Corruption::new(8, format!("format version {version} is not known")));
        }
        let count = cursor.u32()?;
        let mut list: Vec<Death> = Vec::new();
        for _ in 0..count {
            let damage = cursor.corrupt("the rows of deaths do not ascend within the segment");
            let (row, flags) = (cursor.u32()?, cursor.u32()?);
            let died = cursor.u64()?;
            if flags > 1 || row >= rows || list.last().is_some_and(|last| last.row >= row) {
                return Err(damage);
            }
            list.push(Death { row, died, removed: flags == 1 });
        }
        let end = cursor.offset();
        let crc = cursor.u32()?;
        let computed = crc32fast::hash(bytes.get(..end).unwrap_or(&[]));
        if (crc != computed && !cfg!(fuzzing)) || !cursor.rest().is_empty() {
            return Err(Corruption::new(end, "its checksum does not agree"));
        }
        Ok(list)
    }
}

fn running_counts(
    list: &[Death],
    segment: &Segment,
    number: usize,
    condition: &Condition,
) -> Result<Vec<u32>> {
    let bits = segment.counter(number)?;
    let mut counts = Vec::with_capacity(list.len().saturating_add(1));
    let mut count = 0u32;
    counts.push(0);
    for death in list {
        let holds = match bits {
            Some(bits) => bits.get(death.row),
            None => condition.holds(&|column: ColumnId| {
                let column = segment.column(column).ok().flatten();
                column.map_or(MISSING, |column| column.get(death.row as usize))
            }),
        };
        count = count.saturating_add(u32::from(holds));
        counts.push(count);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Death> {
        vec![
            Death { row: 2, died: 7, removed: false },
            Death { row: 3, died: u64::MAX, removed: true },
            Death { row: 900, died: 1, removed: false },
        ]
    }

    #[test]
    fn deaths_come_back_and_every_damage_is_found() {
        let bytes = Deaths::encode(&sample());
        assert_eq!(Deaths::decode(&bytes, 901).unwrap(), sample());
        assert!(Deaths::decode(&bytes, 900).is_err());
        for length in 0..bytes.len() {
            assert!(Deaths::decode(&bytes[..length], 901).is_err());
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Deaths::decode(&flipped, 901).is_err(), "byte {at}");
        }
    }
}
