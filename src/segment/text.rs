//! A column of text, which may be missing: stored and given back, in blocks compressed by LZ4.
//!
//! ```text
//! ┌──────┬────────┬─────────────────────────────────────────┬─────────────────────┐
//! │ rows │ blocks │ directory, per block:                   │ blocks, compressed  │
//! │ u32  │ u32    │ first row u32 · size u32 · offset u64   │                     │
//! └──────┴────────┴─────────────────────────────────────────┴─────────────────────┘
//! block, before compression
//! ┌───────────────────────────────────────────┬────────────────────────────┐
//! │ per row, u32: length plus 1, 0 is missing │ the texts, one after other │
//! └───────────────────────────────────────────┴────────────────────────────┘
//! ```
//!
//! *Size* is that of the block before compression; *offset* counts from the section's start.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::Corruption;
use crate::cursor::Cursor;

/// A block is closed when it has this many bytes; a few under test, so that blocks are many.
const BLOCK: usize = if cfg!(test) { 48 } else { 16 << 10 };

/// The longest text, in bytes; longer ones are refused with their order. Reading a row decompresses its block, which
/// holds one such text at most.
pub(crate) const TEXT_LIMIT: usize = 32 << 20;

/// No block is larger, so none makes a reader allocate more: it is open below [`BLOCK`], then comes one text.
const BLOCK_LIMIT: u32 = 64 << 20;

/// LZ4 does not compress better than this.
const BEST_RATIO: u64 = 255;

const HEADER: usize = 8;
const ENTRY: usize = 16;

/// Writes a column of texts within [`TEXT_LIMIT`].
pub(crate) fn encode<S: AsRef<str>>(rows: impl IntoIterator<Item = Option<S>>) -> Vec<u8> {
    let mut writer = Writer::default();
    rows.into_iter().for_each(|text| writer.push(text.as_ref().map(AsRef::as_ref)));
    writer.finish()
}

#[derive(Default)]
struct Writer {
    rows: u32,
    /// First row, size, end of the compressed bytes.
    directory: Vec<(u32, u32, usize)>,
    compressed: Vec<u8>,
    /// The open block: its first row, the lengths and the texts.
    first: u32,
    lengths: Vec<u8>,
    texts: Vec<u8>,
}

impl Writer {
    fn push(&mut self, text: Option<&str>) {
        let length = text.map_or(0, |text| text.len().saturating_add(1));
        self.lengths.extend((length as u32).to_le_bytes());
        self.texts.extend(text.unwrap_or_default().as_bytes());
        self.rows = self.rows.saturating_add(1);
        if self.lengths.len().saturating_add(self.texts.len()) >= BLOCK {
            self.close();
        }
    }

    fn close(&mut self) {
        self.lengths.append(&mut self.texts);
        self.directory.push((self.first, self.lengths.len() as u32, self.compressed.len()));
        self.compressed.extend(lz4_flex::block::compress(&self.lengths));
        self.lengths.clear();
        self.first = self.rows;
    }

    fn finish(mut self) -> Vec<u8> {
        if !self.lengths.is_empty() {
            self.close();
        }
        let blocks = self.directory.len();
        let data = HEADER.saturating_add(blocks.saturating_mul(ENTRY));
        let mut section = self.rows.to_le_bytes().to_vec();
        section.extend((blocks as u32).to_le_bytes());
        for (first, size, offset) in self.directory {
            section.extend(first.to_le_bytes());
            section.extend(size.to_le_bytes());
            section.extend((data.saturating_add(offset) as u64).to_le_bytes());
        }
        section.extend(self.compressed);
        section
    }
}

/// A column of text, read in place.
#[derive(Debug, Clone)]
pub(crate) struct Texts<'a> {
    section: &'a [u8],
    rows: u32,
    directory: &'a [[u8; ENTRY]],
}

impl<'a> Texts<'a> {
    pub(crate) fn open(section: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let mut cursor = Cursor::new(section);
        let found = cursor.u32()?;
        if found != rows {
            return Err(Corruption::new(0, format!("it has {found} rows, the segment {rows}")));
        }
        let blocks = cursor.u32()? as usize;
        let directory = cursor.take(blocks.saturating_mul(ENTRY))?.as_chunks().0;
        if (rows == 0) != directory.is_empty() {
            return Err(Corruption::new(4, format!("{rows} rows in {blocks} blocks")));
        }
        Ok(Self { section, rows, directory })
    }

    /// The text of a row.
    pub(crate) fn get(&self, row: u32) -> Result<Option<String>, Corruption> {
        let beyond = || Corruption::new(0, format!("there is no row {row}, the column has {}", self.rows));
        self.rows(row..row.saturating_add(1)).next().ok_or_else(beyond)?
    }

