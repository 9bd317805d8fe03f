//! Running sums side by side: what a view is made of.
//!
//! A record holds, for every fact that is summed (orders, counters, measures), the sum over all before it. So what lies
//! between two records, whatever that is, is one subtraction for each fact, and the facts of a record share a cache line.
//!
//! ```text
//! records u32 · lanes u16 · bytes of a record u16 ·
//! per lane: what is summed u8 · width u8 · number u16 · 0 u32 · base i64 ·
//! records, each with its lanes side by side · 8 zero bytes
//! ```
//!
//! A measure has two lanes: how many orders have it, and the sum of what they have beyond the base, its smallest value. So
//! every lane ascends, and is as many whole bytes wide as its last record needs. The bytes at the end let every
//! number be read with one unaligned load.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use crate::cursor::Cursor;
use crate::error::Corruption;

const LANE: usize = 16;
const PADDING: usize = 8;

/// What is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// Orders.
    Orders,
    /// Orders that a counter counts.
    Counter(usize),
    /// Orders that have a measure.
    Having(usize),
    /// What these have of the measure beyond the base.
    Sum(usize),
}

impl Fact {
    fn code(self) -> (u8, u16) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a schema has at most a thousand fields of a kind"
        )]
        match self {
            Self::Orders => (0, 0),
            Self::Counter(number) => (1, number as u16),
            Self::Having(number) => (2, number as u16),
            Self::Sum(number) => (3, number as u16),
        }
    }
}

/// The running sums of a fact: first 0, and one number more than there are parts.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) fact: Fact,
    pub(super) base: i64,
    pub(super) sums: Vec<u64>,
}

/// Encodes facts that have as many running sums each.
pub(super) fn encode(facts: &[Running]) -> Vec<u8> {
    let widths: Vec<usize> = facts.iter().map(|fact| width(fact.sums.last().copied().unwrap_or(0))).collect();
    let (stride, records) = (widths.iter().sum::<usize>(), facts.first().map_or(0, |fact| fact.sums.len()));
    let mut bytes = Vec::new();
    bytes.extend(u32::try_from(records).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(u16::try_from(facts.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(u16::try_from(stride).unwrap_or(u16::MAX).to_le_bytes());
    for (fact, width) in facts.iter().zip(&widths) {
        let (kind, number) = fact.fact.code();
        bytes.extend([kind, u8::try_from(*width).unwrap_or(u8::MAX)]);
        bytes.extend(number.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(fact.base.to_le_bytes());
    }
    for record in 0..records {
        for (fact, width) in facts.iter().zip(&widths) {
            let sum = fact.sums.get(record).copied().unwrap_or(0);
            bytes.extend(sum.to_le_bytes().iter().take(*width));
        }
    }
    bytes.extend([0; PADDING]);
    bytes
}

/// The bytes that hold numbers up to `most`, at least one: so records take bytes, and their number can be trusted.
fn width(most: u64) -> usize {
    u64::BITS.saturating_sub(most.leading_zeros()).div_ceil(8).max(1) as usize
}

/// Records read in place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records<'a> {
    lanes: &'a [[u8; LANE]],
    bytes: &'a [u8],
    stride: usize,
    records: usize,
}

/// A fact's numbers in records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane<'a> {
    /// From the first record's number on.
    bytes: &'a [u8],
    stride: usize,
    mask: u64,
    pub(crate) base: i64,
}

impl<'a> Records<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Corruption> {
        let mut cursor = Cursor::new(bytes);
        let records = cursor.u32()? as usize;
        let (lanes, stride) = (usize::from(cursor.u16()?), usize::from(cursor.u16()?));
        let (lanes, _) = cursor.take(lanes.saturating_mul(LANE))?.as_chunks::<LANE>();
        let mut bytes_of_lanes = 0usize;
        for [_, width, ..] in lanes {
            if !(1..=size_of::<u64>()).contains(&usize::from(*width)) {
                return Err(Corruption::new(8, format!("a lane cannot be {width} bytes wide")));
            }
            bytes_of_lanes = bytes_of_lanes.saturating_add(usize::from(*width));
        }
        let body = cursor.rest();
        let size = records.checked_mul(stride).and_then(|size| size.checked_add(PADDING));
        if bytes_of_lanes != stride || stride == 0 || size != Some(body.len()) {
            let reason = format!("{} bytes cannot be {records} records of {stride} bytes", body.len());
            return Err(Corruption::new(0, reason));
        }
        Ok(Self { lanes, bytes: body, stride, records })
    }

    /// How many records there are: one more than parts.
    pub(crate) fn len(&self) -> usize {
        self.records
    }

    /// The numbers of a fact; none where it is not summed here.
    pub(crate) fn lane(&self, fact: Fact) -> Option<Lane<'a>> {
        let (kind, number) = fact.code();
        let mut offset = 0usize;
        for lane in self.lanes {
            let [what, width, low, high, _, _, _, _, base @ ..] = *lane;
            if (what, u16::from_le_bytes([low, high])) == (kind, number) {
                return Some(self.lane_at(offset, width, base));
            }
            offset = offset.saturating_add(usize::from(width));
        }
        None
    }

    fn lane_at(&self, offset: usize, width: u8, base: [u8; 8]) -> Lane<'a> {
        let bits = u32::from(width).saturating_mul(8);
        let mask = u64::MAX.checked_shr(u64::BITS.saturating_sub(bits)).unwrap_or(0);
        let bytes = self.bytes.get(offset..).unwrap_or(&[]);
        Lane { bytes, stride: self.stride, mask, base: i64::from_le_bytes(base) }
    }

    /// Reads everything: what passes is what [`encode`] gives for the sums that it holds.
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        self.check_lanes(|lane| {
            lane.at(0) == 0
                && (1..self.records).all(|record| lane.at(record.saturating_sub(1)) <= lane.at(record))
        })
    }

    /// As [`check`](Self::check), where `is_sum` says whether a lane's numbers are running sums.
    pub(super) fn check_lanes(&self, is_sum: impl Fn(&Lane<'_>) -> bool) -> Result<(), Corruption> {
        let mut offset = 0usize;
        for (at, lane) in self.lanes.iter().enumerate() {
            let damage =
                |reason: &str| Err(Corruption::new(at.saturating_mul(LANE).saturating_add(8), reason));
            let [kind, bytes, low, high, zeros @ .., _, _, _, _, _, _, _, _] = *lane;
            let number = u16::from_le_bytes([low, high]);
            if kind > 3 || (kind == 0 && number != 0) || zeros != [0; 4] {
                return damage("a lane's description is not one");
            }
            let same = |other: &[u8; LANE]| {
                other.first_chunk::<4>().is_some_and(|[k, _, l, h]| [*k, *l, *h] == [kind, low, high])
            };
            if self.lanes.iter().take(at).any(same) {
                return damage("a lane is there twice");
            }
            let read = self.lane_at(offset, bytes, [0; 8]);
            let last = self.records.checked_sub(1).map_or(0, |last| read.at(last));
            if width(last) != usize::from(bytes) || !is_sum(&read) {
                return damage("a lane's numbers are not running sums of its width");
            }
            offset = offset.saturating_add(usize::from(bytes));
        }
        let padding = self.bytes.len().saturating_sub(PADDING);
        if self.bytes.get(padding..).is_none_or(|bytes| bytes.iter().any(|byte| *byte != 0)) {
            return Err(Corruption::new(padding, "the padding of records is not zero"));
        }
        Ok(())
    }
}

