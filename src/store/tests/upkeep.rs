//! What a store does by itself.

use super::*;
use crate::Upkeep;

fn commit(store: &Store, id: u32) -> Result<u64> {
    let mut commit = store.begin();
    commit.upsert(order(id, id % 28 + 1, &["B", "C", "W"], "yes"));
    commit.finish()
}

#[test]
fn a_store_keeps_itself_up_and_ends_its_thread_with_its_last_handle() {
    let disk = Memory::default();
    let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
    store.keep_up(Upkeep::default().flush_after_orders(3).segments(1)).unwrap();
    for id in 0..30 {
        commit(&store, id % 7).unwrap();
    }
    store.keeper.settle();
    let described = store.snapshot().describe();
    assert_eq!((described.orders, described.ended, described.commit), (7, 23, 30));
    let sealed = store.state().manifest.commit;
    assert!(sealed >= 28, "of 30 commits only {sealed} are in segments");
    assert!(described.partitions[0].history_segments > 0);
    drop(store);
    let store = Store::open_on(Arc::new(disk)).unwrap();
    assert_eq!(store.snapshot().describe().orders, 7);
    assert_eq!(store.history("0").unwrap().len(), 5);
}

#[test]
fn what_upkeep_forgets_is_named() {
    let disk = Memory::default();
    disk.set_now(1_000_000);
    let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
    commit(&store, 1).unwrap();
    disk.set_now(1_000_600);
    commit(&store, 1).unwrap();
    commit(&store, 1).unwrap();
    let upkeep = Upkeep::default().flush_after_orders(1).forget_after(600);
    store.keep(&upkeep, || true).unwrap();
    assert_eq!(store.horizon(), 1);
    disk.set_now(1_001_300);
    commit(&store, 2).unwrap();
    store.keep(&upkeep, || true).unwrap();
    assert_eq!(store.horizon(), 3);
    let error = store.snapshot_at(2).unwrap_err().to_string();
    assert_eq!(
        error,
        "commit 2 is forgotten; the store answers as of commit 3, known 1970-01-12T21:56:40+08:00, and later ones"
    );
    assert!(matches!(store.changes(1, 4), Err(Error::Forgotten { commit: 1, .. })));
    assert_eq!(store.history("1").unwrap().len(), 1);
    store.compact().unwrap();
    let described = store.snapshot().describe();
    assert_eq!((described.orders, described.ended, described.horizon), (2, 0, 3));
}

#[test]
fn a_failure_of_upkeep_is_told_once_and_the_store_goes_on() {
    let mut seen = [false; 2];
    for operations in 0..100 {
        let disk = Memory::default();
        let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
        commit(&store, 1).unwrap();
        disk.fail_after(operations);
        store.keep_up(Upkeep::default().flush_after_orders(1)).unwrap();
        store.keeper.settle();
        disk.fail_after(u64::MAX);
        match commit(&store, 2) {
            Ok(_) => break,
            Err(Error::Latched { .. }) => seen[0] = true,
            Err(Error::Upkeep { source }) => {
                assert!(matches!(*source, Error::Io { .. }), "{source}");
                assert_eq!(store.snapshot().commit(), 1);
                commit(&store, 2).unwrap();
                store.keeper.settle();
                assert_eq!(store.state().manifest.commit, 2);
                seen[1] = true;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(seen, [true; 2], "some way to fail was not tried");
}

#[test]
fn a_partition_has_few_segments_however_often_a_store_is_flushed() {
    let store = Store::create_on(Arc::new(Memory::default()), schema()).unwrap();
    for id in 0..60 {
        commit(&store, id).unwrap();
        store.flush().unwrap();
        let state = store.state();
        let short = |live: &&Live| u64::from(live.segment.rows()) < compact::LARGEST / 2;
        let segments = state.lives.iter().filter(short).count();
        assert!(segments <= compact::SEGMENTS, "{segments} after {id}");
    }
    assert_eq!(store.snapshot().describe().orders, 60);
    assert_eq!(store.verify(|_| {}).unwrap().sealed_orders, 60);
}
