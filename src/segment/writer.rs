//! Sealing: rows in, the bytes of a segment out.

use crate::filter::{Condition, Leaf};
use crate::schema::Schema;
use crate::tree::Forest;

use super::column::Wide;
use super::format::{ALIGNMENT, ENTRY, FORMAT_VERSION, HEADER, MAGIC, SectionId};
use super::rows::{ColumnId, Layout, Rows, has_sets, present};
use super::sets::SetsBuilder;
use super::summary::{Bounds, Summary};
use super::{bits, column, directory, ids, lists, node_runs, text, views};

/// What rows are sealed with.
#[derive(Debug)]
pub(crate) struct Sealer<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) schema_version: u32,
    /// Of history, for versions that have ended: they get columns and ids, and nothing that only speeds up questions.
    pub(crate) layout: &'a Layout,
    pub(crate) forest: &'a Forest,
    /// The schema's counters, bound to the forest.
    pub(crate) counters: &'a [Condition],
}

impl Sealer<'_> {
    /// The bytes of a segment that holds the rows of one partition.
    pub(crate) fn seal(&self, rows: Rows, partition: i32) -> Vec<u8> {
        self.seal_mapped(rows, partition).0
    }

    /// As [`seal`](Self::seal), and for every row of the segment which of the given rows it is.
    pub(crate) fn seal_mapped(&self, mut rows: Rows, partition: i32) -> (Vec<u8>, Vec<u32>) {
        let order = rows.sorted(self.layout, self.forest);
        rows.select(&order);
        let mut file = File::new(self.schema_version);
        let indexed = !self.layout.is_history();
        let units = rows.column(self.layout, ColumnId::Place);
        let levels: Vec<directory::Runs> = (0..self.schema.place.levels.len())
            .map(|level| directory::runs(units, &self.forest.place, level))
            .collect();
        for (level, runs) in levels.iter().enumerate() {
            file.section(SectionId::Directory(level), &directory::encode(runs));
        }
        if let Some(tree) = self.forest.trees.first().filter(|_| indexed) {
            let nodes = rows.column(self.layout, ColumnId::Tree(0));
            for level in 0..tree.levels().len() {
                file.section(SectionId::NodeRuns(level), &node_runs::encode(units, nodes, tree, level));
            }
        }
        for (&id, values) in self.layout.columns().iter().zip(&rows.columns) {
            // The deepest directory knows it.
            if id == ColumnId::Place {
                continue;
            }
            // A clock is compared with the ends of a span for every row, a key is fetched for some.
            let wide = match id {
                ColumnId::Created | ColumnId::Clock(_) => Wide::Halved,
                _ => Wide::Packed,
            };
            file.section(SectionId::Column(id), &column::encode_as(values, wide));
            if indexed && has_sets(id) {
                file.section(SectionId::Sets(id), &sets_of_values(values));
            }
        }
        for (number, tags) in rows.tags.iter().enumerate() {
            if indexed {
                file.section(SectionId::TagSets(number), &sets_of_lists(tags));
            }
            file.section(SectionId::Tags(number), &lists::encode(tags));
        }
        for (number, texts) in rows.texts.iter().enumerate() {
            file.section(SectionId::Text(number), &text::encode(texts.iter().map(Option::as_deref)));
        }
        // What has ended is asked for row by row: it has neither counters nor views.
        let counters = if indexed { self.counters } else { &[] };
        let counted: Vec<Vec<bool>> = counters.iter().map(|counter| self.holds(&rows, counter)).collect();
        for (number, counted) in counted.iter().enumerate() {
            let counts = (0u32..).zip(counted).filter_map(|(row, counts)| counts.then_some(row));
            file.section(SectionId::Counter(number), &bits::encode(length(counted), counts));
        }
        file.section(SectionId::Ids, &ids::encode(&rows.ids));
        let source = views::Source {
            schema: self.schema,
            layout: self.layout,
            forest: self.forest,
            rows: &rows,
            counted: &counted,
            levels: &levels,
        };
        if indexed {
            source.views().into_iter().for_each(|(section, view)| file.section(section, &view));
        }
        (file.finish(&self.summary(&rows, partition)), order)
    }

    /// Which rows fulfil a condition that looks at columns only, as counters do.
    fn holds(&self, rows: &Rows, condition: &Condition) -> Vec<bool> {
        let each = |conditions: &[Condition], all: bool| {
            conditions.iter().fold(vec![all; rows.len()], |mut held, condition| {
                let more = self.holds(rows, condition);
                held.iter_mut().zip(more).for_each(|(held, more)| {
                    if more != all {
                        *held = more
                    }
                });
                held
            })
        };
        match condition {
            Condition::And(all) => each(all, true),
            Condition::Or(any) => each(any, false),
            Condition::Not(condition) => {
                self.holds(rows, condition).into_iter().map(|holds| !holds).collect()
            }
            Condition::Leaf(Leaf::Column(id, test)) => {
                rows.column(self.layout, *id).iter().map(|value| test.accepts(*value)).collect()
            }
            Condition::Leaf(_) => vec![false; rows.len()],
        }
    }

    fn summary(&self, rows: &Rows, partition: i32) -> Summary {
        let column = |id| bounds(rows.column(self.layout, id).iter().filter_map(|&value| present(value)));
        let commits =
            |id| column(id).map(|(first, last): (i64, i64)| (first.cast_unsigned(), last.cast_unsigned()));
        Summary {
            schema: self.schema_version,
            rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            partition,
            commits: commits(ColumnId::Born),
            died: commits(ColumnId::Died),
            ids: bounds(rows.ids.iter()).map(|(first, last)| (first.clone(), last.clone())),
            created: column(ColumnId::Created),
            clocks: (0..self.schema.clocks.len()).map(|clock| column(ColumnId::Clock(clock))).collect(),
        }
    }
}

