#![doc = include_str!("manifest.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use serde::{Deserialize, Serialize};

use crate::error::{Corruption, Error, Result};
use crate::schema::Schema;
use crate::storage::Storage;

pub(crate) const MANIFEST: &str = "MANIFEST";
/// Where the next manifest is written before it takes its name.
pub(crate) const NEXT_MANIFEST: &str = "MANIFEST.next";
const MAGIC: &str = "zonal-manifest";
const VERSION: u32 = 1;

/// Which files make up the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The last commit that the files hold; 0 for an empty store.
    pub(crate) commit: u64,
    /// The number for the next file; numbers are never used twice.
    pub(crate) next_file: u64,
    /// The schema's versions, the store's own last; segments name theirs by its place.
    pub(crate) schemas: Vec<Schema>,
    /// How much of every node log is committed.
    pub(crate) nodes: BTreeMap<String, NodeLog>,
    /// The segments.
    pub(crate) segments: Vec<SegmentFile>,
    /// The history segments: versions that have ended, by partition and age.
    pub(crate) history: Vec<String>,
    /// Versions that ended by this commit may be gone.
    pub(crate) horizon: u64,
    /// The logs that hold the commits since, the one that is written to last; none before the first.
    pub(crate) logs: Vec<String>,
    /// The committed length of the file with the stamps of the commits.
    pub(crate) stamps: u64,
}

/// How much of a node log is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeLog {
    pub(crate) bytes: u64,
    pub(crate) nodes: u64,
}

/// A segment, and the file that lists its ended versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentFile {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deaths: Option<String>,
}

impl Manifest {
    /// The first one of a store.
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            commit: 0,
            next_file: 1,
            schemas: vec![schema],
            nodes: BTreeMap::new(),
            segments: Vec::new(),
            history: Vec::new(),
            horizon: 0,
            logs: Vec::new(),
            stamps: 0,
        }
    }

    /// The names of the files that it alone names: all but its own, the node logs and the stamps, which only grow.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.sealed().chain(self.logs.iter().map(String::as_str)).collect()
    }

    /// The names of the sealed files.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = &str> {
        let segments = self.segments.iter().flat_map(|file| std::iter::once(&file.name).chain(&file.deaths));
        segments.chain(&self.history).map(String::as_str)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let body =
            serde_json::to_vec_pretty(self).map_err(|error| Error::invalid("schema", error.to_string()))?;
        let mut bytes =
            format!("{MAGIC} {VERSION} {} {:08x}\n", body.len(), crc32fast::hash(&body)).into_bytes();
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// The store's manifest, as it is now.
    pub(crate) fn read(storage: &dyn Storage) -> Result<Self> {
        let bytes = storage.read(MANIFEST)?;
        Self::decode(bytes.slice(0..bytes.len()).unwrap_or(&[]))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let damage = |at: usize, reason: String| -> Error {
            Corruption::new(at, reason).within(MANIFEST, "manifest", 0).into()
        };
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let line = end.and_then(|end| bytes.get(..end)).and_then(|line| std::str::from_utf8(line).ok());
        let (Some(end), Some(line)) = (end, line) else {
            return Err(damage(0, "it does not begin with a line of text".to_owned()));
        };
        let mut words = line.split(' ');
        if words.next() != Some(MAGIC) {
            return Err(damage(0, "it does not begin like a manifest".to_owned()));
        }
        match words.next().and_then(|version| version.parse().ok()) {
            Some(VERSION) => {}
            Some(found) => {
                return Err(Error::UnsupportedVersion { file: MANIFEST.to_owned(), found, known: VERSION });
            }
            None => return Err(damage(0, "its first line names no version".to_owned())),
        }
        let length = words.next().and_then(|length| length.parse::<usize>().ok());
        let crc = words.next();
        let body = bytes.get(end.saturating_add(1)..).unwrap_or(&[]);
        if length != Some(body.len()) {
            return Err(damage(
                end,
                format!("{} bytes follow its first line, which says otherwise", body.len()),
            ));
        }
        // As it is written, so that not even the case of a digit can change.
        if crc != Some(format!("{:08x}", crc32fast::hash(body)).as_str()) {
            return Err(damage(end, "its checksum does not agree".to_owned()));
        }
        let manifest: Self = serde_json::from_slice(body).map_err(|error| damage(end, error.to_string()))?;
        if manifest.schemas.is_empty() {
            return Err(damage(end, "it has no schema".to_owned()));
        }
        Ok(manifest)
    }

    /// Makes this the store's manifest: from the return on, durably; before, not at all.
    pub(crate) fn publish(&self, storage: &dyn Storage) -> Result<()> {
        let mut file = storage.create(NEXT_MANIFEST)?;
        file.write_all(&self.encode()?).map_err(|error| Error::io("write", NEXT_MANIFEST, error))?;
        file.sync()?;
        drop(file);
        storage.rename(NEXT_MANIFEST, MANIFEST)?;
        storage.sync_folder()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        Manifest {
            commit: 7,
            next_file: 12,
            schemas: vec![
                Schema::builder("Asia/Shanghai").place(["city"]).category("channel").build().unwrap(),
            ],
            nodes: [("place".to_owned(), NodeLog { bytes: 12, nodes: 0 })].into(),
            segments: vec![SegmentFile {
                name: "segments/2011-07-000001.segment".to_owned(),
                deaths: Some("segments/2011-07-000001.deaths-7".to_owned()),
            }],
            history: vec!["history/2011-07-000002.segment".to_owned()],
            horizon: 3,
            logs: vec!["log/000012.log".to_owned()],
            stamps: 24,
        }
    }

    #[test]
    fn a_manifest_comes_back_as_it_was() {
        assert_eq!(Manifest::decode(&sample().encode().unwrap()).unwrap(), sample());
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_an_error() {
        let bytes = sample().encode().unwrap();
        for length in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(Manifest::decode(&flipped).is_err(), "byte {at}");
        }
    }
}
