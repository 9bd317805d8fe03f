//! The order ids of a segment: the id of a row, and the rows of an id.
//!
//! Ids have an order, numbers before texts, and a row's *rank* is where its id stands in it: a permutation of the rows,
//! which is read both ways. A number is its distance from the least one. Where numbers follow one another without a
//! hole, as they mostly do, that is the rank itself, and nothing else is stored.
//!
//! ```text
//! rows u32 · numbers u32 · filter blocks u32 · number width u16 · offset width u16 · least u64 · most u64 · 32 zero bytes
//! ranks: a permutation of the rows
//! numbers, ascending, less the least: `number width` bytes each, none where it is 0
//! offsets of the texts and the end of the last: `offset width` bytes each · texts, ascending
//! filter of the ids' hashes, 32 bytes per block
//! ```
//!
//! *Numbers* counts the rows whose id is a number, the others' are texts; *least* and *most* are 0 without numbers.
//! Rows of one id follow one another in their own order. The filter is there where the bounds would let too many
//! foreign ids through: with texts, and with numbers that are sparse.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::ops::Range;

use super::bloom;
use super::narrow::{self, Narrow};
use super::permutation::{self, Permutation};
use crate::Corruption;
use crate::counting;
use crate::cursor::Cursor;
use crate::order_id::OrderId;

const HEADER: usize = 64;

/// Writes the ids of rows, given in the order of the rows.
pub(crate) fn encode(ids: &[OrderId]) -> Vec<u8> {
    /// Numbers are sparse when less than one in this many, between the least and the most, is an id.
    const SPARSE: u128 = 8;
    let sorted = Sorted::new(ids);
    let members = sorted.different();
    let sparse = sorted.span() > (members as u128).saturating_mul(SPARSE);
    let filtered = sparse || !sorted.texts.is_empty();
    write(ids, &sorted, if filtered { bloom::blocks(members) } else { 0 })
}

/// Ids in their order, and the row of each.
struct Sorted<'a> {
    numbers: Vec<(u64, u32)>,
    texts: Vec<(&'a str, u32)>,
}

impl<'a> Sorted<'a> {
    fn new(ids: &'a [OrderId]) -> Self {
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        for (row, id) in (0..).zip(ids) {
            match id {
                OrderId::Number(number) => numbers.push((*number, row)),
                OrderId::Text(text) => texts.push((&**text, row)),
            }
        }
        texts.sort_unstable();
        Self { numbers: counting::sort(numbers, |(number, _)| *number), texts }
    }

    fn different_numbers(&self) -> usize {
        self.numbers.chunk_by(|a, b| a.0 == b.0).count()
    }

    /// How many different ids there are.
    fn different(&self) -> usize {
        self.different_numbers().saturating_add(self.texts.chunk_by(|a, b| a.0 == b.0).count())
    }

    fn bounds(&self) -> (u64, u64) {
        let bound = |entry: Option<&(u64, u32)>| entry.map_or(0, |entry| entry.0);
        (bound(self.numbers.first()), bound(self.numbers.last()))
    }

    /// How many numbers there are from the least to the most.
    fn span(&self) -> u128 {
        let (least, most) = self.bounds();
        if self.numbers.is_empty() { 0 } else { u128::from(most.saturating_sub(least)).saturating_add(1) }
    }
}

