//! Failures and power cuts at any moment of a store's life: what was acknowledged is there, in order, and nothing
//! else is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::{Durability, Patch};

/// Seeds of [`Memory::crash`]: what survives of what was not synced.
const SEEDS: std::ops::Range<u64> = 0..10;

#[derive(Debug)]
enum Act {
    Commit(Durability, Vec<Edit>),
    Flush,
    Compact,
    Load(Vec<u32>),
}

#[derive(Debug)]
enum Edit {
    /// The order of this id, on a day of March.
    Upsert(u32, u32),
    Solve(u32),
    Remove(u32),
}

/// What the commits so far have left: by id, the day and whether it was solved.
type Orders = BTreeMap<u32, (u32, bool)>;

/// A life with everything in it that writes.
fn life() -> Vec<Act> {
    use Act::{Commit, Compact, Flush, Load};
    use Durability::{Buffered, Sync};
    use Edit::{Remove, Solve, Upsert};
    vec![
        Commit(Sync, vec![Upsert(11, 1), Upsert(12, 2)]),
        Commit(Buffered, vec![Solve(11)]),
        Commit(Sync, vec![Remove(12), Upsert(13, 3)]),
        Flush,
        Commit(Buffered, vec![Upsert(12, 4), Solve(11)]),
        Commit(Buffered, vec![Upsert(11, 30)]),
        Load(vec![12, 21, 22]),
        Commit(Sync, vec![Solve(21), Remove(13)]),
        Flush,
        Commit(Buffered, vec![Solve(22), Upsert(12, 6)]),
        Compact,
        Commit(Buffered, vec![Upsert(31, 5)]),
        Commit(Sync, vec![]),
        Commit(Buffered, vec![Remove(31)]),
    ]
}

/// What a load brings is of another month.
const LOADED: u32 = 40;

fn on(id: u32, day: u32, solved: bool) -> Order {
    let month = if day < LOADED { 3 } else { 4 };
    Order::new(id.to_string(), format!("2026-{month:02}-{:02}", day % LOADED + 1).as_str())
        .place(["B", ["C", "H", "X"][(id % 3) as usize]])
        .category("channel", format!("of {id} on {day}"))
        .outcome("solved", if solved { "yes" } else { "no" })
}

impl Act {
    fn after(&self, before: &Orders) -> Option<Orders> {
        let mut orders = before.clone();
        match self {
            Self::Flush | Self::Compact => return None,
            Self::Load(ids) => orders.extend(ids.iter().map(|id| (*id, (LOADED, false)))),
            Self::Commit(_, changes) => {
                for change in changes {
                    match change {
                        Edit::Upsert(id, day) => {
                            orders.insert(*id, (*day, false));
                        }
                        Edit::Solve(id) => orders.get_mut(id).unwrap().1 = true,
                        Edit::Remove(id) => {
                            orders.remove(id).unwrap();
                        }
                    }
                }
            }
        }
        Some(orders)
    }

    fn carry_out(&self, store: &Store) -> Result<()> {
        match self {
            Self::Flush => store.flush(),
            Self::Compact => store.compact(),
            Self::Load(ids) => {
                let mut load = store.load()?.buffer(2);
                ids.iter().try_for_each(|id| load.push(on(*id, LOADED, false)))?;
                load.finish().map(drop)
            }
            Self::Commit(durability, changes) => {
                let mut commit = store.begin().durability(*durability);
                for change in changes {
                    match change {
                        Edit::Upsert(id, day) => commit.upsert(on(*id, *day, false)),
                        Edit::Solve(id) => {
                            commit.patch(id.to_string(), Patch::new().outcome("solved", "yes"));
                        }
                        Edit::Remove(id) => commit.remove(id.to_string()),
                    }
                }
                commit.finish().map(drop)
            }
        }
    }

    /// Whether everything so far is durable when it returns.
    fn syncs(&self) -> bool {
        !matches!(self, Self::Commit(Durability::Buffered, _))
    }
}

/// What a snapshot shows.
fn shown(snapshot: &Snapshot) -> Vec<Order> {
    let mut orders = snapshot.orders(&Query::zoom(), crate::Sort::Newest, usize::MAX).unwrap();
    orders.sort_by_key(|order| order.id().to_owned());
    orders
}

