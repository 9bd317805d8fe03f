//! The nodes that a snapshot of an earlier commit knows.

use super::*;

/// The districts of a snapshot with their orders, those without orders too.
fn districts(snapshot: &Snapshot) -> Vec<String> {
    let answer = snapshot.run(&Query::zoom().level("district").all_units()).unwrap();
    answer.rows().map(|row| format!("{} {}", row.path(), row.count())).collect()
}

fn check(store: &Store) {
    let at = |commit: u64| store.snapshot_at(commit).unwrap();
    assert_eq!(districts(&at(0)), [""; 0]);
    assert_eq!(districts(&at(1)), ["B/C 1"]);
    assert_eq!(districts(&at(2)), ["B/C 1", "B/D 1"]);
    assert_eq!(districts(&at(3)), ["B/C 0", "B/D 1", "B/E 1"]);
    assert_eq!(districts(&store.snapshot()), ["B/C 0", "B/D 1", "B/E 1", "F/G 1"]);
    assert_eq!([0, 1, 2, 3, 4].map(|commit| at(commit).place().len()), [0, 3, 4, 6, 8]);
    let described = at(1).describe();
    assert_eq!((&described.trees[0].nodes[..], &described.trees[1].nodes[..]), (&[1, 1, 1][..], &[1][..]));
    assert_eq!(at(2).describe().trees[1].nodes, [2]);
    let unknown = |snapshot: Snapshot, path: &[&str]| {
        matches!(snapshot.unit(path), Err(Error::Unknown { .. })) && store.snapshot().unit(path).is_ok()
    };
    assert!(unknown(at(1), &["B", "D"]) && unknown(at(3), &["F"]) && at(3).unit(["B", "E", "Y"]).is_ok());
    let later = store.snapshot().unit(["F"]).unwrap();
    assert!(matches!(at(3).run(&Query::zoom().within(later)), Err(Error::Unknown { .. })));
    let web = Query::zoom().filter(is("channel", "web"));
    assert_eq!(at(2).run(&web).unwrap().rows().map(|row| row.count()).sum::<u64>(), 1);
    let phone = Query::zoom().filter(is("channel", "phone"));
    assert!(matches!(at(1).run(&phone), Err(Error::Unknown { .. })));
}

#[test]
fn an_earlier_commit_knows_the_nodes_that_there_were() {
    let disk = Memory::default();
    let mut store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
    let commit = |store: &Store, order: Order| {
        let mut commit = store.begin();
        commit.upsert(order);
        commit.finish().unwrap();
    };
    commit(&store, order(1, 1, &["B", "C", "X"], "yes"));
    commit(&store, order(2, 1, &["B", "D"], "yes"));
    store.flush().unwrap();
    commit(&store, order(1, 1, &["B", "E", "Y"], "yes"));
    let mut load = store.load().unwrap();
    load.push(order(3, 1, &["F", "G"], "yes")).unwrap();
    load.finish().unwrap();
    check(&store);
    drop(store);
    store = Store::open_on(Arc::new(disk.crash(0))).unwrap();
    check(&store);
    store.compact().unwrap();
    check(&store);
    check(&Store::open_read_only_on(Arc::new(disk)).unwrap());
}