fn write(ids: &[OrderId], sorted: &Sorted<'_>, blocks: u32) -> Vec<u8> {
    let (least, most) = sorted.bounds();
    let rows = sorted.numbers.iter().map(|(_, row)| *row).chain(sorted.texts.iter().map(|(_, row)| *row));
    let mut ranks = vec![0; ids.len()];
    for (rank, row) in (0_u32..).zip(rows) {
        ranks.get_mut(row as usize).into_iter().for_each(|place| *place = rank);
    }
    // Different, and as many as there are from the least to the most: the ranks themselves.
    let gapless =
        sorted.different_numbers() == sorted.numbers.len() && sorted.span() == sorted.numbers.len() as u128;
    let blob: String = sorted.texts.iter().map(|(text, _)| *text).collect();
    let number_width = if gapless { 0 } else { narrow::width(u128::from(most.saturating_sub(least))) };
    let offset_width = narrow::width(blob.len() as u128);
    let mut section = Vec::new();
    for count in [ids.len(), sorted.numbers.len(), blocks as usize] {
        section.extend((count as u32).to_le_bytes());
    }
    section.extend([number_width, 0, offset_width, 0]);
    section.extend(least.to_le_bytes());
    section.extend(most.to_le_bytes());
    section.resize(HEADER, 0);
    section.extend(permutation::encode(&ranks));
    if !gapless {
        for (number, _) in &sorted.numbers {
            narrow::push(&mut section, u128::from(number.saturating_sub(least)), number_width);
        }
    }
    let mut offset = 0_usize;
    narrow::push(&mut section, 0, offset_width);
    for (text, _) in &sorted.texts {
        offset = offset.saturating_add(text.len());
        narrow::push(&mut section, offset as u128, offset_width);
    }
    section.extend(blob.as_bytes());
    if blocks > 0 {
        section.extend(bloom::build(ids.iter().map(OrderId::hash64), blocks));
    }
    section
}

/// The ids of a segment, read in place.
#[derive(Debug, Clone)]
pub(crate) struct Ids<'a> {
    section: &'a [u8],
    rows: u32,
    numbers: u32,
    least: u64,
    most: u64,
    ranks: Permutation<'a>,
    /// The distances of the numbers from the least; none where they are the ranks.
    distances: Option<Narrow<'a>>,
    offsets: Narrow<'a>,
    blob: &'a [u8],
    filter: &'a [u8],
}

impl<'a> Ids<'a> {
    pub(crate) fn open(section: &'a [u8], rows: u32) -> Result<Self, Corruption> {
        let mut cursor = Cursor::new(section);
        let (found, numbers) = (cursor.u32()?, cursor.u32()?);
        if found != rows {
            return Err(Corruption::new(0, format!("it has {found} rows, the segment {rows}")));
        }
        let blocks = cursor.u32()? as usize;
        let [number_width, 0, offset_width, 0] = [cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?]
        else {
            return Err(Corruption::new(12, "the widths of ids are none"));
        };
        let (least, most) = (cursor.u64()?, cursor.u64()?);
        if numbers > rows || least > most {
            return Err(Corruption::new(0, "the counts or bounds contradict one another"));
        }
        if cursor.take(HEADER.saturating_sub(cursor.offset()))?.iter().any(|byte| *byte != 0) {
            return Err(Corruption::new(32, "the header of ids is not zero where it should be"));
        }
        let (ranks, rest) = Permutation::open(cursor.rest(), rows).map_err(behind_header)?;
        cursor.take(cursor.rest().len().saturating_sub(rest.len()))?;
        let distances = match number_width {
            0 => None,
            width => Some(Narrow::take(&mut cursor, numbers as usize, width)?),
        };
        let texts = rows.saturating_sub(numbers) as usize;
        let offsets = Narrow::take(&mut cursor, texts.saturating_add(1), offset_width)?;
        let blob = cursor.take(offsets.get(texts)?)?;
        let filter = cursor.take(blocks.saturating_mul(bloom::BLOCK))?;
        if !cursor.rest().is_empty() {
            return Err(cursor.corrupt("more bytes than the ids have"));
        }
        Ok(Self { section, rows, numbers, least, most, ranks, distances, offsets, blob, filter })
    }

    /// The id of a row.
    pub(crate) fn get(&self, row: u32) -> Result<OrderId, Corruption> {
        let rank = self.ranks.rank(row)?;
        match rank.checked_sub(self.numbers) {
            None => self.number(rank).map(OrderId::Number),
            Some(text) => self.text(text).map(|text| OrderId::Text(text.into())),
        }
    }

