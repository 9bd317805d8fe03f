//! Readers beside a writer.

use proptest::prelude::*;

use super::*;
use crate::{Durability, Patch, Sort};

#[derive(Debug, Clone)]
enum Event {
    /// Upserts of some ids on a day, synced or buffered.
    Commit(Vec<u32>, u32, bool),
    Remove(u32),
    Flush,
    Compact,
    Load(Vec<u32>, u32),
    Reopen,
    Grow,
    Refresh,
    /// Another reader opens.
    Open,
}

fn event() -> impl Strategy<Value = Event> {
    let ids = || prop::collection::vec(0..8u32, 1..4);
    prop_oneof![
        6 => (ids(), 1..28u32, any::<bool>()).prop_map(|(ids, day, synced)| Event::Commit(ids, day, synced)),
        1 => (0..8u32).prop_map(Event::Remove),
        2 => Just(Event::Flush),
        1 => Just(Event::Compact),
        1 => (ids(), 1..28u32).prop_map(|(ids, day)| Event::Load(ids, day)),
        1 => Just(Event::Reopen),
        1 => Just(Event::Grow),
        5 => Just(Event::Refresh),
        1 => Just(Event::Open),
    ]
}

/// Every order, in words.
fn told(snapshot: &Snapshot) -> Vec<String> {
    let orders = snapshot.orders(&Query::zoom(), Sort::Newest, usize::MAX).unwrap();
    let mut told: Vec<String> = orders.iter().map(|order| serde_json::to_string(order).unwrap()).collect();
    told.sort();
    told
}

/// A schema with so many categories more.
fn grown(more: usize) -> Schema {
    let mut schema = Schema::builder("Asia/Shanghai").place(["city", "district", "street"]);
    for number in (0..more).rev() {
        schema = schema.category(format!("more-{number}"));
    }
    schema
        .category("channel")
        .outcome("solved", ["yes", "no"])
        .counter("solved", is("solved", "yes"))
        .build()
        .unwrap()
}

proptest! {
    #[test]
    fn a_reader_sees_the_commits_as_they_were_made(events in prop::collection::vec(event(), 1..40)) {
        let disk = Memory::default();
        let open = |disk: &Memory| Store::open_on(Arc::new(disk.clone())).unwrap();
        let mut store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
        let mut more = 0;
        // What each commit left.
        let mut left = vec![told(&store.snapshot())];
        let mut readers: Vec<(Store, u64)> = Vec::new();
        for event in &events {
            match event {
                Event::Commit(ids, day, synced) => {
                    let durability = if *synced { Durability::Sync } else { Durability::Buffered };
                    let mut commit = store.begin().durability(durability);
                    for id in ids {
                        let district = format!("district {day}");
                        let mut order = order(*id, *day, &["B", &district], "yes");
                        if more > 0 {
                            order = order.category(format!("more-{}", more - 1), district);
                        }
                        commit.upsert(order);
                    }
                    commit.finish().unwrap();
                }
                Event::Remove(id) => {
                    let mut commit = store.begin();
                    commit.remove(id.to_string());
                    let _ = commit.finish();
                }
                Event::Flush => store.flush().unwrap(),
                Event::Compact => store.compact().unwrap(),
                Event::Load(ids, day) => {
                    let mut load = store.load().unwrap();
                    for id in ids {
                        load.push(order(*id, *day, &["C", &format!("district {day}")], "no")).unwrap();
                    }
                    load.finish().unwrap();
                }
                Event::Reopen => {
                    drop(store);
                    store = open(&disk);
                }
                Event::Grow => {
                    drop(store);
                    more += 1;
                    store = Store::open_with_on(Arc::new(disk.clone()), &grown(more)).unwrap();
                }
                Event::Refresh => {
                    let files = disk.files();
                    for (reader, commit) in &mut readers {
                        let newer = reader.refresh().unwrap();
                        let now = reader.snapshot();
                        prop_assert_eq!(newer, now.commit() > *commit);
                        *commit = now.commit();
                        prop_assert_eq!(now.commit(), store.snapshot().commit());
                        prop_assert_eq!(now.schema(), &store.schema());
                    }
                    prop_assert_eq!(disk.files(), files);
                }
                Event::Open => {
                    let reader = Store::open_read_only_on(Arc::new(disk.clone())).unwrap();
                    prop_assert_eq!(reader.snapshot().commit(), store.snapshot().commit());
                    readers.push((reader, store.snapshot().commit()));
                }
            }
            let now = store.snapshot();
            if now.commit() == left.len() as u64 {
                left.push(told(&now));
            }
            prop_assert_eq!(now.commit() + 1, left.len() as u64);
            for (reader, commit) in &readers {
                let now = reader.snapshot();
                prop_assert_eq!(now.commit(), *commit);
                prop_assert_eq!(&told(&now), &left[usize::try_from(*commit).unwrap()]);
                let solved = Query::zoom().level("district").metric(counter("solved"));
                let answers = [&now, &store.snapshot_at(*commit).unwrap()].map(|snapshot| {
                    let answer = snapshot.run(&solved).unwrap();
                    answer.rows().map(|row| serde_json::to_string(&row).unwrap()).collect::<Vec<_>>()
                });
                prop_assert_eq!(&answers[0], &answers[1]);
            }
        }
        for (reader, _) in &readers {
            reader.refresh().unwrap();
            reader.verify(|_| {}).unwrap();
            prop_assert_eq!(reader.snapshot().describe(), store.snapshot().describe());
        }
    }
}