    /// The texts of a range of rows, as far as there are; every block is decompressed once.
    pub(crate) fn rows(&self, rows: Range<u32>) -> Rows<'_> {
        Rows { texts: self, next: rows.start, end: rows.end.min(self.rows), block: Block::default() }
    }

    /// Reads everything.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        let data = HEADER.saturating_add(self.directory.len().saturating_mul(ENTRY));
        let (mut row, mut offset) = (0, data);
        for number in 0..self.directory.len() {
            let (rows, bytes) = self.place(number)?;
            if rows.start != row || bytes.start != offset {
                return Err(Corruption::new(bytes.start, "the blocks do not follow one another"));
            }
            let mut block = self.block(number)?;
            while !block.is_done() {
                block.text()?;
            }
            if block.text != block.bytes.len() {
                return Err(Corruption::new(bytes.start, "the block is longer than its texts"));
            }
            (row, offset) = (rows.end, bytes.end);
        }
        if offset != self.section.len() {
            return Err(Corruption::new(offset, "more bytes than the blocks have"));
        }
        Ok(())
    }

    /// The rows of a block and where its bytes are.
    fn place(&self, number: usize) -> Result<(Range<u32>, Range<usize>), Corruption> {
        let entry = |number: usize| self.directory.get(number).map(|entry| (first_row(entry), offset(entry)));
        let (first, start) =
            entry(number).ok_or_else(|| Corruption::new(HEADER, "there is no such block"))?;
        let after = number.saturating_add(1);
        let (end_row, end) = entry(after).unwrap_or((self.rows, self.section.len() as u64));
        if first >= end_row || start >= end || end > self.section.len() as u64 {
            let at = HEADER.saturating_add(number.saturating_mul(ENTRY));
            return Err(Corruption::new(at, "the block ends before it begins, or beyond the section"));
        }
        Ok((first..end_row, start as usize..end as usize))
    }

    /// Decompresses a block.
    fn block(&self, number: usize) -> Result<Block, Corruption> {
        let (rows, place) = self.place(number)?;
        let damage = |reason| Corruption::new(place.start, reason);
        let compressed = self.section.get(place.clone()).unwrap_or_default();
        let size = self.directory.get(number).map_or(0, size);
        // Bounded before it is allocated.
        let possible = (compressed.len() as u64).saturating_mul(BEST_RATIO);
        if size > BLOCK_LIMIT || u64::from(size) > possible {
            return Err(damage(format!("the block cannot have {size} bytes")));
        }
        let mut bytes = vec![0; size as usize];
        let decompressed = lz4_flex::block::decompress_into(compressed, &mut bytes);
        let length =
            decompressed.map_err(|error| damage(format!("the block does not decompress: {error}")))?;
        let rows = rows.len();
        let text = rows.saturating_mul(4);
        if length != bytes.len() || text > length {
            return Err(damage(format!("the block has {length} bytes, not {size}, for {rows} rows")));
        }
        Ok(Block { bytes, offset: place.start, rows, row: 0, text })
    }
}

/// A decompressed block, read from its front.
#[derive(Debug, Clone, Default)]
struct Block {
    bytes: Vec<u8>,
    /// Where it is in the section.
    offset: usize,
    rows: usize,
    /// The next row, counted in the block, and where its text begins.
    row: usize,
    text: usize,
}

impl Block {
    fn is_done(&self) -> bool {
        self.row >= self.rows
    }

    fn text(&mut self) -> Result<Option<&str>, Corruption> {
        let offset = self.offset;
        let Some(place) = self.advance()? else { return Ok(None) };
        let text = std::str::from_utf8(self.bytes.get(place).unwrap_or_default());
        text.map(Some).map_err(|error| Corruption::new(offset, format!("a text is not UTF-8: {error}")))
    }

    /// Goes to the next row, and says where the text of this one is.
    fn advance(&mut self) -> Result<Option<Range<usize>>, Corruption> {
        let length = if self.is_done() { None } else { self.bytes.as_chunks().0.get(self.row) };
        let length = length.ok_or_else(|| Corruption::new(self.offset, "the block has fewer rows"))?;
        self.row = self.row.saturating_add(1);
        let Some(length) = u32::from_le_bytes(*length).checked_sub(1) else { return Ok(None) };
        let start = self.text;
        let end = start.saturating_add(length as usize);
        if end > self.bytes.len() {
            return Err(Corruption::new(self.offset, "a text ends beyond its block"));
        }
        self.text = end;
        Ok(Some(start..end))
    }
}

/// The texts of a range of rows.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    texts: &'a Texts<'a>,
    next: u32,
    end: u32,
    block: Block,
}

