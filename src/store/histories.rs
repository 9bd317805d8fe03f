//! Random histories against a list of all versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{Access, Grain, Moment, Order, Patch, Query, Value, count, counter, is, rate};

/// A version as the model has it: day of March 2026, place, outcome.
#[derive(Debug, Clone, PartialEq)]
struct Fact {
    day: u32,
    place: Vec<&'static str>,
    solved: Option<&'static str>,
    tags: Vec<&'static str>,
}

#[derive(Debug, Clone)]
enum Step {
    Upsert(u32, Fact),
    Solve(u32, Option<&'static str>),
    Move(u32, u32, Vec<&'static str>),
    Remove(u32),
}

#[derive(Debug, Clone)]
enum Event {
    Commit(Vec<Step>),
    Flush,
    Reopen,
    Compact,
    /// Commits come between the work of a compaction and its publication.
    CompactBeside(Vec<Vec<Step>>),
    /// A horizon this many commits back.
    Forget(u64),
    Load(Vec<(u32, Fact)>),
}

/// What each commit left, by id. Commit 0 left nothing.
type Model = Vec<BTreeMap<u32, Fact>>;

const PLACES: [&[&str]; 6] = [&[], &["a"], &["a", "x"], &["a", "y"], &["b", "x"], &["b"]];

fn solved() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("yes"), Some("no")])
}

fn place() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::select(PLACES.to_vec()).prop_map(<[_]>::to_vec)
}

