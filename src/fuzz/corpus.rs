//! Replays `fuzz/corpus/TARGET` and makes it anew.

#![expect(clippy::disallowed_methods, reason = "the corpus lies in the source tree, not in a store")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::{Files, city};
use crate::segment::{Death, Deaths};
use crate::storage::Memory;
use crate::store::Store;

macro_rules! replayed {
    ($($target:ident)*) => { $(
        #[test]
        fn $target() {
            replay(stringify!($target), super::$target);
        }
    )* };
}

replayed! { segment store bitmaps sections node_log commit_log lists manifest schema filter }
#[cfg(feature = "import")]
replayed! { mapping }

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn replay(target: &str, decode: fn(&[u8])) {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    for file in files {
        // Shown where the decoder panics.
        println!("{}", file.display());
        decode(&fs::read(file).unwrap());
    }
}

/// Inputs that once made a decoder fail are kept: they are called otherwise.
#[test]
#[ignore = "writes fuzz/corpus; for after a change of format"]
fn the_corpus_is_made_anew() {
    let files = city::files();
    let segment = &files[city::SEGMENT];
    seed("segment", "city", segment);
    seed("store", "city", &city::pack(files));
    let empty = Files::from([("MANIFEST".to_owned(), empty_manifest(&files["MANIFEST"]))]);
    seed("store", "empty", &city::pack(&empty));
    for (name, section) in first_sections(segment) {
        seed("sections", &name, &section);
    }
    for (name, values) in small_bitmaps() {
        let mut bytes = Vec::new();
        values.serialize_into(&mut bytes).unwrap();
        seed("bitmaps", name, &bytes);
    }
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("nodes/")) {
        seed("node_log", &name[6..name.len() - 4], bytes);
    }
    seed("commit_log", "commits", &two_commits());
    let deaths = [(3, 7, false), (99, 8, true)].map(|(row, died, removed)| Death { row, died, removed });
    seed("lists", "deaths", &Deaths::encode(&deaths));
    seed("lists", "stamps", &files["COMMITS"]);
    seed("manifest", "city", &files["MANIFEST"]);
    seed("manifest", "empty", &empty["MANIFEST"]);
    let schema = city::store().schema();
    seed("schema", "toml", schema.to_toml().unwrap().as_bytes());
    seed("schema", "json", serde_json::to_string(&schema).unwrap().as_bytes());
    for (name, csv) in
        [("plain", CSV.as_bytes().to_vec()), ("packed", packed(CSV)), ("gb18030", gb18030(CSV))]
    {
        seed("mapping", name, &[MAPPING.as_bytes(), b"\n---\n", &csv].concat());
    }
    for (number, text) in FILTERS.iter().enumerate() {
        write("filter", &format!("seed-{number:02}"), text.as_bytes());
    }
}

/// The log of a store that has two commits in it.
fn two_commits() -> Vec<u8> {
    let storage = Memory::default();
    let store = Store::create_on(Arc::new(storage.clone()), city::store().schema()).unwrap();
    for order in city::more().take(2) {
        let mut commit = store.begin().known_at(1_775_000_000);
        commit.upsert(order);
        commit.finish().unwrap();
    }
    storage.files().into_iter().find(|(name, _)| name.starts_with("log/")).unwrap().1
}

const FILTERS: [&str; 22] = [
    "all",
    "channel=phone|web",
    "channel!=phone",
    "channel=",
    "channel=|web",
    r#"channel="phone""#,
    "topic=Heating/Cold|Heating",
    "place=B/C",
    r#"place="B/C and W"|code:17|node:2|a\/b"#,
    "marks~urgent&old",
    "marks~urgent|old",
    "marks=",
    "solved=yes and not (channel=web or minutes>=10)",
    "minutes=7 or minutes<3 or minutes<=-9223372036854775808",
    "minutes>9223372036854775807",
    "hours_open>1 and hours_open<=2",
    "closed<2026-03-05",
    "closed>=2026-03-05T12:00:00+08:00 and created>2026-03-01",
    "closed= or caller= or note= or location=",
    "location=116.4,39.8,116.5,40",
    "location=-180,-90,180,90",
    "((((not not not solved=no))))",
];