fn bounds<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Bounds<T> {
    values.fold(None, |bounds, value| match bounds {
        None => Some((value, value)),
        Some((least, most)) => Some((least.min(value), most.max(value))),
    })
}

fn sets_of_values(values: &[i64]) -> Vec<u8> {
    let mut sets = SetsBuilder::new(length(values));
    for (row, &value) in (0u32..).zip(values) {
        if let Ok(value) = u32::try_from(value) {
            sets.push(value, row);
        }
    }
    sets.finish()
}

fn sets_of_lists(values: &[Vec<u32>]) -> Vec<u8> {
    let mut sets = SetsBuilder::new(length(values));
    for (row, values) in (0u32..).zip(values) {
        values.iter().for_each(|&value| sets.push(value, row));
    }
    sets.finish()
}

fn length<T>(values: &[T]) -> u32 {
    u32::try_from(values.len()).unwrap_or(u32::MAX)
}

/// The file as it grows: header and sections, then table, summary and footer.
struct File {
    bytes: Vec<u8>,
    table: Vec<u8>,
    sections: u32,
}

impl File {
    fn new(schema_version: u32) -> Self {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&schema_version.to_le_bytes());
        bytes.resize(HEADER, 0);
        Self { bytes, table: Vec::new(), sections: 0 }
    }

    fn section(&mut self, id: SectionId, section: &[u8]) {
        for code in id.code() {
            self.table.extend_from_slice(&code.to_le_bytes());
        }
        self.table.extend_from_slice(&0u16.to_le_bytes());
        self.table.extend_from_slice(&(self.bytes.len() as u64).to_le_bytes());
        self.table.extend_from_slice(&(section.len() as u64).to_le_bytes());
        self.table.extend_from_slice(&crc32fast::hash(section).to_le_bytes());
        self.table.extend_from_slice(&0u32.to_le_bytes());
        self.sections += 1;
        debug_assert_eq!(self.table.len(), self.sections as usize * ENTRY, "an entry has {ENTRY} bytes");
        self.bytes.extend_from_slice(section);
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }

    fn finish(mut self, summary: &Summary) -> Vec<u8> {
        let offset = self.bytes.len() as u64;
        let summary = summary.encode();
        let mut footer = Vec::new();
        footer.extend_from_slice(&offset.to_le_bytes());
        footer.extend_from_slice(&self.sections.to_le_bytes());
        footer.extend_from_slice(&u32::try_from(summary.len()).unwrap_or(u32::MAX).to_le_bytes());
        let mut crc = crc32fast::Hasher::new();
        for part in [&self.bytes[..HEADER], &self.table, &summary, &footer] {
            crc.update(part);
        }
        footer.extend_from_slice(&crc.finalize().to_le_bytes());
        footer.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        footer.extend_from_slice(&MAGIC);
        self.bytes.extend_from_slice(&self.table);
        self.bytes.extend_from_slice(&summary);
        self.bytes.extend_from_slice(&footer);
        self.bytes
    }
}
