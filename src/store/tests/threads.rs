//! Many threads and one store.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::{Load, Patch, Query, Snapshot, sum};

/// Every commit moves one unit of cost between two orders, so that the sum over all is the same in each snapshot.
const TOTAL: i128 = 1_000;

fn schema() -> Schema {
    Schema::builder("Asia/Shanghai")
        .place(["district"])
        .measure("cost")
        .measure("commit")
        .partition(crate::PartitionGrain::Day)
        .build()
        .unwrap()
}

#[test]
fn handles_snapshots_and_loads_go_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Store>();
    shared::<Snapshot>();
    shared::<Query>();
    sent::<Load>();
    sent::<crate::Commit>();
}

fn total(snapshot: &Snapshot, query: &Query) -> i128 {
    let answer = snapshot.run(query).unwrap();
    answer
        .rows()
        .map(|row| match row.figures().collect::<Vec<_>>()[..] {
            [Figure::Sum(sum)] => sum,
            ref other => panic!("{other:?}"),
        })
        .sum()
}

/// What the last commit of a snapshot wrote into every order that it touched.
fn latest(snapshot: &Snapshot) -> i128 {
    let query = Query::zoom().metric(crate::max("commit"));
    match snapshot.run(&query).unwrap().rows().next().and_then(|row| row.figures().next()) {
        Some(Figure::Value(commit)) => commit.into(),
        _ => 0,
    }
}

#[test]
fn readers_see_whole_commits_while_one_thread_writes() {
    const COMMITS: u64 = 300;
    let store = Store::in_memory(schema()).unwrap();
    let order = |id: u64, cost: i64, commit: u64| {
        Order::new(id.to_string(), i64::try_from(id % 3 * 86_400).unwrap())
            .place([["a", "b"][id as usize % 2]])
            .measure("cost", cost)
            .measure("commit", commit.cast_signed())
    };
    let mut first = store.begin();
    (0..10).for_each(|id| first.upsert(order(id, 100, 1)));
    first.finish().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (store, done) = (&store, &done);
                scope.spawn(move || {
                    let by_place = Query::zoom().level("district").metric(sum("cost"));
                    let mut seen = 0;
                    let kept = store.snapshot();
                    let before = (kept.commit(), kept.run(&by_place).unwrap().rows().count(), latest(&kept));
                    while !done.load(Ordering::Acquire) {
                        let now = store.snapshot();
                        assert_eq!(total(&now, &by_place), TOTAL, "as of {}", now.commit());
                        assert_eq!(latest(&now), now.commit().into());
                        let then = store.snapshot_at(now.commit() / 2 + 1).unwrap();
                        assert_eq!(total(&then, &by_place), TOTAL, "as of {}", then.commit());
                        assert_eq!(latest(&then), then.commit().into());
                        assert!(now.commit() >= seen, "commits went back");
                        seen = now.commit();
                    }
                    let after = (kept.commit(), kept.run(&by_place).unwrap().rows().count(), latest(&kept));
                    assert_eq!(before, after, "a snapshot has changed");
                    seen
                })
            })
            .collect();
        let mut costs = [100i64; 10];
        for commit in 2..=COMMITS {
            let (from, to) = ((commit * 7 % 10) as usize, (commit * 3 % 10) as usize);
            let to = if to == from { (to + 1) % 10 } else { to };
            costs[from] -= 1;
            costs[to] += 1;
            let mut change = store.begin();
            for id in [from, to] {
                let patch = Patch::new().measure("cost", costs[id]).measure("commit", commit.cast_signed());
                change.patch(id.to_string(), patch);
            }
            assert_eq!(change.finish().unwrap(), commit);
            if commit % 40 == 0 {
                store.flush().unwrap();
            }
        }
        done.store(true, Ordering::Release);
        readers.into_iter().for_each(|reader| assert!(reader.join().unwrap() > 0));
    });
    assert_eq!(store.snapshot().commit(), COMMITS);
}

#[test]
fn commits_that_wait_share_one_sync() {
    const THREADS: u64 = 8;
    let disk = Memory::default();
    let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
    store.begin().finish().unwrap();
    let writer = write::hold(&store.inner.writer);
    // A write for each commit, and one sync: what comes after them fails.
    disk.fail_after(THREADS + 2);
    let commit = &|id: u64| {
        let mut commit = store.begin();
        commit.upsert(Order::new(id.to_string(), 0));
        commit.finish()
    };
    std::thread::scope(|scope| {
        let commits: Vec<_> = (0..THREADS).map(|id| scope.spawn(move || commit(id))).collect();
        while (write::hold(&store.inner.waiting).len() as u64) < THREADS {
            std::thread::yield_now();
        }
        drop(writer);
        let mut numbers: Vec<u64> =
            commits.into_iter().map(|commit| commit.join().unwrap().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (2..2 + THREADS).collect::<Vec<_>>());
    });
    assert!(store.begin().finish().is_err(), "there was a sync to spare");
    let store = Store::open_on(Arc::new(disk.crash(0))).unwrap();
    assert_eq!(store.snapshot().describe().orders, THREADS);
}
