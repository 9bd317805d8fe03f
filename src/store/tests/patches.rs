//! What a patch leaves alone, and what it refuses.

use super::*;
use crate::{Patch, Step};

fn store() -> Store {
    let schema = Schema::builder("Asia/Shanghai")
        .place(["district", "street"])
        .category("channel")
        .clock("closed")
        .measure_between("minutes", "created", "closed", crate::Unit::Minutes)
        .build();
    Store::in_memory(schema.unwrap()).unwrap()
}

fn patch(store: &Store, patch: Patch) -> Result<u64> {
    let mut commit = store.begin();
    commit.patch("1", patch);
    commit.finish()
}

#[test]
fn a_patch_leaves_a_place_alone_whose_name_has_become_ambiguous() {
    let store = store();
    let mut commit = store.begin();
    commit.upsert(Order::new("1", 0).place(["B", "C"]));
    commit.upsert(Order::new("2", 0).place([Step::from("B"), Step::from(("C", "c-2"))]));
    commit.finish().unwrap();
    patch(&store, Patch::new().category("channel", "phone")).unwrap();
    let patched = store.snapshot().get("1").unwrap().unwrap();
    assert_eq!(patched, Order::new("1", 0).place(["B", "C"]).category("channel", "phone"));
    let moved = patch(&store, Patch::new().place(["B", "C"]));
    assert!(matches!(moved, Err(Error::InvalidOrder { .. })), "{moved:?}");
}

#[test]
fn a_patch_clears_only_what_can_be_missing() {
    let store = store();
    let mut commit = store.begin();
    let order = Order::new("1", 0).place(["B"]).category("channel", "web").clock("closed", 60);
    commit.upsert(order.clone());
    commit.finish().unwrap();
    for name in ["created", "minutes", "chanel", "location"] {
        let error = patch(&store, Patch::new().clear(name)).unwrap_err();
        assert!(matches!(error, Error::InvalidOrder { .. }), "{error}");
    }
    assert_eq!(store.snapshot().get("1").unwrap(), Some(order));
    patch(&store, Patch::new().clear("closed").clear("place").clear("channel")).unwrap();
    assert_eq!(store.snapshot().get("1").unwrap(), Some(Order::new("1", 0)));
}

#[test]
fn an_earlier_snapshot_describes_the_orders_of_its_commit() {
    let store = store();
    for id in 1..=3u64 {
        let mut commit = store.begin();
        commit.upsert(Order::new(id.to_string(), 0));
        commit.finish().unwrap();
    }
    let mut commit = store.begin();
    commit.remove("1");
    commit.finish().unwrap();
    store.flush().unwrap();
    let described = (0..=4).map(|commit| store.snapshot_at(commit).unwrap().describe().orders);
    assert_eq!(described.collect::<Vec<_>>(), [0, 1, 2, 3, 2]);
}

#[test]
fn a_point_that_was_cleared_is_cleared_when_the_log_is_replayed() {
    let disk = Memory::default();
    let schema = Schema::builder("Asia/Shanghai").place(["district"]).location().build().unwrap();
    let store = Store::create_on(Arc::new(disk.clone()), schema).unwrap();
    let mut commit = store.begin();
    commit.upsert(Order::new("1", 0).location_e7(3, 4));
    commit.upsert(Order::new("2", 0).location_e7(5, 6));
    commit.patch("1", Patch::new().clear("location"));
    commit.patch("2", Patch::new().created(60));
    commit.finish().unwrap();
    drop(store);
    let store = Store::open_on(Arc::new(disk)).unwrap();
    let point = |id: &str| store.snapshot().get(id).unwrap().unwrap().point();
    assert_eq!((point("1"), point("2")), (None, Some((5, 6))));
}
