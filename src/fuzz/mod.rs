//! What the fuzz targets call: one function per decoder, which gives it any bytes and looks at everything that it
//! makes of them.
//!
//! A checksum keeps out what a disk may do to a file, and with it nearly all that a fuzzer could try. So bytes get
//! the [checksums that they should have](reseal) before they are decoded: what lies behind is tried by the
//! fuzzer and, with the corpus in `fuzz/corpus`, by `cargo test` alike.

mod city;
#[cfg(test)]
mod corpus;
mod reseal;

use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(feature = "import")]
use crate::import::{Import, Mapping};
use crate::query::{Access, Query, Sort};
use crate::schema::Schema;
use crate::segment;
use crate::storage::Memory;
use crate::store::Store;
use crate::store::manifest::Manifest;
use crate::tree::log;

/// Files by their names.
type Files = BTreeMap<String, Vec<u8>>;

/// The bytes are the segment of a store whose other files are whole.
pub fn segment(data: &[u8]) {
    let mut files = city::files().clone();
    files.insert(city::SEGMENT.to_owned(), data.to_vec());
    explore(files);
}

/// The bytes are all files of a store; see [`city::pack`].
pub fn store(data: &[u8]) {
    explore(city::unpack(data));
}

/// The bytes are a roaring bitmap.
pub fn bitmaps(data: &[u8]) {
    segment::fuzz::bitmap(data);
}

/// The bytes are a section of a segment: first its kind, then how many rows the segment has, u16.
pub fn sections(data: &[u8]) {
    let Some((&[kind, rows @ ..], section)) = data.split_first_chunk::<3>() else { return };
    segment::fuzz::section(kind, u16::from_le_bytes(rows).into(), section);
}

/// The bytes are a node log. One that is read is written again as it was.
pub fn node_log(data: &[u8]) {
    let mut data = data.to_vec();
    reseal::node_log(&mut data);
    let levels = ["city", "district", "street"].map(str::to_owned).to_vec();
    let Ok(tree) = log::replay("place", levels, &data) else { return };
    assert_eq!([log::header(), log::encode(&tree, 0)].concat(), data);
    let nodes: Vec<_> = tree.preorder(None).collect();
    assert_eq!(nodes.len(), tree.len());
    for &node in &nodes {
        let path = tree.path(node);
        assert_eq!(path.len(), tree.level_of(node) + 1);
        // Another node may have the same path, but then nobody is told that there is none.
        if let Ok(found) = tree.find(&path) {
            assert_eq!(tree.path(found), path);
        }
        assert!(tree.children(Some(node)).all(|child| tree.parent(child) == Some(node)));
    }
}

/// The bytes are a log of commits.
pub fn commit_log(data: &[u8]) {
    let Ok(replayed) = crate::log::replay("log", data) else { return };
    assert_eq!(replayed.end + replayed.dropped, data.len() as u64);
}

/// The bytes are the deaths of a segment, and then the stamps of a store's commits.
pub fn lists(data: &[u8]) {
    const ROWS: u32 = 100;
    if let Ok(deaths) = segment::Deaths::decode(data, ROWS) {
        assert!(deaths.is_sorted_by(|a, b| a.row < b.row) && deaths.iter().all(|death| death.row < ROWS));
    }
    if let Ok(stamps) = crate::store::stamps::Stamps::decode(data) {
        let commits = stamps.len() as u64;
        assert!((1..=commits).all(|commit| stamps.get(commit).is_some()) && stamps.at(i64::MAX) == commits);
    }
}

/// The bytes are a manifest. One that is read can be written, and read again.
pub fn manifest(data: &[u8]) {
    let mut data = data.to_vec();
    reseal::manifest(&mut data);
    let Ok(manifest) = Manifest::decode(&data) else { return };
    let again = manifest.encode().and_then(|bytes| Manifest::decode(&bytes));
    assert_eq!(again.ok(), Some(manifest));
}

