//! Loads whose disk fails at any operation, or whose power is cut right after it.

use super::*;

/// Seeds of [`Memory::crash`]: what survives of what was not synced.
const SEEDS: std::ops::Range<u64> = 0..12;

/// Two partitions, several runs of each, ids that come again in the same run, in a later one and in another partition,
/// and names that are new to every tree.
fn more() -> Vec<Order> {
    let order = |id: u32, month: u32, path: &[&str], channel: &str| {
        Order::new(id.to_string(), format!("2026-{month:02}-07T09:00:00").as_str())
            .place(path.iter().copied())
            .category("channel", channel)
    };
    vec![
        order(11, 3, &["B", "C", "X"], "phone"),
        order(12, 4, &["B", "J"], "web"),
        order(12, 4, &["B", "J"], "letter"),
        order(11, 4, &["B", "C", "Y"], "fax"),
        order(13, 3, &["D"], "phone"),
        order(14, 4, &["D", "E"], "visit"),
        order(13, 3, &["D", "F"], "phone"),
    ]
}

const BEFORE: u64 = 5;
const AFTER: u64 = 9;

/// Loads [`more`]. What a push says is passed on at once.
fn load_more(store: &Store) -> Result<()> {
    let mut load = store.load()?.buffer(2);
    more().into_iter().try_for_each(|order| load.push(order))?;
    load.finish().map(drop)
}

/// Opens what a disk holds, reads all of it, and says how many orders there are.
fn orders_on(disk: Memory) -> u64 {
    let store = Store::open_on(Arc::new(disk)).unwrap();
    let verified = store.verify(|_| {}).unwrap();
    let now = store.snapshot();
    assert_eq!(now.describe().orders, verified.sealed_orders);
    let all = now.orders(&Query::zoom(), crate::Sort::Newest, usize::MAX).unwrap();
    assert_eq!(all.len() as u64, verified.sealed_orders);
    let paths: Vec<_> =
        all.iter().filter(|order| order.id() == "13").map(|order| order.place_path().len()).collect();
    assert_eq!(paths, if verified.sealed_orders == AFTER { vec![2] } else { vec![] });
    verified.sealed_orders
}

#[test]
fn a_load_happens_whole_or_not_at_all_wherever_the_disk_fails_or_the_power_is_cut() {
    let mut seen = [false; 3];
    for operations in 1.. {
        let disk = Memory::default();
        let store = filled(&disk);
        disk.fail_after(operations);
        let loaded = load_more(&store);
        disk.fail_after(u64::MAX);
        for seed in SEEDS {
            let orders = orders_on(disk.crash(seed));
            assert!(orders == BEFORE || orders == AFTER, "{orders} orders");
            assert!(orders == AFTER || loaded.is_err(), "what finish said to be durable is gone");
        }
        let verified = store.verify(|_| {});
        assert!(matches!(verified, Ok(_) | Err(Error::Latched { .. })), "{verified:?}");
        let visible = store.snapshot().describe().orders;
        if loaded.is_ok() {
            assert_eq!(visible, AFTER);
            break;
        }
        assert_eq!(visible, BEFORE, "operation {operations}");
        // Either nobody knows what the disk holds, and the store says so, or the load can be made again.
        let again = load_more(&store);
        if let Err(Error::Latched { .. }) = again {
            seen[0] = true;
        } else {
            again.unwrap();
            assert_eq!(store.snapshot().describe().orders, AFTER);
            seen[1] = true;
        }
        drop(store);
        let orders = orders_on(disk);
        seen[2] |= orders == AFTER;
        assert!(operations < 1_000, "the load never ends");
    }
    assert_eq!(seen, [true; 3], "some way to fail was not tried");
}

#[test]
fn a_store_is_made_whole_or_not_at_all() {
    for operations in 1.. {
        let disk = Memory::default();
        disk.fail_after(operations);
        let created = Store::create_on(Arc::new(disk.clone()), schema()).map(drop);
        disk.fail_after(u64::MAX);
        for seed in SEEDS {
            let after = disk.crash(seed);
            match Store::open_on(Arc::new(after.clone())) {
                Ok(store) => assert_eq!(store.verify(|_| {}).unwrap().sealed_orders, 0),
                Err(error) => {
                    assert!(created.is_err(), "what create said to be durable is gone");
                    assert!(matches!(error, Error::NotAStore { .. }), "{error}");
                    Store::create_on(Arc::new(after), schema()).unwrap();
                }
            }
        }
        if created.is_ok() {
            break;
        }
        assert!(operations < 100, "it is never made");
    }
}

