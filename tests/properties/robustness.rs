//! Damage to the files of a store: it is found, it is told as an error, and nothing panics.

#![expect(clippy::disallowed_methods, reason = "files are damaged behind the library's back")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;
use zonal::{Access, Error, Grain, Order, Query, Sort, Store, is};

use crate::answers::config;
use crate::generate::cases;
use crate::model::{Between, Fields};
use crate::store;

/// A store with every kind of field and more than one segment.
fn city(folder: &Path) {
    let mut fields = Fields::new("America/New_York", &["city", "street"]);
    fields.trees.push(("topic".to_owned(), vec!["theme".to_owned(), "item".to_owned()]));
    fields.categories.push("channel".to_owned());
    fields.tags.push("tags".to_owned());
    fields.outcomes.push(("solved".to_owned(), vec!["yes".to_owned(), "no".to_owned()]));
    fields.counters.push(("solved".to_owned(), is("solved", "yes")));
    fields.stored.push("cost".to_owned());
    fields.clocks.push("closed".to_owned());
    let (from, to) = ("created".to_owned(), "closed".to_owned());
    fields.between.push(Between { name: "minutes".to_owned(), from, to, unit: zonal::Unit::Minutes });
    fields.keys.push("caller".to_owned());
    fields.texts.push("note".to_owned());
    fields.location = true;
    let store = Store::create(folder, fields.schema()).expect("an empty folder");
    for month in 0..2i64 {
        let mut load = store.load().expect("no other load").buffer(10);
        for number in 0..25i64 {
            let created = 1_300_000_000 + month * 2_700_000 + number * 977;
            let id = if number % 3 == 0 {
                format!("{}", month * 100 + number)
            } else {
                format!("t{month}-{number}")
            };
            let mut order = Order::new(id, created).place(["X", ["a", "b", "c"][number as usize % 3]]);
            if number % 4 > 0 {
                order = order
                    .tree("topic", [["heat", "noise"][number as usize % 2], "rest"])
                    .category("channel", ["phone", "web", "app"][number as usize % 3])
                    .tags("tags", ["urgent", "again", "child"].into_iter().take(number as usize % 4))
                    .outcome("solved", ["yes", "no"][number as usize % 2])
                    .measure("cost", number * number * 1_000)
                    .clock("closed", created + number * 3_600)
                    .key("caller", number as u64 % 7)
                    .location_e7(number as i32, -1)
                    .text("note", format!("note {number}"));
            }
            load.push(order).expect("an order that fits");
        }
        load.finish().expect("new orders");
    }
}

/// All files of a folder, relative to it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).expect("a file of the folder"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder that can be written");
        fs::copy(file, target).expect("a file that can be copied");
    }
}

/// A damaged store may fail in these ways.
fn is_typed(error: &Error) -> bool {
    matches!(
        error,
        Error::Corrupt(_) | Error::UnsupportedVersion { .. } | Error::NotAStore { .. } | Error::Io { .. }
    )
}

/// What of a store could be read without any error: verified, counted in several ways, and listed.
fn read(folder: &Path) -> Result<Vec<String>, Error> {
    let store = Store::open(folder)?;
    let verified = store.verify(|_| {});
    let questions = || -> Result<Vec<String>, Error> {
        let snapshot = store.snapshot();
        let mut told = vec![format!("{:?}", store.schema())];
        let places = Query::zoom().level("street").between().grain(Grain::Month);
        let topics =
            Query::zoom().by_level("topic", "item").by("tags").metric("p50:cost".parse::<zonal::Metric>()?);
        let filtered = [
            "channel=phone or tags~urgent&again",
            "minutes>60 and not solved=",
            "note= or location=0,-1,1,1",
        ];
        let mut queries = vec![places, topics];
        for text in filtered {
            queries.push(Query::zoom().by("channel").filter(snapshot.schema().filter(text)?));
        }
        for query in queries {
            for access in [Access::Views, Access::Bitmaps, Access::Scan] {
                let query = query.clone().metric("distinct:caller".parse::<zonal::Metric>()?);
                let answer = snapshot.run(&query.metric(zonal::rate("solved", "count")).access(access))?;
                told.extend(answer.rows().map(|row| serde_json::to_string(&row).expect("plain data")));
            }
        }
        for order in snapshot.orders(&Query::zoom(), Sort::Newest, 100)? {
            told.push(format!("{:?}", snapshot.get(order.id())?));
        }
        Ok(told)
    };
    // Whatever verify says, asking does not panic.
    let told = questions();
    verified?;
    told
}