fn fact() -> impl Strategy<Value = Fact> {
    let tags = prop::sample::subsequence(vec!["t", "u"], 0..=2);
    (1..29u32, place(), solved(), tags).prop_map(|(day, place, solved, tags)| Fact {
        day,
        place,
        solved,
        tags,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..12u32;
    prop_oneof![
        4 => (id.clone(), fact()).prop_map(|(id, fact)| Step::Upsert(id, fact)),
        3 => (id.clone(), solved()).prop_map(|(id, solved)| Step::Solve(id, solved)),
        2 => (id.clone(), 1..29u32, place()).prop_map(|(id, day, place)| Step::Move(id, day, place)),
        1 => id.prop_map(Step::Remove),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => prop::collection::vec(step(), 0..5).prop_map(Event::Commit),
        2 => Just(Event::Flush),
        2 => Just(Event::Reopen),
        1 => Just(Event::Compact),
        2 => prop::collection::vec(prop::collection::vec(step(), 1..5), 1..4).prop_map(Event::CompactBeside),
        1 => (0..6u64).prop_map(Event::Forget),
        1 => prop::collection::vec((0..16u32, fact()), 0..6).prop_map(Event::Load),
    ]
}

fn schema() -> Schema {
    Schema::builder("Asia/Shanghai")
        .place(["district", "street"])
        .tags("tags")
        .outcome("solved", ["yes", "no"])
        .counter("judged", is("solved", "yes").or(is("solved", "no")))
        .counter("solved", is("solved", "yes"))
        .partition(crate::PartitionGrain::Day)
        .build()
        .unwrap()
}

fn order(id: u32, fact: &Fact) -> Order {
    let day = format!("2026-03-{:02}", fact.day);
    let order = Order::new(id.to_string(), day).place(fact.place.iter().copied());
    let order = if fact.tags.is_empty() { order } else { order.tags("tags", fact.tags.iter().copied()) };
    fact.solved.map_or(order.clone(), |label| order.outcome("solved", label))
}

/// Applies steps in order; none where one is refused, and then nothing has changed.
fn model_commit(before: &BTreeMap<u32, Fact>, steps: &[Step]) -> Option<BTreeMap<u32, Fact>> {
    let mut now = before.clone();
    for step in steps {
        match step {
            Step::Upsert(id, fact) => {
                now.insert(*id, fact.clone());
            }
            Step::Solve(id, solved) => now.get_mut(id)?.solved = *solved,
            Step::Move(id, day, place) => {
                let fact = now.get_mut(id)?;
                (fact.day, fact.place) = (*day, place.clone());
            }
            Step::Remove(id) => {
                now.remove(id)?;
            }
        }
    }
    Some(now)
}

fn commit(store: &Store, steps: &[Step]) -> Result<u64> {
    let mut commit = store.begin();
    for step in steps {
        match step {
            Step::Upsert(id, fact) => commit.upsert(order(*id, fact)),
            Step::Solve(id, Some(label)) => {
                commit.patch(id.to_string(), Patch::new().outcome("solved", *label))
            }
            Step::Solve(id, None) => commit.patch(id.to_string(), Patch::new().clear("solved")),
            Step::Move(id, day, place) => {
                let moved = Patch::new().created(format!("2026-03-{day:02}")).place(place.iter().copied());
                commit.patch(id.to_string(), moved);
            }
            Step::Remove(id) => commit.remove(id.to_string()),
        }
    }
    commit.finish()
}

/// What a snapshot has to answer, in words.
fn told(facts: &BTreeMap<u32, Fact>) -> Vec<String> {
    let mut groups: BTreeMap<Vec<&str>, [u64; 3]> = BTreeMap::new();
    for fact in facts.values() {
        let group = groups.entry(fact.place.clone()).or_default();
        group[0] += 1;
        group[1] += u64::from(fact.solved.is_some());
        group[2] += u64::from(fact.solved == Some("yes"));
    }
    groups.iter().map(|(place, [n, v, s])| format!("{} {n} {v} {s}", place.join("/"))).collect()
}

fn check(snapshot: &Snapshot, facts: &BTreeMap<u32, Fact>, at: &str) -> Result<(), TestCaseError> {
    for access in [None, Some(Access::Views), Some(Access::Bitmaps), Some(Access::Scan)] {
        let by_way = |query: Query| access.map_or(query.clone(), |access| query.access(access));
        let units = Query::zoom()
            .level("street")
            .metric(count())
            .metric(counter("judged"))
            .metric(rate("solved", "judged"));
        let answer = snapshot.run(&by_way(units)).unwrap();
        let mut rows: Vec<String> = answer
            .rows()
            .map(|row| match row.figures().collect::<Vec<_>>()[..] {
                [_, crate::Figure::Count(judged), crate::Figure::Ratio { numerator, .. }] => {
                    format!("{} {} {judged} {numerator}", row.path(), row.count())
                }
                ref other => format!("{other:?}"),
            })
            .collect();
        rows.sort();
        let mut expected = told(facts);
        expected.sort();
        prop_assert_eq!(rows, expected, "by {:?} at {}", access, at);
        let unsolved = Query::zoom().filter(!is("solved", "yes")).grain(Grain::Day).by("tags");
        let counted: u64 = snapshot.run(&by_way(unsolved)).unwrap().rows().map(|row| row.count()).sum();
        let open = facts.values().filter(|fact| fact.solved != Some("yes"));
        let expected: usize = open.map(|fact| fact.tags.len().max(1)).sum();
        prop_assert_eq!(counted, expected as u64, "by {:?} at {}", access, at);
    }
    let listed = snapshot.orders(&Query::zoom(), crate::Sort::Newest, 100).unwrap();
    prop_assert_eq!(listed.len(), facts.len(), "at {}", at);
    for id in 0..16 {
        let found = snapshot.get(&id.to_string()).unwrap();
        let solved = found.as_ref().map(|order| match order.value("solved") {
            Some(Value::Outcome(label)) => Some(label.clone()),
            _ => None,
        });
        let expected = facts.get(&id).map(|fact| fact.solved.map(str::to_owned));
        prop_assert_eq!(solved, expected, "order {} at {}", id, at);
    }
    Ok(())
}

/// Makes a commit in the store and in the model, which agree on whether it is one.
fn commit_both(store: &Store, model: &mut Model, steps: &[Step]) -> Result<(), TestCaseError> {
    match (model_commit(model.last().unwrap(), steps), commit(store, steps)) {
        (Some(after), Ok(commit)) => {
            prop_assert_eq!(commit, model.len() as u64);
            model.push(after);
        }
        (None, Err(error)) => prop_assert!(error.is_input(), "{}", error),
        (expected, found) => prop_assert!(false, "{:?} but {:?}", expected, found),
    }
    Ok(())
}

impl Store {
    /// Compacts everything, and calls `between` when a job is done and not published.
    fn compact_beside(
        &self,
        mut between: impl FnMut() -> Result<(), TestCaseError>,
    ) -> Result<(), TestCaseError> {
        self.flush().unwrap();
        let everything = compact::Threshold { segments: 1, ended_percent: 0, forget: true };
        for job in compact::jobs(&self.state(), everything) {
            between()?;
            let mut written = written::Written::new(self);
            let merged = self.merge(&self.state(), job, &mut written).unwrap();
            between()?;
            self.publish_merged(merged, written).unwrap();
        }
        Ok(())
    }
}

fn check_past(store: &Store, model: &Model, horizon: u64) -> Result<(), TestCaseError> {
    for (commit, facts) in (0u64..).zip(model) {
        let then = store.snapshot_at(commit);
        if commit < horizon {
            let forgotten = matches!(then, Err(Error::Forgotten { horizon: named, .. }) if named == horizon);
            prop_assert!(forgotten, "commit {} behind {}", commit, horizon);
        } else {
            check(&then.unwrap(), facts, &format!("commit {commit}"))?;
        }
    }
    let (last, now) = (model.len() as u64 - 1, model.last().unwrap());
    for from in [horizon, horizon.midpoint(last), last] {
        let before = &model[from as usize];
        let changed: BTreeSet<String> =
            store.changes(from, last).unwrap().into_iter().map(|change| change.id).collect();
        let ids = before.keys().chain(now.keys());
        let differ = ids.filter(|id| before.get(id) != now.get(id)).map(u32::to_string);
        prop_assert_eq!(changed, differ.collect::<BTreeSet<_>>(), "from {}", from);
    }
    for id in 0..16 {
        // A version begins where the order is other than before, or is written again; it ends with the next.
        let history = store.history(&id.to_string()).unwrap();
        for version in &history {
            let known = store.snapshot().describe().commit;
            prop_assert!(version.commit <= known && version.ended.is_none_or(|ended| ended > horizon));
        }
        for (commit, facts) in (0u64..).zip(model).filter(|(commit, _)| *commit >= horizon) {
            let holding = history.iter().filter(|version| {
                version.commit <= commit && version.ended.is_none_or(|ended| ended > commit)
            });
            let told: Vec<Option<String>> = holding
                .map(|version| match version.order.value("solved") {
                    Some(Value::Outcome(label)) => Some(label.clone()),
                    _ => None,
                })
                .collect();
            let expected: Vec<Option<String>> =
                facts.get(&id).map(|fact| fact.solved.map(str::to_owned)).into_iter().collect();
            prop_assert_eq!(told, expected, "history of {} at {}", id, commit);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_state_of_a_history_is_answered_now_and_later(
        events in prop::collection::vec(event(), 1..25),
        power_cuts in any::<u64>(),
    ) {
        let mut storage = Memory::default();
        let mut store = Store::create_on(Arc::new(storage.clone()), schema()).unwrap();
        let mut model: Model = vec![BTreeMap::new()];
        let mut horizon = 0;
        for (number, event) in events.iter().enumerate() {
            let before = model.last().unwrap();
            match event {
                Event::Commit(steps) => commit_both(&store, &mut model, steps)?,
                Event::Flush => store.flush().unwrap(),
                Event::Reopen => {
                    drop(store);
                    storage = storage.crash(power_cuts.wrapping_add(number as u64));
                    store = Store::open_on(Arc::new(storage.clone())).unwrap();
                }
                Event::Compact => store.compact().unwrap(),
                Event::CompactBeside(commits) => {
                    let mut commits = commits.iter();
                    store.compact_beside(|| match commits.next() {
                        Some(steps) => commit_both(&store, &mut model, steps),
                        None => Ok(()),
                    })?;
                }
                Event::Forget(back) => {
                    let commit = (model.len() as u64 - 1).saturating_sub(*back);
                    store.forget_before(commit).unwrap();
                    horizon = horizon.max(commit);
                }
                Event::Load(facts) => {
                    let mut load = store.load().unwrap().buffer(2);
                    let mut after = before.clone();
                    for (id, fact) in facts {
                        load.push(order(*id, fact)).unwrap();
                        after.insert(*id, fact.clone());
                    }
                    load.finish().unwrap();
                    model.push(after);
                }
            }
            check(&store.snapshot(), model.last().unwrap(), &format!("event {number}"))?;
        }
        store.verify(|_| {}).unwrap();
        check_past(&store, &model, horizon)?;
        store.compact().unwrap();
        check(&store.snapshot(), model.last().unwrap(), "the end")?;
        check_past(&store, &model, horizon)?;
    }
}

#[test]
fn a_history_tells_every_version_and_its_end() {
    let store = Store::in_memory(schema()).unwrap();
    let fact = Fact { day: 1, place: vec!["a"], solved: None, tags: vec![] };
    let mut first = store.begin().known_at(1_000);
    first.upsert(order(7, &fact));
    first.finish().unwrap();
    let mut second = store.begin().known_at(2_000);
    second.patch("7", Patch::new().outcome("solved", "yes"));
    second.finish().unwrap();
    store.flush().unwrap();
    let mut third = store.begin().known_at(1_500);
    third.remove("7");
    third.finish().unwrap();
    let history = store.history("7").unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|version| (version.commit, version.known, version.ended, version.removed))
        .collect();
    // A stamp never goes back.
    assert_eq!(told, [(1, 1_000, Some(2), false), (2, 2_000, Some(3), true)]);
    assert_eq!(history[0].order.created(), &Moment::Seconds(1_772_294_400));
    assert_eq!(store.snapshot_at_time(1_999).unwrap().commit(), 1);
    assert_eq!(store.snapshot_at_time(2_000).unwrap().commit(), 3);
    assert!(store.snapshot_at(4).is_err());
}

#[test]
fn many_threads_share_the_writer_and_every_commit_is_there_after_a_power_cut() {
    let storage = Memory::default();
    let store = Store::create_on(Arc::new(storage.clone()), schema()).unwrap();
    let fact = Fact { day: 1, place: vec!["a"], solved: None, tags: vec![] };
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let (store, fact) = (store.clone(), fact.clone());
            scope.spawn(move || {
                for number in 0..20 {
                    commit(&store, &[Step::Upsert(thread * 100 + number, fact.clone())]).unwrap();
                }
            });
        }
    });
    drop(store);
    let store = Store::open_on(Arc::new(storage.crash(1))).unwrap();
    assert_eq!(store.snapshot().describe().orders, 160);
    assert_eq!(store.snapshot().commit(), 160);
}