/// Every kind of column.
const MAPPING: &str = r#"time_zone = "America/New_York"
missing = ["", "-"]
[file]
header_row = 2
[order]
id = "id"
created = { column = "open", formats = ["%Y-%m-%d %H:%M:%S", "excel", "iso"] }
[place]
levels = ["city", "ward", "street"]
columns = [{ value = "B" }, { column = "ward", clean = { strip_prefix = "Ward ", integer = true, range = [0, 22] } }, { column = "street", code = "code" }]
[location]
longitude = "lon"
latitude = "lat"
default = [-71.0587, 42.3594]
[[tree]]
name = "topic"
levels = ["reason", "type"]
columns = ["reason", "type"]
[[category]]
name = "channel"
column = "source"
clean = { values = { Tel = "phone" } }
[[tags]]
name = "marks"
column = "marks"
separator = ";"
[[outcome]]
name = "on_time"
column = "ontime"
labels = { Y = "yes", N = "no" }
[[clock]]
name = "closed"
column = "close"
formats = ["unix", "%d.%m.%y"]
clean = { range = ["2011-01-01", "2013-01-01"] }
[[measure]]
name = "cost"
column = "cost"
[[measure]]
name = "minutes_open"
between = ["created", "closed"]
unit = "minutes"
[[key]]
name = "caller"
column = "phone"
secret = "a secret of some length"
[[text]]
name = "note"
column = "note"
[[counter]]
name = "on_time"
where = "on_time=yes"
"#;

const CSV: &str = "a title,,
id,open,ward,street,code,lon,lat,reason,type,source,marks,ontime,close,cost,phone,note
1,2012-03-11 02:30:00,Ward 09,长街,S1,-71.1,42.3,r,t,Tel,a;b,Y,1331500000,12,555,\"two\nlines, \"\"quoted\"\"\"
2,40980.5,-,W,,0,0,r,,web,,N,12.03.12,x,,
3,2012-11-04T01:30:00,23,W,S1,-71.0587,42.3594,,t,,;,?,1.1.99,-3,555,-
3,2012-11-04T01:30:00Z,22,,S2,200,1,,,,b,,,,7,
,never,,,,,,,,,,,,,,
";

fn packed(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

/// A valid input and some damaged ones.
fn seed(target: &str, name: &str, bytes: &[u8]) {
    write(target, &format!("seed-{name}"), bytes);
    write(target, &format!("seed-{name}-cut"), &bytes[..bytes.len() * 2 / 3]);
    for part in 1..4 {
        let mut flipped = bytes.to_vec();
        if let Some(byte) = flipped.get_mut(bytes.len() * part / 4) {
            *byte ^= 0x11 << part;
        }
        write(target, &format!("seed-{name}-flipped-{part}"), &flipped);
    }
}

fn write(target: &str, name: &str, bytes: &[u8]) {
    fs::create_dir_all(folder(target)).unwrap();
    fs::write(folder(target).join(name), bytes).unwrap();
}

/// The manifest without anything but the schema.
fn empty_manifest(bytes: &[u8]) -> Vec<u8> {
    let mut manifest = crate::store::manifest::Manifest::decode(bytes).unwrap();
    manifest.nodes.clear();
    manifest.segments.clear();
    manifest.encode().unwrap()
}

/// The first section of each kind, as the target takes it.
fn first_sections(segment: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize| u64::from_le_bytes(segment[at..at + 8].try_into().unwrap()) as usize;
    let footer = segment.len() - 32;
    let (table, count) = (number(footer), number(footer + 8) & 0xffff_ffff);
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in (0..count).map(|number| table + 32 * number) {
        let kind = segment[entry];
        let (start, length) = (number(entry + 8), number(entry + 16));
        let name = format!("kind-{kind}-{length}");
        if length > 20
            && found.iter().filter(|(name, _)| name.starts_with(&format!("kind-{kind}"))).count() < 2
        {
            found.push((name, [&[kind, 20, 0], &segment[start..start + length]].concat()));
        }
    }
    found
}

/// One of each kind of container, and of several.
fn small_bitmaps() -> Vec<(&'static str, RoaringBitmap)> {
    let runs = |mut set: RoaringBitmap| {
        set.optimize();
        set
    };
    vec![
        ("empty", RoaringBitmap::new()),
        ("few", RoaringBitmap::from_iter([1, 5, 100, 65_535])),
        ("runs", runs(RoaringBitmap::from_iter((10..300).chain(400..402)))),
        ("several", RoaringBitmap::from_iter((0..5).map(|key| key * 70_000))),
        ("runs-of-several", runs((0..5).flat_map(|key| key << 16..(key << 16) + 9).collect())),
        ("many", (0..65_536 * 2).step_by(11).collect()),
    ]
}