/// Puts other bytes into a file for as long as a check takes.
fn with_bytes<T>(file: &Path, bytes: &[u8], check: impl FnOnce() -> T) -> T {
    let original = fs::read(file).expect("a file");
    fs::write(file, bytes).expect("a file that can be written");
    let checked = check();
    fs::write(file, original).expect("a file that can be written");
    checked
}

#[test]
fn every_flipped_byte_is_found() {
    let folder = TempDir::new().expect("a temporary folder");
    city(folder.path());
    let whole = read(folder.path()).expect("a store that is whole");
    for file in files(folder.path()) {
        let bytes = fs::read(&file).expect("a file");
        // Every byte of small files and of the ends of large ones, a seventh of the rest.
        let telling =
            |at: &usize| bytes.len() < 600 || *at < 64 || *at + 400 > bytes.len() || at.is_multiple_of(7);
        for at in (0..bytes.len()).filter(telling) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let found = with_bytes(&file, &flipped, || read(folder.path()));
            let name = file.file_name().expect("a name");
            match found {
                Err(error) => {
                    assert!(is_typed(&error), "byte {at} of {name:?} of {}: {error:?}", bytes.len())
                }
                Ok(_) => {
                    panic!("byte {at} of {name:?}, {} long, was flipped and nobody noticed", bytes.len())
                }
            }
        }
    }
    assert_eq!(read(folder.path()).expect("whole again"), whole);
}

#[test]
fn short_and_missing_files_are_found() {
    let original = TempDir::new().expect("a temporary folder");
    city(original.path());
    let whole = read(original.path()).expect("a store that is whole");
    for file in files(original.path()) {
        let name = file.strip_prefix(original.path()).expect("a file of the folder");
        let bytes = fs::read(&file).expect("a file");
        for length in (0..bytes.len()).filter(|length| length % 13 == 0 || length + 70 > bytes.len()) {
            let found = with_bytes(&file, &bytes[..length], || read(original.path()));
            let error = found.expect_err("a file that was cut short");
            assert!(is_typed(&error), "{length} bytes of {name:?}: {error:?}");
        }
        // Opening may make files, so it is done on a copy.
        let copied = TempDir::new().expect("a temporary folder");
        copy(original.path(), copied.path());
        fs::remove_file(copied.path().join(name)).expect("a file that can be removed");
        match read(copied.path()) {
            Err(error) => assert!(is_typed(&error), "without {name:?}: {error:?}"),
            // Only what holds no bytes may be missing: the lock.
            Ok(told) => assert!(bytes.is_empty() && told == whole, "{name:?} was removed and nobody noticed"),
        }
    }
}

#[test]
fn what_is_appended_or_left_behind_changes_nothing() {
    let folder = TempDir::new().expect("a temporary folder");
    city(folder.path());
    let whole = read(folder.path()).expect("a store that is whole");
    for file in files(folder.path()) {
        let bytes = fs::read(&file).expect("a file");
        let longer = [&bytes[..], b"more"].concat();
        match with_bytes(&file, &longer, || read(folder.path())) {
            Err(error) => assert!(is_typed(&error), "{file:?}: {error:?}"),
            // A node log may go on behind what is committed; the lock says nothing.
            Ok(told) => assert_eq!(told, whole, "{file:?}"),
        }
    }
    let segment =
        files(folder.path()).into_iter().find(|file| file.extension().is_some_and(|e| e == "segment"));
    let orphan = segment.expect("a segment").with_file_name("2011-03-999999.segment");
    fs::write(&orphan, b"of a load that was killed").expect("a folder that can be written");
    assert_eq!(read(folder.path()).expect("a store that is whole"), whole);
    assert!(!orphan.exists(), "orphans are removed");
}