#[test]
fn commits_go_on_while_a_store_is_flushed_and_compacted() {
    let storage = Memory::default();
    let store = Store::create_on(Arc::new(storage.clone()), schema()).unwrap();
    let fact = |number: u32| Fact { day: number % 3 + 1, place: vec!["a"], solved: None, tags: vec![] };
    let writing = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3u32)
            .map(|thread| {
                let store = store.clone();
                scope.spawn(move || {
                    for number in 0..120 {
                        // Each order is written ten times, on changing days.
                        let id = thread * 100 + number % 12;
                        commit(&store, &[Step::Upsert(id, fact(number))]).unwrap();
                    }
                })
            })
            .collect();
        let (store, writing) = (&store, &writing);
        let upkeep = scope.spawn(move || {
            while writing.load(Ordering::Acquire) {
                store.compact().unwrap();
                let now = store.snapshot();
                let listed = now.orders(&Query::zoom(), crate::Sort::Newest, usize::MAX).unwrap();
                assert_eq!(listed.len() as u64, now.describe().orders);
            }
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        writing.store(false, Ordering::Release);
        upkeep.join().unwrap();
    });
    let check = |store: &Store| {
        let described = store.snapshot().describe();
        assert_eq!((described.commit, described.orders, described.ended), (360, 36, 324));
        for id in (0..3u32).flat_map(|thread| (0..12).map(move |number| thread * 100 + number)) {
            let history = store.history(&id.to_string()).unwrap();
            assert_eq!(history.len(), 10, "order {id}");
            let gapless = history.windows(2).all(|pair| pair[0].ended == Some(pair[1].commit));
            assert!(gapless && history[9].ended.is_none(), "order {id}");
        }
    };
    check(&store);
    drop(store);
    check(&Store::open_on(Arc::new(storage.crash(3))).unwrap());
}