/// The bytes are a schema, in TOML or in JSON. One that is read can be written in both, and read again.
pub fn schema(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    #[cfg(feature = "import")]
    if let Ok(schema) = Schema::from_toml(text) {
        let again = schema.to_toml().and_then(|text| Schema::from_toml(&text));
        assert_eq!(again.ok(), Some(schema));
    }
    if let Ok(schema) = serde_json::from_str::<Schema>(text) {
        let again = serde_json::to_string(&schema).and_then(|text| serde_json::from_str(&text));
        assert_eq!(again.ok(), Some(schema));
    }
}

/// The bytes are a mapping file; after a line of dashes, a CSV file that it is to import.
#[cfg(feature = "import")]
pub fn mapping(data: &[u8]) {
    const LINE: &[u8] = b"\n---\n";
    let cut = data.windows(LINE.len()).position(|window| window == LINE).unwrap_or(data.len());
    let (text, csv) = data.split_at(cut);
    let Some(mapping) = std::str::from_utf8(text).ok().and_then(|text| Mapping::from_toml(text).ok()) else {
        return;
    };
    let Ok(store) = Store::in_memory(mapping.schema().clone()) else { return };
    let Ok(import) = Import::new(&store, &mapping) else { return };
    let mut rejects = Vec::new();
    let mut import = import.rejects(&mut rejects);
    if import.file("orders.csv", csv.get(LINE.len()..).unwrap_or_default()).is_err() {
        return;
    }
    if let Ok(report) = import.finish() {
        assert_eq!(report.rows, report.imported + report.rejected + report.repeated.len() as u64);
        assert_eq!(store.verify(|_| ()).ok().map(|verified| verified.sealed_orders), Some(report.imported));
    }
}

/// The bytes are the text of a filter. One that is read can be written and read again, and keeps the same orders
/// whichever way they are reached.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now = city::store().snapshot();
    let Ok(filter) = now.schema().filter(text) else { return };
    let written = filter.to_string();
    let again = now.schema().filter(&written).map(|filter| filter.to_string());
    assert_eq!(again.ok().as_ref(), Some(&written));
    let count = |filter, access| {
        let answer = now.run(&Query::zoom().filter(filter).access(access)).ok()?;
        Some(answer.rows().map(|row| row.count()).sum::<u64>())
    };
    let scanned = count(filter.clone(), Access::Scan);
    assert_eq!(count(filter.clone(), Access::Bitmaps), scanned);
    assert_eq!(count(filter.clone(), Access::Views), scanned);
    if let Ok(read) = now.schema().filter(&written) {
        assert_eq!(count(read, Access::Scan), scanned);
    }
    if let (Some(kept), Some(rest)) = (scanned, count(!filter, Access::Scan)) {
        assert_eq!(kept + rest, now.describe().orders);
    }
}

/// Opens a store of these files, reads all of it, asks it and adds to it.
fn explore(mut files: Files) {
    files.iter_mut().for_each(|(name, bytes)| reseal::file(name, bytes));
    let Ok(store) = Store::open_on(Arc::new(Memory::from_files(files))) else { return };
    let _ = store.verify(|_| ());
    let now = store.snapshot();
    let _ = now.describe();
    for id in ["1", "7", "17", "A-4", "none"] {
        let _ = now.get(id);
    }
    for query in city::questions() {
        let _ = now.explain(&query);
        for access in [None, Some(Access::Scan), Some(Access::Bitmaps)] {
            let query = access.into_iter().fold(query.clone(), Query::access);
            let Ok(answer) = now.run(&query) else { continue };
            for row in &answer {
                let _ = serde_json::to_string(&row);
            }
        }
    }
    for sort in [Sort::Newest, Sort::Largest("minutes".to_owned())] {
        let _ = now.orders(&Query::zoom(), sort, 100);
    }
    if let Ok(mut load) = store.load() {
        for order in city::more() {
            let _ = load.push(order);
        }
        let _ = load.finish();
    }
}
