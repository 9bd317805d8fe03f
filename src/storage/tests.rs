//! What every storage promises, asked of each; and what only a folder on disk can show.

use std::sync::Arc;

use super::*;

fn write(storage: &dyn Storage, name: &str, bytes: &[u8]) {
    let mut writer = storage.create(name).unwrap();
    writer.write_all(bytes).unwrap();
    writer.sync().unwrap();
    assert_eq!(writer.position(), bytes.len() as u64);
}

fn contents(storage: &dyn Storage, name: &str) -> Vec<u8> {
    let bytes = storage.open(name).unwrap();
    let copy = storage.read(name).unwrap();
    assert_eq!(bytes.slice(0..bytes.len()), copy.slice(0..copy.len()));
    bytes.slice(0..bytes.len()).unwrap().to_vec()
}

/// Runs a check on a folder that does not exist yet, and in memory.
fn each(check: impl Fn(&dyn Storage)) {
    check(&Memory::default());
    let folder = tempfile::tempdir().unwrap();
    check(&Disk::new(folder.path().join("city/store.zonal")));
}

#[test]
fn files_are_listed_with_one_level_of_folders() {
    each(|storage| {
        assert_eq!(storage.list().unwrap(), Vec::<String>::new());
        let _lock = storage.lock().unwrap();
        write(storage, "segments/2011-07-000001.segment", b"s");
        write(storage, "MANIFEST", b"m");
        write(storage, "nodes.log", b"n");
        write(storage, "segments/2011-06-000001.segment", b"s");
        storage.sync_folder().unwrap();
        let names =
            ["MANIFEST", "nodes.log", "segments/2011-06-000001.segment", "segments/2011-07-000001.segment"];
        assert_eq!(storage.list().unwrap(), names);
        assert!(storage.exists("segments/2011-07-000001.segment").unwrap());
        assert!(!storage.exists("segments/2011-08-000001.segment").unwrap());
    });
}

#[test]
fn files_are_read_back_whole() {
    each(|storage| {
        let long: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        for bytes in [&b""[..], b"x", &long] {
            write(storage, "folder/file", bytes);
            assert_eq!(contents(storage, "folder/file"), bytes);
        }
    });
}

#[test]
fn an_open_file_outlives_its_name() {
    each(|storage| {
        write(storage, "a", b"old");
        let replaced = storage.open("a").unwrap();
        write(storage, "a", b"newer");
        let renamed_over = storage.open("a").unwrap();
        write(storage, "b", b"newest");
        storage.rename("b", "a").unwrap();
        let removed = storage.open("a").unwrap();
        storage.remove("a").unwrap();
        assert_eq!(storage.list().unwrap(), Vec::<String>::new());
        assert_eq!(replaced.slice(0..3), Some(&b"old"[..]));
        assert_eq!(renamed_over.slice(0..5), Some(&b"newer"[..]));
        assert_eq!(removed.slice(0..6), Some(&b"newest"[..]));
    });
}

#[test]
fn append_cuts_and_goes_on() {
    each(|storage| {
        let mut writer = storage.append("log", 0).unwrap();
        writer.write_all(b"one two").unwrap();
        writer.sync().unwrap();
        assert_eq!(writer.position(), 7);
        drop(writer);
        let before = storage.read("log").unwrap();

        let mut writer = storage.append("log", 4).unwrap();
        assert_eq!(writer.position(), 4);
        writer.write_all(b"three").unwrap();
        writer.sync().unwrap();
        drop(writer);
        assert_eq!(contents(storage, "log"), b"one three");
        assert_eq!(before.slice(0..7), Some(&b"one two"[..]), "a copy does not change");

        let Err(Error::Corrupt(corruption)) = storage.append("log", 10).map(drop) else {
            panic!("a file that lost bytes was continued")
        };
        assert_eq!((corruption.file.as_str(), corruption.offset), ("log", 9));
        assert_eq!(contents(storage, "log"), b"one three");

        drop(storage.append("log", 0).unwrap());
        assert_eq!(contents(storage, "log"), b"");
    });
}

#[test]
fn what_is_missing_is_said_with_its_name() {
    each(|storage| {
        let missing = |result: Result<()>| match result {
            Err(Error::Io { file, source, .. }) => file == "no" && source.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        write(storage, "yes", b"");
        assert!(missing(storage.open("no").map(drop)));
        assert!(missing(storage.read("no").map(drop)));
        assert!(missing(storage.remove("no")));
        assert!(missing(storage.rename("no", "other")));
        assert!(missing(storage.append("no", 1).map(drop)));
        assert!(!storage.exists("no").unwrap());
    });
}

#[test]
fn one_writer_holds_the_lock() {
    each(|storage| {
        let lock = storage.lock().unwrap();
        let locked = |result: Result<Box<dyn Lock>>| matches!(result, Err(Error::Locked { .. }));
        assert!(locked(storage.lock()));
        drop(lock);
        let lock = storage.lock().unwrap();
        assert!(locked(storage.lock()));
        drop(lock);
    });
}

#[test]
fn time_passes_and_chance_differs() {
    each(|storage| {
        assert!(storage.now() > 1_700_000_000);
        let numbers: std::collections::BTreeSet<u64> = (0..100).map(|_| storage.random()).collect();
        assert_eq!(numbers.len(), 100);
    });
}

#[test]
fn names_do_not_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path().join("store"));
    write(&disk, "a", b"");
    for name in ["", "..", "../a", "/a", "b/../../a", "a\0"] {
        assert!(matches!(disk.open(name), Err(Error::Io { .. })), "{name:?}");
        assert!(matches!(disk.create(name), Err(Error::Io { .. })), "{name:?}");
    }
}

#[test]
fn two_handles_of_one_folder_share_its_lock_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Disk::new(folder.path()), Arc::new(Disk::new(folder.path())));
    let lock = one.lock().unwrap();
    assert!(matches!(two.lock(), Err(Error::Locked { folder: named }) if named == two.folder()));
    write(&one, "a", b"shared");
    assert_eq!(contents(&*two, "a"), b"shared");
    drop(lock);
    assert!(two.lock().is_ok());
}
