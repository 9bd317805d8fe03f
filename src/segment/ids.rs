//! The order ids of a segment: the id of a row, and the rows of an id.
//!
//! A row's *word* stands for its id, and words are ordered as ids are: a number is its distance from the least one;
//! then come the texts, by their position among the segment's texts. So the words of numbers that lie close
//! together have few bytes, and an id is found by a binary search over the rows in the order of their words.
//!
//! ```text
//! ┌──────┬─────────┬───────┬───────────────┬───────┬───────┬──────────────────────────────┬────────┐
//! │ rows │ numbers │ texts │ filter blocks │ least │ most  │ word · row · offset width    │ 0      │
//! │ u32  │ u32     │ u32   │ u32           │ u64   │ u64   │ u8 each                      │ 5 bytes│
//! ├──────┴─────────┴───┬───┴───────────────┴───────┴──┬────┴─────────────────┬────────────┴────────┤
//! │ words, by row      │ rows, in the order of words  │ offsets of the texts │ texts, ascending    │
//! ├────────────────────┴──────────────────────────────┴──────────────────────┴─────────────────────┤
//! │ filter of the ids' hashes, 32 bytes per block                                                  │
//! └────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! *Numbers* counts the rows whose id is a number, *texts* the different texts; *least* and *most* are 0 without
//! numbers. Rows of one id follow one another in their own order. The filter is there where the bounds would let
//! too many foreign ids through: with texts, and with numbers that are sparse.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use super::bloom;
use super::narrow::{self, Narrow};
use crate::Corruption;
use crate::cursor::Cursor;
use crate::order_id::OrderId;

/// Writes the ids of rows, given in the order of the rows.
pub(crate) fn encode(ids: &[OrderId]) -> Vec<u8> {
    /// Numbers are sparse when less than one in this many, between the least and the most, is an id.
    const SPARSE: u128 = 8;
    let sorted = Sorted::new(ids);
    let members = sorted.different_numbers.saturating_add(sorted.texts.len());
    let sparse = sorted.span() > (members as u128).saturating_mul(SPARSE);
    let filtered = sparse || !sorted.texts.is_empty();
    write(ids, &sorted, if filtered { bloom::blocks(members) } else { 0 })
}

/// Ids in their order.
struct Sorted<'a> {
    numbers: Vec<(u64, u32)>,
    different_numbers: usize,
    /// The different texts, ascending, and the rows of each.
    texts: Vec<(&'a str, Vec<u32>)>,
}

impl<'a> Sorted<'a> {
    fn new(ids: &'a [OrderId]) -> Self {
        let mut numbers = Vec::new();
        let mut named = Vec::new();
        for (row, id) in (0..).zip(ids) {
            match id {
                OrderId::Number(number) => numbers.push((*number, row)),
                OrderId::Text(text) => named.push((&**text, row)),
            }
        }
        numbers.sort_unstable();
        named.sort_unstable();
        let different_numbers = numbers.chunk_by(|a, b| a.0 == b.0).count();
        let texts = named.chunk_by(|a, b| a.0 == b.0);
        let texts =
            texts.filter_map(|same| Some((same.first()?.0, same.iter().map(|(_, row)| *row).collect())));
        Self { texts: texts.collect(), numbers, different_numbers }
    }

    fn bounds(&self) -> (u64, u64) {
        let bound = |entry: Option<&(u64, u32)>| entry.map_or(0, |entry| entry.0);
        (bound(self.numbers.first()), bound(self.numbers.last()))
    }

    fn span(&self) -> u128 {
        let (least, most) = self.bounds();
        span(self.numbers.len(), least, most)
    }
}

/// How many numbers there are from the least to the most: the word of the first text.
fn span(numbers: usize, least: u64, most: u64) -> u128 {
    if numbers == 0 { 0 } else { u128::from(most.saturating_sub(least)).saturating_add(1) }
}

