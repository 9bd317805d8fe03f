//! A sealed segment, read in place.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::cursor::Cursor;
use crate::error::{Corruption, Error, Result};
use crate::order_id::OrderId;
use crate::storage::Bytes;
use crate::tree::Forest;

use super::bits::Bits;
use super::column::{Column, MISSING};
use super::deaths::Death;
use super::directory::Directory;
use super::format::{ALIGNMENT, ENTRY, FOOTER, FORMAT_VERSION, HEADER, MAGIC, SectionId, section_name};
use super::grid::Grid;
use super::ids::Ids;
use super::lists::Lists;
use super::node_runs::NodeRuns;
use super::records::Records;
use super::rows::{ColumnId, Layout, Rows};
use super::sets::Sets;
use super::summary::Summary;
use super::text::Texts;

/// A sealed segment. Opening reads its footer; everything else is read when it is asked for.
#[derive(Debug)]
pub(crate) struct Segment {
    name: String,
    bytes: Bytes,
    /// By their codes.
    sections: Vec<Section>,
    summary: Summary,
}

/// Where a section lies.
#[derive(Debug, Clone)]
struct Section {
    code: [u16; 3],
    range: Range<usize>,
    crc: u32,
}

impl Segment {
    /// Opens the bytes of the file `name`.
    pub(crate) fn open(name: &str, bytes: Bytes) -> Result<Self> {
        let (sections, summary) = read_footer(name, &bytes)?;
        Ok(Self { name: name.to_owned(), bytes, sections, summary })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes of the whole file.
    pub(crate) fn whole(&self) -> &[u8] {
        self.bytes.slice(0..self.bytes.len()).unwrap_or(&[])
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(crate) fn rows(&self) -> u32 {
        self.summary.rows
    }

    /// The unit directory of a level; of the deepest one the segment knows, where it was sealed before the
    /// level was added.
    pub(crate) fn directory(&self, level: usize) -> Result<Directory<'_>> {
        let found = (0..=level).rev().find_map(|level| self.section(SectionId::Directory(level)));
        self.read(found, |bytes| Directory::open(bytes, self.summary.rows))?
            .ok_or_else(|| self.lacks("unit directory"))
    }

    /// The unit directory of the deepest level the segment knows.
    fn deepest(&self) -> Result<Directory<'_>> {
        let [kind, ..] = SectionId::Directory(0).code();
        let found =
            self.sections.iter().filter(|section| section.code[0] == kind).max_by_key(|section| section.code);
        self.read(found, |bytes| Directory::open(bytes, self.summary.rows))?
            .ok_or_else(|| self.lacks("unit directory"))
    }