#[test]
fn what_an_interrupted_load_leaves_is_removed_when_the_store_is_opened() {
    let disk = Memory::default();
    let store = filled(&disk);
    let mut load = store.load().unwrap().buffer(1);
    load.push(order(9, 9, &["X"], "yes")).unwrap();
    // The process is killed: nothing is dropped, everything that was written is there.
    let after = Memory::from_files(disk.files());
    assert!(
        after.files().len() > 3
            && after.files().iter().filter(|(name, _)| name.starts_with("seg")).count() == 2
    );
    let store = Store::open_on(Arc::new(after.clone())).unwrap();
    assert_eq!(after.files().iter().filter(|(name, _)| name.starts_with("seg")).count(), 1);
    assert_eq!(store.snapshot().describe().orders, BEFORE);
}

#[test]
fn a_load_that_lost_orders_is_not_finished() {
    let disk = Memory::default();
    let store = filled(&disk);
    let files = disk.files();
    let mut load = store.load().unwrap().buffer(2);
    let mut orders = more().into_iter();
    load.push(orders.next().unwrap()).unwrap();
    disk.fail_after(1);
    assert!(matches!(load.push(orders.next().unwrap()), Err(Error::Io { .. })));
    disk.fail_after(u64::MAX);
    let error = load.push(orders.next().unwrap()).unwrap_err().to_string();
    assert!(error.contains("load anew"), "{error}");
    assert!(load.finish().is_err());
    assert_eq!(disk.files(), files);
    load_more(&store).unwrap();
    assert_eq!(store.snapshot().describe().orders, AFTER);
}

#[test]
fn a_partition_whose_orders_all_came_again_elsewhere_has_no_segment() {
    let store = Store::in_memory(schema()).unwrap();
    let mut load = store.load().unwrap();
    load.push(Order::new("1", "2026-03-01")).unwrap();
    load.push(Order::new("1", "2026-05-01")).unwrap();
    let report = load.finish().unwrap();
    assert_eq!((report.orders, report.partitions, store.snapshot().describe().segments), (1, 1, 1));
}

#[test]
fn every_flipped_byte_is_found_by_verify() {
    let disk = Memory::default();
    let store = filled(&disk);
    load_more(&store).unwrap();
    for id in [1, 11, 21] {
        let mut commit = store.begin();
        commit.upsert(order(id, 9, &["B", "N"], "no"));
        commit.finish().unwrap();
    }
    store.flush().unwrap();
    let mut commit = store.begin();
    commit.remove("2");
    commit.finish().unwrap();
    store.verify(|_| {}).unwrap();
    for (name, bytes) in disk.files() {
        // Of a segment, the sections have their own tests.
        let step = if name.ends_with(".segment") { 13 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x20;
            disk.put(&name, flipped);
            assert!(store.verify(|_| {}).is_err(), "byte {at} of {name}");
        }
        disk.put(&name, bytes);
    }
    store.verify(|_| {}).unwrap();
}

/// Codes of damaged columns are larger than any that was written.
#[test]
fn no_question_panics_whatever_byte_is_damaged() {
    let schema = Schema::builder("UTC")
        .place(["district"])
        .category("channel")
        .category("source")
        .clock("closed")
        .key("caller")
        .build()
        .unwrap();
    let disk = Memory::default();
    let store = Store::create_on(Arc::new(disk.clone()), schema).unwrap();
    let mut load = store.load().unwrap();
    for number in 0..200_u64 {
        let created = format!("2026-03-{:02}T00:00:{:02}Z", 1 + number % 28, number % 60);
        let order = Order::new(number.to_string(), created.as_str())
            .place([format!("d{}", number % 3)])
            .category("channel", format!("c{}", number % 5))
            .category("source", format!("s{}", number % 33))
            .clock("closed", format!("2026-03-{:02}T12:00:00Z", 1 + number % 31).as_str())
            .key("caller", number % 50);
        load.push(order).unwrap();
    }
    load.finish().unwrap();
    drop(store);
    let (name, bytes) = disk.files().into_iter().find(|(name, _)| name.ends_with(".segment")).unwrap();
    let march = crate::Span::new(1_772_500_000, 1_774_000_000).unwrap();
    let queries = [
        Query::zoom().level("district").by("source"),
        Query::zoom().by("channel").during(march),
        Query::zoom()
            .filter(is("source", "s17"))
            .during_on("closed", march)
            .metric(crate::distinct("caller")),
    ];
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xFF;
        disk.put(&name, damaged);
        let Ok(store) = Store::open_on(Arc::new(disk.clone())) else { continue };
        let now = store.snapshot();
        // What is wrong may be told or not, as only `verify` reads all bytes first.
        queries.iter().for_each(|query| drop(now.run(query)));
        drop(now.repeats(&queries[1], &crate::Repeats::of("caller")));
    }
}