impl Rows<'_> {
    fn read(&mut self) -> Result<Option<String>, Corruption> {
        if self.block.is_done() {
            let number = self.texts.directory.partition_point(|entry| first_row(entry) <= self.next);
            let number = number.saturating_sub(1);
            let (rows, _) = self.texts.place(number)?;
            self.block = self.texts.block(number)?;
            for _ in rows.start..self.next {
                self.block.advance()?;
            }
        }
        Ok(self.block.text()?.map(str::to_owned))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Option<String>, Corruption>;

    /// After damage there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let text = self.read();
        self.next = if text.is_ok() { self.next.saturating_add(1) } else { self.end };
        Some(text)
    }
}

fn first_row(entry: &[u8; ENTRY]) -> u32 {
    u128::from_le_bytes(*entry) as u32
}

fn size(entry: &[u8; ENTRY]) -> u32 {
    (u128::from_le_bytes(*entry) >> 32) as u32
}

fn offset(entry: &[u8; ENTRY]) -> u64 {
    (u128::from_le_bytes(*entry) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Opens a section with the number of rows that it says itself.
    fn reopen(section: &[u8]) -> Result<Texts<'_>, Corruption> {
        Texts::open(section, section.first_chunk().map_or(0, |rows| u32::from_le_bytes(*rows)))
    }

    fn column() -> impl Strategy<Value = Vec<Option<String>>> {
        let text = prop_oneof![4 => "[ab ]{0,12}", 2 => "\\PC{0,8}", 1 => "[a-z]{60,80}", 1 => "x{300,400}"];
        prop::collection::vec(prop::option::weighted(0.7, text), 0..60)
    }

    #[test]
    fn the_layout_is_pinned() {
        let section = encode([Some("ab"), None, Some("")]);
        let block = [3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b'a', b'b'];
        let directory = [0, 0, 0, 0, 14, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(section[..24], [&[3, 0, 0, 0, 1, 0, 0, 0][..], &directory].concat());
        assert_eq!(lz4_flex::block::decompress(&section[24..], 14).unwrap(), block);
        assert_eq!(encode::<&str>([]), [0; 8]);
    }

    #[test]
    fn a_text_that_no_block_could_hold_is_refused() {
        let long = "x".repeat(TEXT_LIMIT + 1);
        let section = encode([Some(&long[1..])]);
        assert_eq!(reopen(&section).unwrap().get(0).unwrap().unwrap().len(), TEXT_LIMIT);
    }

    #[test]
    fn a_block_that_claims_to_be_huge_is_not_allocated() {
        let mut section = encode([Some("ab")]);
        section[15] = 0x7f;
        let error = reopen(&section).unwrap().get(0).unwrap_err();
        assert!(error.reason.contains("cannot have"), "{error}");
    }

    proptest! {
        #[test]
        fn texts_come_back(rows in column(), start in 0u32..70, len in 0u32..70) {
            let section = encode(rows.iter().map(Option::as_ref));
            let texts = reopen(&section).unwrap();
            texts.check().unwrap();
            for (row, text) in (0..).zip(&rows) {
                prop_assert_eq!(&texts.get(row).unwrap(), text);
            }
            prop_assert!(texts.get(rows.len() as u32).is_err() && texts.get(u32::MAX).is_err());
            let range: Result<Vec<_>, _> = texts.rows(start..start + len).collect();
            let naive: Vec<_> = rows.iter().skip(start as usize).take(len as usize).cloned().collect();
            prop_assert_eq!(range.unwrap(), naive);
            for cut in 0..section.len() {
                prop_assert!(reopen(&section[..cut]).and_then(|texts| texts.check()).is_err(), "cut at {}", cut);
            }
        }

        #[test]
        fn damaged_texts_are_found_or_harmless(rows in column(), at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut section = encode(rows.iter().map(Option::as_ref));
            let at = at.index(section.len());
            section[at] ^= 1u8 << bit;
            if let Ok(texts) = reopen(&section) {
                let read: Result<Vec<_>, _> = texts.rows(0..texts.rows).collect();
                if texts.check().is_ok() {
                    // Other texts, or more of them missing, but as many as the column says.
                    prop_assert_eq!(read.unwrap().len(), texts.rows as usize);
                }
                for row in 0..rows.len() as u32 {
                    let _ = texts.get(row);
                }
            }
        }

        #[test]
        fn any_bytes_open_or_are_corrupt(
            rows in 0u32..9,
            blocks in 0u32..3,
            bytes in prop::collection::vec(0u8..40, 0..90),
        ) {
            let section = [&rows.to_le_bytes()[..], &blocks.to_le_bytes(), &bytes].concat();
            if let Ok(texts) = reopen(&section) {
                let _ = texts.check();
                let _ = (texts.get(0), texts.get(1), texts.rows(0..9).count());
            }
        }
    }
}