/// The same orders, as a store gives them back.
fn given(orders: &Orders) -> Vec<Order> {
    let store = Store::in_memory(schema()).unwrap();
    let mut commit = store.begin();
    orders.iter().for_each(|(id, (day, solved))| commit.upsert(on(*id, *day, *solved)));
    commit.finish().unwrap();
    shown(&store.snapshot())
}

/// Every state of the life, from the empty store on.
fn states(life: &[Act]) -> Vec<Vec<Order>> {
    let mut now = Orders::new();
    let mut states = vec![given(&now)];
    for act in life {
        if let Some(after) = act.after(&now) {
            states.push(given(&after));
            now = after;
        }
    }
    states
}

/// Opens what a disk holds: it has to show one of these states, whole, with all those before it. Gives its number.
fn reopened(disk: Memory, states: &[Vec<Order>]) -> (Store, usize) {
    let store = Store::open_on(Arc::new(disk)).unwrap();
    store.verify(|_| {}).unwrap();
    let last = store.snapshot().commit();
    for commit in 0..=last {
        let then = store.snapshot_at(commit).unwrap();
        assert_eq!(shown(&then), states[commit as usize], "as of {commit}");
    }
    (store, last as usize)
}

#[test]
fn wherever_the_disk_fails_or_the_power_is_cut_acknowledged_commits_are_there_and_nothing_else() {
    let life = life();
    let states = states(&life);
    let (mut latched, mut went_on, mut lost, mut torn) = (0, 0, 0, 0);
    for operations in 1.. {
        assert!(operations < 2_000, "the life never ends");
        let disk = Memory::default();
        let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
        disk.fail_after(operations);
        // Acknowledged, and of these durable.
        let (mut known, mut durable) = (0, 0);
        let mut failed = None;
        let before = store.snapshot();
        for act in &life {
            let commits = usize::from(!matches!(act, Act::Flush | Act::Compact));
            if let Err(error) = act.carry_out(&store) {
                assert!(matches!(error, Error::Io { .. }), "{error}");
                failed = Some((act, known + commits));
                break;
            }
            known += commits;
            durable = if act.syncs() { known } else { durable };
        }
        disk.fail_after(u64::MAX);
        let most = failed.as_ref().map_or(known, |(_, most)| *most);
        for seed in SEEDS {
            let (store, found) = reopened(disk.crash(seed), &states);
            assert!((durable..=most).contains(&found), "{found} commits of {durable} to {most}");
            lost += usize::from(found < known);
            torn += usize::from(store.dropped_bytes() > 0);
        }
        // Readers go on, with what was acknowledged.
        assert_eq!(shown(&store.snapshot()), states[known]);
        assert_eq!(shown(&before), states[0]);
        let Some((act, _)) = failed else { break };
        // A failure of the log latches the store. Where a flush or a load fails, either nobody knows whether it
        // has happened, or it has not, and can be repeated.
        match act.carry_out(&store) {
            Err(Error::Latched { .. }) => {
                latched += 1;
                assert!(matches!(store.flush(), Err(Error::Latched { .. })));
                assert!(matches!(store.load().map(drop), Err(Error::Latched { .. })));
                assert_eq!(shown(&store.snapshot()), states[known]);
            }
            Ok(()) => {
                assert!(!matches!(act, Act::Commit(..)), "{act:?} failed, and the store took it again");
                went_on += 1;
                assert_eq!(shown(&store.snapshot()), states[most]);
            }
            Err(error) => panic!("{error} for {act:?}"),
        }
        drop(store);
        let (_, found) = reopened(disk, &states);
        assert!((known..=most).contains(&found), "{found} commits, {known} were acknowledged");
    }
    let seen = [latched, went_on, lost, torn];
    assert!(seen.iter().all(|times| *times > 0), "some way to fail was not tried: {seen:?}");
}

/// The only log of a disk.
fn log(disk: &Memory) -> (String, Vec<u8>) {
    disk.files().into_iter().find(|(name, _)| name.starts_with("log/")).unwrap()
}