/// Every state that a store can still tell, as text.
fn told(store: &Store) -> Vec<String> {
    let last = store.snapshot().commit();
    let at = |commit| {
        let then = store.snapshot_at(commit).unwrap();
        format!("{:?}", then.orders(&Query::zoom(), crate::Sort::Newest, usize::MAX).unwrap())
    };
    (store.horizon()..=last).map(at).collect()
}

/// Whether all versions that have ended are in history.
fn is_compact(store: &Store) -> bool {
    let state = store.state();
    !state.histories.is_empty() && state.lives.iter().all(|live| live.ended_versions() == 0)
}

/// Patches and removes orders, some of them flushed, some not.
fn changed(disk: &Memory) -> Store {
    let store = filled(disk);
    for id in 1..=4u32 {
        let mut commit = store.begin();
        commit.patch(id.to_string(), crate::Patch::new().outcome("solved", "no").category("channel", "fax"));
        commit.finish().unwrap();
        if id % 2 == 0 {
            store.flush().unwrap();
        }
    }
    let mut commit = store.begin();
    commit.remove("5");
    commit.upsert(order(6, 6, &["B", "new"], "yes"));
    commit.finish().unwrap();
    store
}

#[test]
fn a_compaction_changes_no_answer_wherever_the_disk_fails_or_the_power_is_cut() {
    let mut seen = [false; 3];
    for operations in 1.. {
        let disk = Memory::default();
        let store = changed(&disk);
        let before = told(&store);
        disk.fail_after(operations);
        let compacted = store.compact();
        disk.fail_after(u64::MAX);
        for seed in SEEDS {
            let after = Store::open_on(Arc::new(disk.crash(seed))).unwrap();
            after.verify(|_| {}).unwrap();
            assert_eq!(told(&after), before, "operation {operations}, seed {seed}");
        }
        assert_eq!(told(&store), before, "operation {operations}");
        if compacted.is_ok() {
            assert!(is_compact(&store));
            break;
        }
        match store.compact() {
            Err(Error::Latched { .. }) => seen[0] = true,
            again => {
                again.unwrap();
                assert_eq!(told(&store), before);
                seen[1] = true;
            }
        }
        drop(store);
        let store = Store::open_on(Arc::new(disk.clone())).unwrap();
        assert_eq!(told(&store), before);
        seen[2] |= is_compact(&store);
        let files = disk.files();
        let named = store.state().manifest.files().len();
        let unnamed = files.iter().filter(|(name, _)| ["seg", "his", "log"].contains(&&name[..3]));
        assert_eq!(unnamed.count(), named, "orphans are left: {files:?}");
        assert!(operations < 1_000, "it never ends");
    }
    assert_eq!(seen, [true; 3], "some way to fail was not tried");
}

#[test]
fn a_snapshot_reads_on_when_its_files_are_replaced_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("store"), schema()).unwrap();
    for id in 1..=9u32 {
        let mut commit = store.begin();
        commit.upsert(order(id % 4, id, &["B", "C"], "no"));
        commit.finish().unwrap();
        store.flush().unwrap();
    }
    let (then, listed) = (store.snapshot(), |snapshot: &Snapshot| {
        format!("{:?}", snapshot.orders(&Query::zoom(), crate::Sort::Newest, usize::MAX).unwrap())
    });
    let before = listed(&then);
    let mut commit = store.begin();
    (0..4u32).for_each(|id| commit.remove(id.to_string()));
    commit.finish().unwrap();
    store.forget_before(store.snapshot().commit()).unwrap();
    store.compact().unwrap();
    assert_eq!(store.snapshot().describe().partitions, []);
    assert!(store.snapshot_at(9).is_err());
    assert_eq!(listed(&then), before);
}