    /// The rows of an id, ascending; none where the segment does not hold it.
    pub(crate) fn find(&self, id: &OrderId) -> Result<Vec<u32>, Corruption> {
        let texts = self.rows.saturating_sub(self.numbers);
        let outside = match id {
            OrderId::Number(number) => self.numbers == 0 || !(self.least..=self.most).contains(number),
            OrderId::Text(_) => texts == 0,
        };
        if outside || !bloom::may_contain(self.filter, id.hash64()) {
            return Ok(Vec::new());
        }
        let ranks = match id {
            OrderId::Number(number) if self.distances.is_none() => {
                let rank = u32::try_from(number.saturating_sub(self.least)).unwrap_or(u32::MAX);
                rank..rank.saturating_add(1).min(self.numbers)
            }
            OrderId::Number(number) => equal(self.numbers, number, |rank| self.number(rank))?,
            OrderId::Text(text) => {
                let found = equal(texts, &&**text, |rank| self.text(rank))?;
                found.start.saturating_add(self.numbers)..found.end.saturating_add(self.numbers)
            }
        };
        ranks.map(|rank| self.ranks.row(rank).map_err(behind_header)).collect()
    }

    /// Reads everything: the ids, written anew, must give the same bytes.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        let ids: Vec<OrderId> = (0..self.rows).map(|row| self.get(row)).collect::<Result<_, _>>()?;
        if ids.iter().any(|id| OrderId::parse(&id.to_string()).ok().as_ref() != Some(id)) {
            return Err(Corruption::new(HEADER, "a text is none that an id can have"));
        }
        let blocks = self.filter.len().checked_div(bloom::BLOCK).unwrap_or_default();
        let written = write(&ids, &Sorted::new(&ids), blocks as u32);
        let same = written.iter().zip(self.section).take_while(|(a, b)| a == b).count();
        if same < written.len().max(self.section.len()) {
            return Err(Corruption::new(same, "the ids are not in order, or the filter is not theirs"));
        }
        Ok(())
    }

    /// The number with a rank.
    fn number(&self, rank: u32) -> Result<u64, Corruption> {
        let distance = match &self.distances {
            None => u64::from(rank),
            Some(distances) => distances.get(rank as usize)?,
        };
        let number = self.least.checked_add(distance);
        number.ok_or_else(|| Corruption::new(HEADER, "a number is beyond 64 bits"))
    }

    /// The text at a position.
    fn text(&self, at: u32) -> Result<&'a str, Corruption> {
        let at = at as usize;
        let (start, end) = (self.offsets.get(at)?, self.offsets.get(at.saturating_add(1))?);
        let text = self.blob.get(start..end).and_then(|text| std::str::from_utf8(text).ok());
        text.ok_or_else(|| self.offsets.corrupt(at, "the text is cut wrongly, or not UTF-8"))
    }
}

/// Damage of what lies behind the header.
fn behind_header(damage: Corruption) -> Corruption {
    Corruption { offset: damage.offset.saturating_add(HEADER as u64), ..damage }
}

/// The positions of `0..len` with what is sought.
fn equal<T: PartialOrd>(
    len: u32,
    sought: &T,
    at: impl Fn(u32) -> Result<T, Corruption>,
) -> Result<Range<u32>, Corruption> {
    let start = partition_point(len, |position| Ok(at(position)? < *sought))?;
    let mut end = start;
    while end < len && at(end)? == *sought {
        end = end.saturating_add(1);
    }
    Ok(start..end)
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
        let mut head =
            vec![3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0xe9, 3, 0, 0, 0, 0, 0, 0, 0xeb, 3];
        head.resize(HEADER, 0);
        let body = [0, 2, 0, 1, b'A'];
        let filter = bloom::build(ids.iter().map(OrderId::hash64), 1);
        assert_eq!(encode(&ids), [&head[..], &permutation::encode(&[1, 0, 2]), &body, &filter].concat());
    }

    #[test]
    fn dense_numbers_need_few_bytes_and_no_filter() {
        let rows = 10_000;
        let ids: Vec<_> =
            (0..rows).map(|row| OrderId::Number(2_026_030_100_000 + (row * 7_919) % rows)).collect();
        let section = encode(&ids);
        assert!(section.len() < 2 * rows as usize, "{}", section.len());
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