#[test]
fn a_reader_changes_nothing_and_says_so() {
    let disk = Memory::default();
    assert!(matches!(Store::open_read_only_on(Arc::new(disk.clone())), Err(Error::NotAStore { .. })));
    assert_eq!(disk.files(), []);
    let store = filled(&disk);
    let mut commit = store.begin();
    commit.patch("1", Patch::new().outcome("solved", "no"));
    commit.finish().unwrap();
    // What a writer that was killed leaves behind is none of a reader's business.
    use crate::storage::Storage as _;
    std::io::Write::write_all(&mut disk.create("segments/orphan").unwrap(), b"left behind").unwrap();
    let files = disk.files();
    let reader = Store::open_read_only_on(Arc::new(disk.clone())).unwrap();
    let refused = |result: Result<()>| assert!(matches!(result, Err(Error::ReadOnly { .. })));
    let mut commit = reader.begin();
    commit.remove("1");
    refused(commit.finish().map(drop));
    refused(reader.load().map(drop));
    refused(reader.flush());
    refused(reader.compact());
    refused(reader.forget_before(1));
    refused(reader.keep_up(crate::Upkeep::default()));
    assert!(!reader.refresh().unwrap());
    assert_eq!(reader.snapshot().commit(), 2);
    assert_eq!(reader.history("1").unwrap().len(), 2);
    assert_eq!(disk.files(), files);
    // Nor does it hold the lock.
    drop(store);
    Store::open_on(Arc::new(disk)).unwrap();
    assert_eq!(reader.snapshot().get("1").unwrap().unwrap().id(), "1");
}

#[test]
fn a_reader_takes_a_half_written_commit_for_the_end_and_a_damaged_durable_one_for_damage() {
    let disk = Memory::default();
    let store = filled(&disk);
    let reader = Store::open_read_only_on(Arc::new(disk.clone())).unwrap();
    let mut lengths = Vec::new();
    for day in 1..4 {
        let mut commit = store.begin();
        commit.upsert(order(9, day, &["D"], "yes"));
        commit.finish().unwrap();
        lengths.push(log(&disk).1.len());
    }
    let (name, whole) = log(&disk);
    for cut in lengths[1]..lengths[2] {
        disk.put(&name, whole[..cut].to_vec());
        reader.refresh().unwrap();
        assert_eq!(reader.snapshot().commit(), 3);
        assert_eq!(Store::open_read_only_on(Arc::new(disk.clone())).unwrap().snapshot().commit(), 3);
    }
    disk.put(&name, whole.clone());
    assert!(reader.refresh().unwrap());
    assert_eq!(reader.snapshot().commit(), 4);
    // The third frame knows that the second was durable.
    let mut damaged = whole;
    damaged[lengths[0] + 40] ^= 1;
    disk.put(&name, damaged);
    let opened = Store::open_read_only_on(Arc::new(disk.clone()));
    assert!(matches!(opened, Err(Error::Corrupt(_))), "{opened:?}");
    // What was read already is not read again.
    assert!(!reader.refresh().unwrap());
    assert_eq!(reader.snapshot().commit(), 4);
}

fn log(disk: &Memory) -> (String, Vec<u8>) {
    disk.files().into_iter().find(|(name, _)| name.starts_with("log/")).unwrap()
}

#[test]
fn a_refresh_reads_what_is_new() {
    let disk = Memory::default();
    let store = filled(&disk);
    let write = |day| {
        let mut commit = store.begin();
        (100..600).for_each(|id| commit.upsert(order(id, day, &["B", "C", "W"], "no")));
        commit.finish().unwrap();
    };
    write(1);
    let reader = Store::open_read_only_on(Arc::new(disk.clone())).unwrap();
    let before = disk.bytes_read();
    let mut commit = store.begin();
    commit.upsert(order(1, 1, &["B", "C", "W"], "no"));
    commit.finish().unwrap();
    assert!(reader.refresh().unwrap());
    let length = |name: &str| disk.files().into_iter().find(|file| file.0 == name).unwrap().1.len() as u64;
    let (manifest, log) = (length(MANIFEST), log(&disk).1.len() as u64);
    // The manifest is read twice, to know whether it was replaced meanwhile.
    let read = disk.bytes_read() - before;
    assert!(read < 2 * manifest + 2_000 && log > 50_000, "{read} of {log} bytes");
}

#[test]
fn readers_go_on_while_a_writer_replaces_the_files() {
    let disk = Memory::default();
    let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
    let last = 300;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = Store::open_read_only_on(Arc::new(disk.clone())).unwrap();
                let mut seen = 0;
                while seen < last {
                    reader.refresh().unwrap();
                    let now = reader.snapshot();
                    assert!(now.commit() >= seen);
                    seen = now.commit();
                    // Commit n makes order n, and removes none.
                    assert_eq!(now.describe().orders, seen);
                    assert!(seen == 0 || now.get(&seen.to_string()).unwrap().is_some());
                }
            });
        }
        for id in 1..=u32::try_from(last).unwrap() {
            let mut commit = store.begin();
            commit.upsert(order(id, 1 + id % 28, &["B", &format!("district {id}")], "yes"));
            commit.finish().unwrap();
            if id % 3 == 0 {
                store.flush().unwrap();
            }
        }
    });
}