fn write(ids: &[OrderId], sorted: &Sorted<'_>, blocks: u32) -> Vec<u8> {
    let (least, most) = sorted.bounds();
    let numbers = sorted.numbers.iter().map(|(number, row)| (u128::from(number.saturating_sub(least)), *row));
    let texts = (sorted.span()..).zip(&sorted.texts);
    let texts = texts.flat_map(|(word, (_, rows))| rows.iter().map(move |row| (word, *row)));
    let order: Vec<(u128, u32)> = numbers.chain(texts).collect();
    let mut words = vec![0; ids.len()];
    for (word, row) in &order {
        words.get_mut(*row as usize).into_iter().for_each(|place| *place = *word);
    }
    let blob: String = sorted.texts.iter().map(|(text, _)| *text).collect();

    let word_width = narrow::width(order.last().map_or(0, |last| last.0));
    let row_width = narrow::width(ids.len().saturating_sub(1) as u128);
    let offset_width = narrow::width(blob.len() as u128);
    let mut section = Vec::new();
    for count in [ids.len(), sorted.numbers.len(), sorted.texts.len(), blocks as usize] {
        section.extend((count as u32).to_le_bytes());
    }
    section.extend(least.to_le_bytes());
    section.extend(most.to_le_bytes());
    section.extend([word_width, row_width, offset_width, 0, 0, 0, 0, 0]);
    words.into_iter().for_each(|word| narrow::push(&mut section, word, word_width));
    order.into_iter().for_each(|(_, row)| narrow::push(&mut section, u128::from(row), row_width));
    let mut offset = 0_usize;
    narrow::push(&mut section, 0, offset_width);
    for (text, _) in &sorted.texts {
        offset = offset.saturating_add(text.len());
        narrow::push(&mut section, offset as u128, offset_width);
    }
    section.extend(blob.as_bytes());
    section.extend(bloom::build(ids.iter().map(OrderId::hash64), blocks));
    section
}

/// The ids of a segment, read in place.
#[derive(Debug, Clone)]
pub(crate) struct Ids<'a> {
    section: &'a [u8],
    rows: u32,
    numbers: u32,
    texts: u32,
    least: u64,
    most: u64,
    words: Narrow<'a>,
    order: Narrow<'a>,
    offsets: Narrow<'a>,
    blob: &'a [u8],
    filter: &'a [u8],
}

impl<'a> Ids<'a> {
    pub(crate) fn open(section: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let mut cursor = Cursor::new(section);
        let (found, numbers, texts) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        if found != rows {
            return Err(Corruption::new(0, format!("it has {found} rows, the segment {rows}")));
        }
        let blocks = cursor.u32()? as usize;
        let (least, most) = (cursor.u64()?, cursor.u64()?);
        if numbers > rows || texts > rows.saturating_sub(numbers) || least > most {
            return Err(Corruption::new(0, "the counts or bounds contradict one another"));
        }
        let widths = [cursor.u8()?, cursor.u8()?, cursor.u8()?];
        let [word_width, row_width, offset_width] = widths;
        cursor.take(5)?;
        let words = Narrow::take(&mut cursor, rows as usize, word_width)?;
        let order = Narrow::take(&mut cursor, rows as usize, row_width)?;
        let offsets = Narrow::take(&mut cursor, (texts as usize).saturating_add(1), offset_width)?;
        let blob = cursor.take(offsets.get(texts as usize)?)?;
        let filter = cursor.take(blocks.saturating_mul(bloom::BLOCK))?;
        if !cursor.rest().is_empty() {
            return Err(cursor.corrupt("more bytes than the ids have"));
        }
        Ok(Self { section, rows, numbers, texts, least, most, words, order, offsets, blob, filter })
    }

    /// The id of a row.
    pub(crate) fn get(&self, row: u32) -> Result<OrderId, Corruption> {
        let row = row as usize;
        let word = self.words.word(row)?;
        let damage = || self.words.corrupt(row, "the word stands for no id");
        match word.checked_sub(self.first_text()) {
            None => {
                let number = u64::try_from(word).ok().and_then(|word| self.least.checked_add(word));
                number.map(OrderId::Number).ok_or_else(damage)
            }
            Some(text) => {
                let text = u32::try_from(text).ok().filter(|text| *text < self.texts).ok_or_else(damage)?;
                self.text(text).map(|text| OrderId::Text(text.into()))
            }
        }
    }

