//! When each commit was known, a list that grows by one with every commit; and how many nodes each tree had then.
//!
//! ```text
//! file    ┌──────────────────┬────────────────────┬────────┬────────┬─
//!         │ magic "zonaltim" │ format version u32 │ record │ record │ …      one record a flush
//!         └──────────────────┴────────────────────┴────────┴────────┴─
//! record  ┌───────────┬──────────────────────┬───────────┬─────────────────────────────────────────┬───────┐
//!         │ count u32 │ count × seconds, i64 │ trees u32 │ trees × commit u64, tree u32, nodes u32 │ crc32 │
//!         └───────────┴──────────────────────┴───────────┴─────────────────────────────────────────┴───────┘
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

use crate::cursor::Cursor;
use crate::error::Corruption;
use crate::tree::{Chunks, Forest};

const MAGIC: &[u8; 8] = b"zonaltim";
/// The first version had neither itself nor nodes.
const VERSION: u32 = 2;

/// The stamps of all commits; those of the first commit come first. Stamps never go back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stamps {
    list: Chunks<i64>,
    /// Trees that have grown, by commit.
    grown: Chunks<Grown>,
}

/// How many nodes a tree has from a commit on.
#[derive(Debug, Clone, Copy)]
struct Grown {
    commit: u64,
    tree: u32,
    nodes: u32,
}

impl Stamps {
    /// Adds a commit and what it has made of the trees.
    pub(crate) fn push(&mut self, stamp: i64, before: &Forest, after: &Forest) {
        self.list.push(stamp);
        let commit = self.list.len() as u64;
        let had: BTreeMap<u32, usize> = before.numbered().map(|(tree, had)| (tree, had.len())).collect();
        for (tree, has) in after.numbered() {
            if had.get(&tree).copied().unwrap_or(0) < has.len() {
                let nodes = u32::try_from(has.len()).unwrap_or(u32::MAX);
                self.grown.push(Grown { commit, tree, nodes });
            }
        }
    }

    /// How many nodes each tree had at a commit, by its number; those that had some.
    pub(crate) fn nodes(&self, commit: u64) -> BTreeMap<u32, usize> {
        let until = self.grown.iter().take_while(|grown| grown.commit <= commit);
        until.map(|grown| (grown.tree, grown.nodes as usize)).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// When a commit was known; none for a commit that does not exist.
    pub(crate) fn get(&self, commit: u64) -> Option<i64> {
        let index = u32::try_from(commit.checked_sub(1)?).ok()?;
        self.list.get(index).copied()
    }

    pub(crate) fn last(&self) -> Option<i64> {
        self.get(self.list.len() as u64)
    }

    /// The last commit that was known by a time; 0 where none was.
    pub(crate) fn at(&self, time: i64) -> u64 {
        let (mut low, mut high) = (0, self.list.len() as u64);
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle.saturating_add(1)).is_some_and(|stamp| stamp <= time) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    /// The record of the commits after `from`; before the first one stands the header.
    pub(crate) fn encode(&self, from: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        if from == 0 {
            bytes.extend(MAGIC);
            bytes.extend(VERSION.to_le_bytes());
        }
        let start = bytes.len();
        let new: Vec<i64> = self.list.iter().skip(from).copied().collect();
        bytes.extend(u32::try_from(new.len()).unwrap_or(u32::MAX).to_le_bytes());
        new.iter().for_each(|stamp| bytes.extend(stamp.to_le_bytes()));
        let grown: Vec<Grown> =
            self.grown.iter().filter(|grown| grown.commit > from as u64).copied().collect();
        bytes.extend(u32::try_from(grown.len()).unwrap_or(u32::MAX).to_le_bytes());
        for Grown { commit, tree, nodes } in grown {
            bytes.extend(commit.to_le_bytes());
            bytes.extend(tree.to_le_bytes());
            bytes.extend(nodes.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(bytes.get(start..).unwrap_or(&[])).to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Corruption> {
        let mut stamps = Self::default();
        if bytes.is_empty() {
            return Ok(stamps);
        }
        let mut cursor = Cursor::new(bytes);
        if cursor.take(MAGIC.len())? != MAGIC {
            return Err(Corruption::new(0, "it does not begin like a list of commits"));
        }
        let version = cursor.u32()?;
        if version != VERSION {
            let reason = format!(
                "its format version is {version}, this build reads {VERSION}; open it with the zonal that wrote it"
            );
            return Err(Corruption::new(MAGIC.len(), reason));
        }
        while !cursor.rest().is_empty() {
            let record = cursor.clone();
            let count = cursor.u32()?;
            for _ in 0..count {
                stamps.list.push(cursor.u64()?.cast_signed());
            }
            let trees = cursor.u32()?;
            for _ in 0..trees {
                let (commit, tree, nodes) = (cursor.u64()?, cursor.u32()?, cursor.u32()?);
                stamps.grown.push(Grown { commit, tree, nodes });
            }
            let covered = cursor.offset().saturating_sub(record.offset());
            let computed = crc32fast::hash(record.rest().get(..covered).unwrap_or(&[]));
            if cursor.u32()? != computed && !cfg!(fuzzing) {
                return Err(record.corrupt("its checksum does not agree"));
            }
        }
        Ok(stamps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    #[test]
    fn stamps_come_back_record_by_record_and_are_found_by_time() {
        let mut stamps = Stamps::default();
        let mut bytes = Vec::new();
        let schema = crate::Schema::builder("UTC").place(["city"]).category("channel").build().unwrap();
        let empty = Forest::build(&schema, |_, name, levels| Ok(Tree::new(name, levels))).unwrap();
        let mut forest = empty.clone();
        for (from, stamp) in [10, 20, 20, 30].into_iter().enumerate() {
            let before = forest.clone();
            if from % 2 == 1 {
                forest.categories[0].intern(None, &stamp.to_string(), None).unwrap();
                forest.categories[0].intern(None, &from.to_string(), None).unwrap();
            }
            stamps.push(stamp, &before, &forest);
            bytes.extend(stamps.encode(from));
        }
        let read = Stamps::decode(&bytes).unwrap();
        let nodes = |commit| read.nodes(commit).into_values().collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 3, 4, 9].map(nodes), [vec![], vec![], vec![2], vec![2], vec![4], vec![4]]);
        let then = forest.as_of(|tree| read.nodes(2).get(&tree).copied().unwrap_or(0));
        let names = |forest: &Forest| -> Vec<String> {
            let tree = &forest.categories[0];
            tree.children(None).map(|node| tree.name_of(node).to_owned()).collect()
        };
        assert_eq!(
            (names(&then), names(&forest).len(), then.categories[0].len()),
            (vec!["20".into(), "1".into()], 4, 2)
        );
        assert!(then.categories[0].find(["30"]).is_err() && then.categories[0].find(["20"]).is_ok());
        assert_eq!((read.len(), read.get(1), read.get(5), read.get(0)), (4, Some(10), None, None));
        assert_eq!([9, 10, 19, 20, 29, 30, 99].map(|time| read.at(time)), [0, 1, 1, 3, 3, 4, 4]);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Stamps::decode(&flipped).is_err(), "byte {at}");
        }
    }
}