    /// The runs of units and the nodes of a level of the first tree; of the deepest one the segment knows, as a
    /// [`directory`](Self::directory). None where it was sealed before there was a tree.
    pub(crate) fn node_runs(&self, level: usize) -> Result<Option<NodeRuns<'_>>> {
        let found = (0..=level).rev().find_map(|level| self.section(SectionId::NodeRuns(level)));
        self.read(found, |bytes| NodeRuns::open(bytes, self.summary.rows))
    }

    /// What the runs of a level's directory add up to: a record for the start of each and one behind the last. None
    /// where the level has too many of them, or the segment no such level.
    pub(crate) fn level(&self, level: usize) -> Result<Option<Records<'_>>> {
        self.read(self.section(SectionId::Level(level)), Records::open)
    }

    /// A view by days: of a level's runs, a line for each, or of a tree's nodes. None as for [`level`](Self::level).
    pub(crate) fn grid(&self, section: SectionId) -> Result<Option<Grid<'_>>> {
        self.read(self.section(section), Grid::open)
    }

    /// A column; none where the segment was sealed before the schema had it: every value is missing.
    pub(crate) fn column(&self, column: ColumnId) -> Result<Option<Column<'_>>> {
        if column == ColumnId::Place {
            return Ok(self.deepest()?.column());
        }
        let rows = self.summary.rows as usize;
        self.read(self.section(SectionId::Column(column)), |bytes| Column::open(bytes, rows))
    }

    /// The row sets of a column's values.
    pub(crate) fn sets(&self, column: ColumnId) -> Result<Option<Sets<'_>>> {
        self.read(self.section(SectionId::Sets(column)), |bytes| Sets::open(bytes, self.summary.rows))
    }

    /// The row sets of the tags of a field.
    pub(crate) fn tag_sets(&self, tags: usize) -> Result<Option<Sets<'_>>> {
        self.read(self.section(SectionId::TagSets(tags)), |bytes| Sets::open(bytes, self.summary.rows))
    }

    /// The tags per row of a field.
    pub(crate) fn tags(&self, tags: usize) -> Result<Option<Lists<'_>>> {
        self.read(self.section(SectionId::Tags(tags)), |bytes| Lists::open(bytes, self.summary.rows))
    }

    /// A text per row.
    pub(crate) fn text(&self, text: usize) -> Result<Option<Texts<'_>>> {
        self.read(self.section(SectionId::Text(text)), |bytes| Texts::open(bytes, self.summary.rows))
    }

    /// The rows that a counter counts; none where the segment was sealed before the schema had it.
    pub(crate) fn counter(&self, counter: usize) -> Result<Option<Bits<'_>>> {
        self.read(self.section(SectionId::Counter(counter)), |bytes| Bits::open(bytes, self.summary.rows))
    }

    /// The order ids.
    pub(crate) fn ids(&self) -> Result<Ids<'_>> {
        self.read(self.section(SectionId::Ids), |bytes| Ids::open(bytes, self.summary.rows))?
            .ok_or_else(|| self.lacks("order ids"))
    }

    /// The rows of an order id, ascending.
    pub(crate) fn find_all(&self, id: &OrderId) -> Result<Vec<u32>> {
        let outside = self.summary.ids.as_ref().is_none_or(|(first, last)| id < first || id > last);
        if outside {
            return Ok(Vec::new());
        }
        self.placed(SectionId::Ids, self.ids()?.find(id))
    }

    /// The commit that made the version of a row.
    pub(crate) fn born(&self, row: u32) -> Result<u64> {
        Ok(self.column(ColumnId::Born)?.map_or(0, |born| born.get(row as usize)).cast_unsigned())
    }

    /// How the version of a row ended; none in a segment that is not history.
    pub(crate) fn death(&self, row: u32) -> Result<Option<Death>> {
        let Some(died) = self.column(ColumnId::Died)? else { return Ok(None) };
        let removed = self.column(ColumnId::Removed)?.is_some_and(|removed| removed.get(row as usize) == 1);
        Ok(Some(Death { row, died: died.get(row as usize).cast_unsigned(), removed }))
    }

    /// What was read of a section, its damage placed in the file.
    pub(crate) fn placed<T>(&self, section: SectionId, read: Result<T, Corruption>) -> Result<T> {
        read.map_err(|damage| self.damage(section.code(), damage))
    }

    /// The order id of a row.
    pub(crate) fn id(&self, row: u32) -> Result<OrderId> {
        self.placed(SectionId::Ids, self.ids()?.get(row))
    }

    /// Reads everything back into memory.
    pub(crate) fn read_rows(&self, layout: &Layout) -> Result<Rows> {
        let (count, length) = (self.summary.rows, self.summary.rows as usize);
        let mut rows = Rows::new(layout);
        let ids = self.ids()?;
        rows.ids = (0..count).map(|row| self.placed(SectionId::Ids, ids.get(row))).collect::<Result<_>>()?;
        for (&id, values) in layout.columns().iter().zip(&mut rows.columns) {
            match self.column(id)? {
                Some(column) => column.decode(0..length, values),
                None => values.resize(length, MISSING),
            }
        }
        for (number, lists) in rows.tags.iter_mut().enumerate() {
            match self.tags(number)? {
                Some(tags) => {
                    let get = |row| self.placed(SectionId::Tags(number), tags.get(row));
                    *lists = (0..count).map(get).collect::<Result<_>>()?;
                }
                None => lists.resize(length, Vec::new()),
            }
        }
        for (number, texts) in rows.texts.iter_mut().enumerate() {
            match self.text(number)? {
                Some(column) => {
                    let placed = |text| self.placed(SectionId::Text(number), text);
                    *texts = column.rows(0..count).map(placed).collect::<Result<_>>()?;
                }
                None => texts.resize(length, None),
            }
        }
        Ok(rows)
    }

    /// Damage in a section, placed in the file.
    fn damage(&self, code: [u16; 3], damage: Corruption) -> Error {
        let base =
            self.sections.iter().find(|section| section.code == code).map_or(0, |found| found.range.start);
        damage.within(&self.name, &section_name(code), base as u64).into()
    }

    fn section(&self, id: SectionId) -> Option<&Section> {
        let at = self.sections.binary_search_by_key(&id.code(), |section| section.code).ok()?;
        self.sections.get(at)
    }

    fn read<'a, T>(
        &'a self,
        section: Option<&Section>,
        open: impl FnOnce(&'a [u8]) -> Result<T, Corruption>,
    ) -> Result<Option<T>> {
        let Some(section) = section else { return Ok(None) };
        let bytes = self.bytes.slice(section.range.clone()).unwrap_or(&[]);
        open(bytes).map(Some).map_err(|damage| self.damage(section.code, damage))
    }

    fn lacks(&self, section: &str) -> Error {
        Corruption::new(0, "the section is not there").within(&self.name, section, 0).into()
    }

    /// Reads everything and checks it against its checksum; then checks what the decoders rely on.
    pub(crate) fn verify(&self, forest: &Forest) -> Result<()> {
        let mut end = HEADER;
        let mut sections: Vec<&Section> = self.sections.iter().collect();
        sections.sort_by_key(|section| section.range.start);
        for section in sections {
            self.verify_padding(end..section.range.start)?;
            let bytes = self.bytes.slice(section.range.clone()).unwrap_or(&[]);
            if crc32fast::hash(bytes) != section.crc {
                return Err(self.damage(section.code, Corruption::new(0, "its checksum does not agree")));
            }
            end = section.range.end;
        }
        self.verify_padding(end..end.next_multiple_of(ALIGNMENT).min(self.table_start()))?;
        self.verify_padding(16..HEADER)?;
        for section in &self.sections {
            self.verify_section(section, forest).map_err(|damage| self.damage(section.code, damage))?;
        }
        let Some(tree) = forest.trees.first() else { return Ok(()) };
        let columns = self.column(ColumnId::Place)?.zip(self.column(ColumnId::Tree(0))?);
        for level in 0..tree.levels().len() {
            if let Some((runs, (units, nodes))) = self.node_runs(level)?.zip(columns) {
                let checked = runs.check((units, &forest.place), (nodes, tree), level);
                self.placed(SectionId::NodeRuns(level), checked)?;
            }
        }
        Ok(())
    }

    fn table_start(&self) -> usize {
        self.sections
            .iter()
            .map(|section| section.range.end.next_multiple_of(ALIGNMENT))
            .max()
            .unwrap_or(HEADER)
    }

    fn verify_padding(&self, range: Range<usize>) -> Result<()> {
        let padding = self.bytes.slice(range.clone()).unwrap_or(&[]);
        match padding.iter().position(|&byte| byte != 0) {
            Some(at) => Err(Corruption::new(at, "the bytes between sections are not zero")
                .within(&self.name, "padding", range.start as u64)
                .into()),
            None => Ok(()),
        }
    }

    fn verify_section(&self, section: &Section, forest: &Forest) -> Result<(), Corruption> {
        let bytes = self.bytes.slice(section.range.clone()).unwrap_or(&[]);
        let rows = self.summary.rows;
        let [kind, field, _] = section.code;
        match kind {
            1 => Directory::open(bytes, rows)?.check(&forest.place),
            2 => Column::open(bytes, rows as usize)?.check(),
            3 | 4 => Sets::open(bytes, rows)?.check(),
            5 => Lists::open(bytes, rows)?.check(),
            6 => Texts::open(bytes, rows)?.check(),
            7 => Bits::open(bytes, rows)?.check(),
            8 => Ids::open(bytes, rows)?.check(),
            9 => Records::open(bytes)?.check(),
            10 => Grid::open(bytes)?.check(Some(&forest.place)),
            11 => Grid::open(bytes)?.check(forest.trees.get(usize::from(field))),
            12 => NodeRuns::open(bytes, rows).map(drop),
            _ => Err(Corruption::new(0, "a section of a kind that this build does not know")),
        }
    }
}