    /// The rows of an id, ascending; none where the segment does not hold it.
    pub(crate) fn find(&self, id: &OrderId) -> Result<Vec<u32>, Corruption> {
        let mut rows = Vec::new();
        let Some(word) = self.word(id)? else { return Ok(rows) };
        let mut at = partition_point(self.rows, |at| Ok(self.in_order(at)?.0 < word))?;
        while at < self.rows {
            let (found, row) = self.in_order(at)?;
            if found != word {
                break;
            }
            rows.push(row);
            at = at.saturating_add(1);
        }
        Ok(rows)
    }

    /// Reads everything: the ids, written anew, must give the same bytes.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        let ids: Vec<OrderId> = (0..self.rows).map(|row| self.get(row)).collect::<Result<_, _>>()?;
        for (row, id) in ids.iter().enumerate() {
            if OrderId::parse(&id.to_string()).ok().as_ref() != Some(id) {
                return Err(self.words.corrupt(row, "the text is none that an id can have"));
            }
        }
        let blocks = self.filter.len().checked_div(bloom::BLOCK).unwrap_or_default();
        let written = write(&ids, &Sorted::new(&ids), blocks as u32);
        let same = written.iter().zip(self.section).take_while(|(a, b)| a == b).count();
        if same < written.len().max(self.section.len()) {
            return Err(Corruption::new(same, "the ids are not in order, or the filter is not theirs"));
        }
        Ok(())
    }

    /// The word that an id has here, if it may be here.
    fn word(&self, id: &OrderId) -> Result<Option<u128>, Corruption> {
        let outside = match id {
            OrderId::Number(number) => self.numbers == 0 || !(self.least..=self.most).contains(number),
            OrderId::Text(_) => self.texts == 0,
        };
        if outside || !bloom::may_contain(self.filter, id.hash64()) {
            return Ok(None);
        }
        match id {
            OrderId::Number(number) => Ok(Some(u128::from(number.saturating_sub(self.least)))),
            OrderId::Text(id) => {
                let at = partition_point(self.texts, |at| Ok(self.text(at)? < &**id))?;
                let found = at < self.texts && self.text(at)? == &**id;
                Ok(found.then(|| self.first_text().saturating_add(u128::from(at))))
            }
        }
    }

    /// The word of the first text.
    fn first_text(&self) -> u128 {
        span(self.numbers as usize, self.least, self.most)
    }

    /// The word and the row at a position in the order of words.
    fn in_order(&self, at: u32) -> Result<(u128, u32), Corruption> {
        let row: u32 = self.order.get(at as usize)?;
        Ok((self.words.word(row as usize)?, row))
    }

    fn text(&self, at: u32) -> Result<&'a str, Corruption> {
        let at = at as usize;
        let (start, end) = (self.offsets.get(at)?, self.offsets.get(at.saturating_add(1))?);
        let text = self.blob.get(start..end).and_then(|text| std::str::from_utf8(text).ok());
        text.ok_or_else(|| self.offsets.corrupt(at, "the text is cut wrongly, or not UTF-8"))
    }
}