#[test]
fn a_damaged_frame_that_a_later_one_knows_to_be_durable_is_corruption_and_any_other_is_an_end() {
    let disk = Memory::default();
    let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
    let mut ends = Vec::new();
    for (id, durability) in [Durability::Sync, Durability::Sync, Durability::Buffered, Durability::Buffered]
        .into_iter()
        .enumerate()
    {
        let mut commit = store.begin().durability(durability);
        commit.upsert(on(id as u32, 1, false));
        commit.finish().unwrap();
        ends.push(log(&disk).1.len());
    }
    drop(store);
    let (name, whole) = log(&disk);
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        disk.put(&name, damaged);
        match Store::open_on(Arc::new(Memory::from_files(disk.files()))) {
            Err(Error::Corrupt(corruption)) => {
                assert!(at < ends[1], "byte {at} was not known to be durable: {corruption}");
                assert!(corruption.to_string().contains(&name), "{corruption}");
            }
            Ok(store) => {
                assert!(at >= ends[1], "byte {at} was durable");
                let whole_before = ends.iter().filter(|end| **end <= at).count();
                assert_eq!(store.snapshot().commit(), whole_before as u64);
                assert_eq!(store.dropped_bytes(), (whole.len() - ends[whole_before - 1]) as u64);
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
}

#[test]
fn whenever_the_power_is_cut_what_threads_were_told_is_there() {
    const THREADS: u32 = 4;
    for seed in 0..30 {
        let disk = Memory::default();
        let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
        // How many commits of each thread were acknowledged.
        let told: Vec<AtomicU64> = (0..THREADS).map(|_| AtomicU64::new(0)).collect();
        let after = std::thread::scope(|scope| {
            for (thread, told) in (0..).zip(&told) {
                let store = store.clone();
                scope.spawn(move || {
                    for number in 0..12 {
                        let mut commit = store.begin();
                        commit.upsert(on(thread * 100 + number, 1, false));
                        commit.finish().unwrap();
                        told.store(u64::from(number) + 1, Ordering::SeqCst);
                        if thread == 0 && number % 5 == 4 {
                            store.flush().unwrap();
                        }
                    }
                });
            }
            let cut_at = seed % 12;
            while told[1].load(Ordering::SeqCst) < cut_at {
                std::thread::yield_now();
            }
            let told: Vec<u64> = told.iter().map(|told| told.load(Ordering::SeqCst)).collect();
            (told, disk.crash(seed))
        });
        let (told, disk) = after;
        let store = Store::open_on(Arc::new(disk)).unwrap();
        store.verify(|_| {}).unwrap();
        let mut commits = 0;
        for (thread, told) in (0..).zip(told) {
            let there: Vec<bool> = (0..12)
                .map(|number: u32| {
                    store.snapshot().get(&(thread * 100 + number).to_string()).unwrap().is_some()
                })
                .collect();
            let found = there.iter().filter(|there| **there).count() as u64;
            assert!(there.is_sorted_by(|a, b| a >= b), "thread {thread}: {there:?}");
            assert!(found >= told, "thread {thread} was told {told}, {found} are there");
            commits += found;
        }
        assert_eq!(store.snapshot().commit(), commits);
    }
}

#[test]
fn a_log_that_a_commit_beside_a_flush_has_begun_may_hold_nothing_yet() {
    let commit = |id| Act::Commit(Durability::Sync, vec![Edit::Upsert(id, 1)]);
    let life = [commit(11), commit(12)];
    let states = states(&life);
    for operations in 1.. {
        let disk = Memory::default();
        let store = Store::create_on(Arc::new(disk.clone()), schema()).unwrap();
        life[0].carry_out(&store).unwrap();
        assert!(store.close_batches().unwrap().is_some());
        disk.fail_after(operations);
        let acknowledged = life[1].carry_out(&store).is_ok();
        for seed in SEEDS {
            let (_, found) = reopened(disk.crash(seed), &states);
            assert!(found == 2 || !acknowledged && found == 1, "{found} commits");
        }
        if acknowledged {
            break;
        }
    }
}
