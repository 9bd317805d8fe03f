//! Copies of a store that is written to.

use super::*;
use crate::storage::{Bytes, Storage, Writer as FileWriter};
use crate::{Patch, Sort};

/// Every order and every version of it, in words.
fn told(store: &Store) -> Vec<String> {
    let orders = store.snapshot().orders(&Query::zoom(), Sort::Newest, usize::MAX).unwrap();
    let told = orders.iter().map(|order| {
        let history = store.history(order.id()).unwrap();
        format!("{} {}", serde_json::to_string(order).unwrap(), serde_json::to_string(&history).unwrap())
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

/// A store with sealed orders, ended ones among them, and commits that only the log has.
fn lived(disk: &Memory) -> Store {
    let store = filled(disk);
    for (id, flush) in [("1", true), ("2", false), ("3", false)] {
        let mut commit = store.begin();
        commit.patch(id, Patch::new().place(["B", "new", id]));
        commit.upsert(order(20, 9, &["E", id], "no"));
        commit.finish().unwrap();
        if flush {
            store.flush().unwrap();
        }
    }
    store
}

#[test]
fn a_backup_is_a_store_of_its_own() {
    let (disk, copy) = (Memory::default(), Memory::default());
    let store = lived(&disk);
    assert_eq!(store.backup_to(&copy).unwrap(), 4);
    let (then, described) = (told(&store), store.snapshot().describe());
    assert!(matches!(store.backup_to(&copy), Err(Error::AlreadyAStore { .. })));
    let mut commit = store.begin();
    commit.remove("4");
    commit.finish().unwrap();
    // Its lock is free, its log whole, and what the two do from now on is their own.
    let backup = Store::open_on(Arc::new(copy.crash(0))).unwrap();
    assert_eq!((backup.dropped_bytes(), backup.snapshot().commit()), (0, 4));
    assert_eq!(told(&backup), then);
    assert_eq!(backup.snapshot().describe(), described);
    assert_eq!(backup.verify(|_| {}).unwrap().sealed_orders, 6);
    let mut commit = backup.begin();
    commit.remove("5");
    commit.finish().unwrap();
    backup.flush().unwrap();
    assert!(store.snapshot().get("5").unwrap().is_some() && store.snapshot().get("4").unwrap().is_none());
    assert!(backup.snapshot().get("5").unwrap().is_none() && backup.snapshot().get("4").unwrap().is_some());
    // A reader can make one too, and of an empty store there can be one.
    let reader = Store::open_read_only_on(Arc::new(disk)).unwrap();
    let copy = Memory::default();
    assert_eq!(reader.backup_to(&copy).unwrap(), 5);
    assert_eq!(told(&Store::open_on(Arc::new(copy)).unwrap()), told(&store));
    let (empty, copy) = (Store::in_memory(schema()).unwrap(), Memory::default());
    assert_eq!(empty.backup_to(&copy).unwrap(), 0);
    assert_eq!(Store::open_on(Arc::new(copy)).unwrap().snapshot().commit(), 0);
}

#[test]
fn a_failed_backup_is_no_store_and_can_be_made_again() {
    let store = lived(&Memory::default());
    for operations in 1.. {
        let copy = Memory::default();
        copy.fail_after(operations);
        let made = store.backup_to(&copy);
        copy.fail_after(u64::MAX);
        if made.is_ok() {
            assert!(operations > 10);
            break;
        }
        for seed in 0..12 {
            let after = copy.crash(seed);
            match Store::open_on(Arc::new(after.clone())) {
                // The last sync has failed, and the power was cut before the name could be taken back.
                Ok(backup) => assert_eq!(told(&backup), told(&store)),
                Err(error) => {
                    assert!(matches!(error, Error::NotAStore { .. }), "{error}");
                    store.backup_to(&after).unwrap();
                    assert_eq!(told(&Store::open_on(Arc::new(after)).unwrap()), told(&store));
                }
            }
        }
        assert!(operations < 1_000, "it is never made");
    }
}

/// A storage that changes the store with every file it gets.
#[derive(Debug)]
struct Meddler {
    memory: Memory,
    store: Store,
}

impl Storage for Meddler {
    fn create(&self, name: &str) -> Result<Box<dyn FileWriter>> {
        let mut commit = self.store.begin();
        commit.upsert(order(1, 7, &["meddled", name], "no"));
        commit.upsert(order(20, 7, &["meddled", name], "no"));
        commit.finish()?;
        self.store.flush()?;
        self.memory.create(name)
    }

    fn folder(&self) -> String {
        self.memory.folder()
    }

    fn list(&self) -> Result<Vec<String>> {
        self.memory.list()
    }

    fn exists(&self, name: &str) -> Result<bool> {
        self.memory.exists(name)
    }

    fn open(&self, name: &str) -> Result<Bytes> {
        self.memory.open(name)
    }

    fn read_from(&self, name: &str, offset: u64) -> Result<Bytes> {
        self.memory.read_from(name, offset)
    }

    fn append(&self, name: &str, length: u64) -> Result<Box<dyn FileWriter>> {
        self.memory.append(name, length)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.memory.rename(from, to)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.memory.remove(name)
    }

    fn sync_folder(&self) -> Result<()> {
        self.memory.sync_folder()
    }

    fn lock(&self) -> Result<Box<dyn Lock>> {
        self.memory.lock()
    }

    fn now(&self) -> i64 {
        self.memory.now()
    }

    fn random(&self) -> u64 {
        self.memory.random()
    }
}

#[test]
fn a_backup_is_of_one_moment_whatever_is_written_meanwhile() {
    let store = lived(&Memory::default());
    let then = told(&store);
    let target = Meddler { memory: Memory::default(), store: store.clone() };
    assert_eq!(target.store.backup_to(&target).unwrap(), 4);
    assert!(store.snapshot().commit() > 8);
    let backup = Store::open_on(Arc::new(target.memory.clone())).unwrap();
    assert_eq!(told(&backup), then);
    backup.verify(|_| {}).unwrap();
}

#[test]
fn a_backup_on_the_same_disk_shares_the_sealed_files() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, copy) = (folder.path().join("store"), folder.path().join("far/copy"));
    let store = Store::create(&path, schema()).unwrap();
    let mut load = store.load().unwrap();
    load.push(order(1, 1, &["B", "C", "W"], "yes")).unwrap();
    load.finish().unwrap();
    assert_eq!(store.backup(&copy).unwrap(), 1);
    let then = told(&store);
    drop(store);
    let disk = Disk::new(&path);
    disk.list().unwrap().iter().for_each(|name| disk.remove(name).unwrap());
    let backup = Store::open_read_only(&copy).unwrap();
    assert_eq!(told(&backup), then);
    backup.verify(|_| {}).unwrap();
}