/// The first position of `0..len` where `before` does not hold any more.
fn partition_point(len: u32, before: impl Fn(u32) -> Result<bool, Corruption>) -> Result<u32, Corruption> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low.midpoint(high);
        if before(middle)? {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;

    /// Opens a section with the number of rows that it says itself.
    fn reopen(section: &[u8]) -> Result<Ids<'_>, Corruption> {
        Ids::open(section, section.first_chunk().map_or(0, |rows| u32::from_le_bytes(*rows)))
    }

    fn id() -> impl Strategy<Value = OrderId> {
        let text = prop_oneof![
            6 => (1000u32..1040).prop_map(|number| number.to_string()),
            2 => any::<u64>().prop_map(|number| number.to_string()),
            1 => prop::sample::select(vec!["0", "18446744073709551615", "00", "18446744073709551616"]).prop_map_into(),
            3 => "[AB]-[0-9]{1,2}",
            1 => "\\PC{1,16}",
        ];
        text.prop_map(|text: String| OrderId::parse(&text).unwrap())
    }

    /// Of one kind, of both, or none.
    fn ids() -> impl Strategy<Value = Vec<OrderId>> {
        (prop::collection::vec(id(), 0..40), 0..3).prop_map(|(mut ids, kind)| {
            ids.retain(|id| kind == 0 || matches!(id, OrderId::Number(_)) == (kind == 1));
            ids
        })
    }

    #[test]
    fn the_layout_is_pinned() {
        let ids = ["1003", "1001", "A"].map(|text| OrderId::parse(text).unwrap());
        let head = [
            3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0xe9, 3, 0, 0, 0, 0, 0, 0, 0xeb, 3, 0, 0, 0, 0,
            0, 0,
        ];
        let body = [1, 1, 1, 0, 0, 0, 0, 0, 2, 0, 3, 1, 0, 2, 0, 1, b'A'];
        let filter = bloom::build(ids.iter().map(OrderId::hash64), 1);
        assert_eq!(encode(&ids), [&head[..], &body, &filter].concat());
    }

    #[test]
    fn dense_numbers_need_few_bytes_and_no_filter() {
        let rows = 10_000;
        let ids: Vec<_> =
            (0..rows).map(|row| OrderId::Number(2_026_030_100_000 + (row * 7_919) % rows)).collect();
        let section = encode(&ids);
        assert_eq!(section.len(), 40 + 4 * rows as usize + 1);
        assert_eq!(reopen(&section).unwrap().find(&OrderId::Number(2_026_030_100_000)).unwrap(), [0]);
    }

    #[test]
    fn the_widest_numbers_and_texts_go_together() {
        let ids = ["18446744073709551615", "0", "a", "b"].map(|text| OrderId::parse(text).unwrap());
        let section = encode(&ids);
        let read = reopen(&section).unwrap();
        read.check().unwrap();
        for (row, id) in (0..).zip(&ids) {
            assert_eq!((&read.get(row).unwrap(), read.find(id).unwrap()), (id, vec![row]));
        }
    }

    proptest! {
        #[test]
        fn ids_come_back_and_are_found(ids in ids(), foreign in prop::collection::vec(id(), 20)) {
            let section = encode(&ids);
            let read = reopen(&section).unwrap();
            read.check().unwrap();
            for (row, id) in (0..).zip(&ids) {
                prop_assert_eq!(&read.get(row).unwrap(), id);
            }
            for id in ids.iter().chain(&foreign) {
                let rows: Vec<u32> = (0..).zip(&ids).filter(|(_, other)| *other == id).map(|(row, _)| row).collect();
                prop_assert_eq!(read.find(id).unwrap(), rows);
            }
            prop_assert!(read.get(ids.len() as u32).is_err() && read.get(u32::MAX).is_err());
            for cut in 0..section.len() {
                prop_assert!(reopen(&section[..cut]).is_err());
            }
        }

        #[test]
        fn damaged_ids_are_found_or_harmless(ids in ids(), at in any::<Index>(), bit in 0..8) {
            let mut section = encode(&ids);
            let at = at.index(section.len());
            section[at] ^= 1u8 << bit;
            if let Ok(read) = reopen(&section) {
                for id in &ids {
                    let _ = read.find(id);
                }
                if read.check().is_ok() {
                    // Other ids, then, but a section that is theirs.
                    let other: Vec<_> = (0..read.rows).map(|row| read.get(row).unwrap()).collect();
                    for (row, id) in (0..).zip(&other) {
                        prop_assert!(read.find(id).unwrap().contains(&row));
                    }
                }
            }
        }

        #[test]
        fn any_bytes_open_or_are_corrupt(
            counts in prop::array::uniform4(0u32..4),
            bounds in prop::array::uniform2(any::<u64>()),
            bytes in prop::collection::vec(0u8..4, 8..80),
        ) {
            let mut section: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
            section.extend(bounds.iter().flat_map(|bound| bound.to_le_bytes()));
            section.extend(bytes);
            if let Ok(read) = reopen(&section) {
                let _ = (read.check(), read.get(0), read.get(3));
                let _ = (read.find(&OrderId::Number(bounds[0])), read.find(&OrderId::Text("\u{1}".into())));
            }
        }
    }
}