impl Lane<'_> {
    /// The sum over all that lies before a record; 0 for a record that is not there.
    #[inline]
    pub(crate) fn at(&self, record: usize) -> u64 {
        let bytes = self.bytes.get(record.wrapping_mul(self.stride)..);
        bytes.and_then(|bytes| bytes.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word) & self.mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts() -> impl Strategy<Value = Vec<Running>> {
        let which = prop::sample::subsequence(
            vec![Fact::Orders, Fact::Counter(0), Fact::Counter(300), Fact::Having(1), Fact::Sum(1)],
            1..=5,
        );
        (which, 0usize..20).prop_flat_map(|(facts, parts)| {
            let part = prop_oneof![Just(0), 0u64..3, Just(255), Just(u64::MAX / 40)];
            let parts = prop::collection::vec(part, parts);
            let lane = |fact| {
                (parts.clone(), any::<i64>()).prop_map(move |(parts, base)| {
                    let running = parts.iter().scan(0, |sum, part| {
                        *sum += part;
                        Some(*sum)
                    });
                    Running { fact, base, sums: std::iter::once(0).chain(running).collect() }
                })
            };
            facts.into_iter().map(lane).collect::<Vec<_>>()
        })
    }

    #[test]
    fn the_layout_is_pinned() {
        let fact = |fact, base, sums: &[u64]| Running { fact, base, sums: sums.to_vec() };
        let bytes = encode(&[fact(Fact::Counter(2), 0, &[0, 1, 3]), fact(Fact::Sum(1), -5, &[0, 0, 256])]);
        let mut expected = vec![3, 0, 0, 0, 2, 0, 3, 0];
        expected.extend([1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([3, 2, 1, 0, 0, 0, 0, 0, 251, 255, 255, 255, 255, 255, 255, 255]);
        expected.extend([0, 0, 0, 1, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes, expected);
    }

    proptest! {
        #[test]
        fn sums_come_back(facts in facts()) {
            let bytes = encode(&facts);
            let records = Records::open(&bytes).unwrap();
            records.check().unwrap();
            prop_assert_eq!(records.len(), facts[0].sums.len());
            for fact in &facts {
                let lane = records.lane(fact.fact).unwrap();
                prop_assert_eq!(lane.base, fact.base);
                for (record, sum) in fact.sums.iter().enumerate() {
                    prop_assert_eq!(lane.at(record), *sum);
                }
            }
            prop_assert!(records.lane(Fact::Counter(7)).is_none());
        }

        /// Whatever passes the check is what the encoder writes; whatever does not is read without a panic.
        #[test]
        fn damage_is_found(facts in facts(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = encode(&facts);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(records) = Records::open(&bytes) {
                let read = |fact: &Running| records.lane(fact.fact).map(|lane| Running {
                    fact: fact.fact,
                    base: lane.base,
                    sums: (0..records.len()).map(|record| lane.at(record)).collect(),
                });
                let read: Option<Vec<Running>> = facts.iter().map(read).collect();
                if let (Some(read), Ok(())) = (read, records.check()) {
                    prop_assert_eq!(encode(&read), bytes);
                }
            }
        }

        #[test]
        fn any_bytes_open_or_fail(bytes in prop::collection::vec(prop_oneof![3 => Just(0), 1 => 0u8..4, 1 => any::<u8>()], 0..100)) {
            if let Ok(records) = Records::open(&bytes) {
                let _ = records.check();
                let lane = records.lane(Fact::Orders);
                let _ = [0, 1, records.len(), usize::MAX].map(|record| lane.map(|lane| lane.at(record)));
            }
        }
    }
}