/// Reads footer, table and summary. Whatever they say is checked before it is used.
fn read_footer(name: &str, bytes: &Bytes) -> Result<(Vec<Section>, Summary)> {
    let length = bytes.len();
    let damage = |section: &str, at: usize, reason: &str| -> Error {
        Corruption::new(at, reason).within(name, section, 0).into()
    };
    let start = length.checked_sub(FOOTER).ok_or_else(|| damage("footer", 0, "the file is too short"))?;
    let footer = bytes.slice(start..length).unwrap_or(&[]);
    let within = |section: &'static str, base: usize| {
        move |damage: Corruption| -> Error { damage.within(name, section, base as u64).into() }
    };
    let mut cursor = Cursor::new(footer);
    let placed = within("footer", start);
    let offset = cursor.u64().map_err(&placed)?;
    let count = cursor.u32().map_err(&placed)? as usize;
    let summary_length = cursor.u32().map_err(&placed)? as usize;
    let crc = cursor.u32().map_err(&placed)?;
    let version = cursor.u32().map_err(&placed)?;
    if cursor.rest() != MAGIC {
        return Err(damage("footer", start, "the file does not end like a segment"));
    }
    if version != FORMAT_VERSION {
        return Err(Error::UnsupportedVersion {
            file: name.to_owned(),
            found: version,
            known: FORMAT_VERSION,
        });
    }
    // The table lies between the header and the footer, and it and the summary fill the room up to the footer.
    let offset = usize::try_from(offset).ok().filter(|&offset| offset >= HEADER && offset <= start);
    let fits = offset.and_then(|offset| {
        let table = count.checked_mul(ENTRY)?.checked_add(offset)?;
        (table.checked_add(summary_length)? == start).then_some((offset, table))
    });
    let (offset, table_end) =
        fits.ok_or_else(|| damage("footer", start, "the section table does not fit"))?;
    let header = bytes.slice(0..HEADER).unwrap_or(&[]);
    let table = bytes.slice(offset..table_end).unwrap_or(&[]);
    let summary = bytes.slice(table_end..start).unwrap_or(&[]);
    let mut hasher = crc32fast::Hasher::new();
    for part in [header, table, summary, footer.get(..16).unwrap_or(&[])] {
        hasher.update(part);
    }
    if hasher.finalize() != crc {
        return Err(damage("footer", start, "its checksum does not agree"));
    }
    let mut sections = read_table(table, HEADER..offset).map_err(within("section table", offset))?;
    sections.sort_by_key(|section| section.code);
    let summary = Summary::decode(summary).map_err(within("summary", table_end))?;
    // What is made for a number of rows is then never much larger than the file.
    if summary.rows as usize > length {
        return Err(damage("summary", table_end, "it has more rows than the file has bytes"));
    }
    Ok((sections, summary))
}

fn read_table(table: &[u8], room: Range<usize>) -> Result<Vec<Section>, Corruption> {
    let mut cursor = Cursor::new(table);
    let mut sections = Vec::new();
    while !cursor.rest().is_empty() {
        let code = [cursor.u16()?, cursor.u16()?, cursor.u16()?];
        cursor.u16()?;
        let outside = cursor.corrupt("the section does not lie between header and table");
        let start = usize::try_from(cursor.u64()?).map_err(|_| outside.clone())?;
        let length = usize::try_from(cursor.u64()?).map_err(|_| outside.clone())?;
        let crc = cursor.u32()?;
        cursor.u32()?;
        let end = start.checked_add(length).filter(|&end| start >= room.start && end <= room.end);
        sections.push(Section { code, range: start..end.ok_or(outside)?, crc });
    }
    Ok(sections)
}