#[test]
fn any_bytes_are_a_store_or_a_typed_error() {
    let original = TempDir::new().expect("a temporary folder");
    city(original.path());
    let names = files(original.path());
    let sources: Vec<Vec<u8>> = names.iter().map(|file| fs::read(file).expect("a file")).collect();
    let damage = (
        0..names.len(),
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200).prop_map(Damage::Replace),
            (any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 1..20))
                .prop_map(|(at, b)| Damage::Overwrite(at, b)),
            (0..names.len()).prop_map(Damage::Swap),
            (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(a, b)| Damage::Cut(a, b)),
        ],
    );
    let checked = TestRunner::new(config(300)).run(&damage, |(file, damage)| {
        let source = &sources[file];
        let bytes = damage.apply(source, &sources);
        if let Err(error) = with_bytes(&names[file], &bytes, || read(original.path())) {
            prop_assert!(is_typed(&error), "{:?} with {:?}: {:?}", names[file], damage, error);
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}

#[derive(Debug, Clone)]
enum Damage {
    /// Other bytes.
    Replace(Vec<u8>),
    /// Other bytes from here on, as many as there are.
    Overwrite(prop::sample::Index, Vec<u8>),
    /// The bytes of another file of the store.
    Swap(usize),
    /// What lies between is taken out.
    Cut(prop::sample::Index, prop::sample::Index),
}

impl Damage {
    fn apply(&self, source: &[u8], all: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = source.to_vec();
        match self {
            Self::Replace(other) => bytes.clone_from(other),
            Self::Swap(other) => bytes.clone_from(&all[*other]),
            Self::Overwrite(..) | Self::Cut(..) if bytes.is_empty() => {}
            Self::Overwrite(at, other) => {
                let at = at.index(bytes.len());
                bytes.iter_mut().skip(at).zip(other).for_each(|(to, from)| *to = *from);
            }
            Self::Cut(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                drop(bytes.drain(from.min(to)..from.max(to)));
            }
        }
        bytes
    }
}

#[test]
fn a_folder_tells_the_same_as_memory_and_after_reopening() {
    let checked = TestRunner::new(config(8)).run(&cases(4), |case| {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("made.zonal");
        let model = store::fill(&Store::create(&path, case.fields.schema()).expect("a new folder"), &case);
        let reopened = Store::open_with(&path, &case.fields.schema()).expect("the same schema");
        let verified = reopened.verify(|_| {}).expect("a store that is whole");
        prop_assert_eq!(verified.sealed_orders, model.facts.len() as u64);
        let snapshot = reopened.snapshot();
        for ask in &case.asks {
            match (store::answer(&snapshot, &ask.query()), model.answer(ask)) {
                (Ok(found), Ok(expected)) => prop_assert_eq!(found, expected, "{:#?}", ask),
                (Err(found), Err(expected)) => {
                    prop_assert!(expected.contains(&found), "{:?} {:#?}", found, ask)
                }
                (Err(_), Ok(_)) if model.may_refuse(ask) => {}
                (found, expected) => prop_assert!(false, "{:?}, not {:?} for {:#?}", found, expected, ask),
            }
        }
        let locked = matches!(Store::open(&path), Err(Error::Locked { .. }));
        prop_assert!(locked);
        drop((snapshot, reopened));
        let other = zonal::Schema::builder("UTC").place(["another"]).build().expect("a schema");
        let differs = matches!(Store::open_with(&path, &other), Err(Error::SchemaDiffers { .. }));
        let made_before = matches!(Store::create(&path, other), Err(Error::AlreadyAStore { .. }));
        prop_assert!(differs && made_before);
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}
