//! A permutation of the rows, read both ways: where a row stands in another order, and which row stands there.
//!
//! ```text
//! bytes of ranks u64 · bytes of jumps u64 · 48 zero bytes
//! marks: one bit a row, with running counts
//! ranks, by row: a column
//! jumps, by marked row: a column
//! ```
//!
//! Only ranks are stored, in as few bits as their number asks for. The other way goes along a cycle: from a rank, taken as a
//! row, to that row's rank, and so on, until a row has the rank that was asked for. On cycles longer than [`STRIDE`]
//! every so many rows one is marked, and has a jump to the marked row before it: so at most twice as many steps lead to it
//! (Munro, Raman, Raman, Rao 2003).
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use super::bits::{self, Bits};
use super::column::{self, Column};
use crate::error::Corruption;

/// How far apart marked rows of a cycle are.
const STRIDE: usize = 32;
const HEADER: usize = 64;

/// The permutation that gives each row its rank: `ranks` has every number below its length once.
pub(super) fn encode(ranks: &[u32]) -> Vec<u8> {
    /// Of a row that was passed.
    const PASSED: u32 = u32::MAX;
    let mut jumps: Vec<(u32, u32)> = Vec::new();
    let mut next = ranks.to_vec();
    let mut cycle: Vec<u32> = Vec::new();
    for start in 0..ranks.len() as u32 {
        cycle.clear();
        let mut at = start;
        while let Some(next) = next.get_mut(at as usize).filter(|next| **next != PASSED) {
            cycle.push(at);
            at = std::mem::replace(next, PASSED);
        }
        if cycle.len() > STRIDE {
            let marked = || cycle.iter().step_by(STRIDE);
            jumps.extend(marked().copied().zip(marked().next_back().into_iter().chain(marked()).copied()));
        }
    }
    jumps.sort_unstable();
    let wide =
        |numbers: &mut dyn Iterator<Item = u32>| column::encode(&numbers.map(i64::from).collect::<Vec<_>>());
    let (ranked, back) = (wide(&mut ranks.iter().copied()), wide(&mut jumps.iter().map(|(_, back)| *back)));
    let mut bytes = Vec::new();
    bytes.extend((ranked.len() as u64).to_le_bytes());
    bytes.extend((back.len() as u64).to_le_bytes());
    bytes.resize(HEADER, 0);
    bytes.extend(bits::encode(ranks.len() as u32, jumps.iter().map(|(row, _)| *row)));
    bytes.extend(ranked);
    bytes.extend(back);
    bytes
}

/// A permutation read in place.
#[derive(Debug, Clone)]
pub(super) struct Permutation<'a> {
    marks: Bits<'a>,
    ranks: Column<'a>,
    jumps: Column<'a>,
}

impl<'a> Permutation<'a> {
    /// The permutation of `rows` rows that `bytes` start with, and the bytes behind it.
    pub(super) fn open(bytes: &'a [u8], rows: u32) -> Result<(Self, &'a [u8]), Corruption> {
        let short = || Corruption::new(0, "a permutation is cut off");
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or_else(short)?;
        let [ranked, back, zeros @ ..] = header.as_chunks::<8>().0 else { return Err(short()) };
        if zeros.iter().flatten().any(|byte| *byte != 0) {
            return Err(Corruption::new(16, "a permutation's header is not one"));
        }
        let length = |bytes: &[u8; 8]| usize::try_from(u64::from_le_bytes(*bytes)).map_err(|_| short());
        let (marks, rest) = rest.split_at_checked(bits::size(rows)).ok_or_else(short)?;
        let (ranked, rest) = rest.split_at_checked(length(ranked)?).ok_or_else(short)?;
        let (back, rest) = rest.split_at_checked(length(back)?).ok_or_else(short)?;
        let marks = Bits::open(marks, rows)?;
        let ranks = Column::open(ranked, rows as usize)?;
        let jumps = Column::open(back, marks.rank(rows) as usize)?;
        Ok((Self { marks, ranks, jumps }, rest))
    }

    /// The rank of a row.
    pub(super) fn rank(&self, row: u32) -> Result<u32, Corruption> {
        u32::try_from(self.ranks.get(row as usize)).map_err(|_| Corruption::new(HEADER, "a row has no rank"))
    }

    /// The row of a rank.
    pub(super) fn row(&self, rank: u32) -> Result<u32, Corruption> {
        let (mut at, mut jumped) = (rank, false);
        for _ in 0..STRIDE.saturating_mul(2).saturating_add(2) {
            let next = self.rank(at)?;
            if next == rank {
                return Ok(at);
            }
            at = if !jumped && self.marks.get(at) {
                jumped = true;
                let back = self.jumps.get(self.marks.rank(at) as usize);
                u32::try_from(back).map_err(|_| Corruption::new(HEADER, "a marked row has no jump"))?
            } else {
                next
            };
        }
        Err(Corruption::new(HEADER, "the ranks are no permutation"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;

    /// Random ones, and rotations: one long cycle, or several of one length.
    fn ranks() -> impl Strategy<Value = Vec<u32>> {
        let shuffled = (0_u32..300).prop_flat_map(|rows| Just((0..rows).collect::<Vec<_>>()).prop_shuffle());
        let rotated =
            (1_u32..300, 0_u32..300).prop_map(|(rows, by)| (0..rows).map(|row| (row + by) % rows).collect());
        prop_oneof![shuffled, rotated]
    }

    proptest! {
        #[test]
        fn both_ways_agree(ranks in ranks()) {
            let bytes = encode(&ranks);
            let (read, rest) = Permutation::open(&bytes, ranks.len() as u32).unwrap();
            prop_assert!(rest.is_empty());
            for (row, rank) in (0..).zip(&ranks) {
                prop_assert_eq!((read.rank(row).unwrap(), read.row(*rank).unwrap()), (*rank, row));
            }
            prop_assert!(read.rank(ranks.len() as u32).is_err() && read.row(u32::MAX).is_err());
            for cut in 0..bytes.len() {
                prop_assert!(Permutation::open(&bytes[..cut], ranks.len() as u32).is_err());
            }
        }

        #[test]
        fn damage_is_read_without_a_panic(ranks in ranks(), at in any::<Index>(), flip in 1_u8..) {
            let mut bytes = encode(&ranks);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok((read, _)) = Permutation::open(&bytes, ranks.len() as u32) {
                for row in 0..ranks.len() as u32 {
                    drop((read.rank(row), read.row(row)));
                }
            }
        }
    }
}
