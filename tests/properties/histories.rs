//! Orders that live: whatever happened to a store, every question gets the answer of a list of all versions, now and as of
//! every earlier commit, on every way to the orders.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;
use zonal::{Durability, Error, Order, SegmentExplanation, Snapshot, Store, Upkeep};

use crate::answers::{Checked, Taken, WAYS, by_way, check_orders, compare, config, take};
use crate::generate::{Event, History, histories};
use crate::model::{Ask, Fault, Model, Operation, Past, Was};
use crate::store::{answer, run_load};

/// A store, the list of its versions, and snapshots that were taken on the way.
struct Life {
    store: Store,
    /// Where the store is, if it outlives its handle.
    folder: Option<TempDir>,
    /// Whether it flushes and compacts by itself.
    keeps_up: bool,
    past: Past,
    held: Vec<(Snapshot, Model)>,
}

/// How often a snapshot was asked, and which ways the segments were read.
struct Asked<'a> {
    asks: &'a [Ask],
    number: usize,
    taken: &'a RefCell<Taken>,
}

#[test]
fn whatever_happened_every_question_gets_the_answer_of_the_list_of_all_versions() {
    let taken = RefCell::new(Taken::new());
    let config = config(300);
    let cases = config.cases as usize;
    let checked = TestRunner::new(config).run(&histories(24), |history| live(&history, &taken));
    checked.unwrap_or_else(|error| panic!("{error}"));
    let taken = taken.into_inner();
    println!("{taken:#?}");
    // A thousand times in the long run; of the rarest, one in a few histories.
    let least = (cases / 30).min(1_000);
    for path in paths() {
        let times = taken.get(&path).copied().unwrap_or(0);
        assert!(times >= least, "{path}: taken {times} times only, of {taken:#?}");
    }
}

/// Every way to read a segment: a file, a batch or history, with versions that ended or without, now or as of an earlier
/// commit, where some may not have lived.
fn paths() -> Vec<String> {
    let mut paths = vec!["refused".to_owned(), "held".to_owned()];
    for way in ["views", "bitmaps", "scan"] {
        for kind in ["sealed", "batch", "history"] {
            for versions in ["whole", "corrected", "whole as of", "corrected as of", "partly as of"] {
                // Only rows know when they lived, and those of history have all ended.
                let sums_cannot = (way, versions) == ("views", "partly as of");
                if !sums_cannot && (kind != "history" || versions == "partly as of") {
                    paths.push(format!("{way}, {kind}, {versions}"));
                }
            }
        }
    }
    paths
}

fn path(segment: &SegmentExplanation, current: bool) -> String {
    let Some(access) = segment.access else { return "pruned".to_owned() };
    let way = format!("{access:?}").to_lowercase();
    let kind = match segment.batch {
        true => "batch",
        false if segment.segment.starts_with("history/") => "history",
        false => "sealed",
    };
    let versions = match (segment.partly, segment.ended) {
        (true, _) => "partly",
        (false, 0) => "whole",
        (false, _) => "corrected",
    };
    format!("{way}, {kind}, {versions}{}", if current { "" } else { " as of" })
}

fn live(history: &History, taken: &RefCell<Taken>) -> Checked {
    let schema = history.fields.schema();
    let folder = history.reopens().then(|| TempDir::new().expect("a folder"));
    let store = match &folder {
        Some(folder) => Store::create(folder.path(), schema),
        None => Store::in_memory(schema),
    };
    let past = Past::new(history.fields.clone());
    let keeps_up = history.keeps_up;
    let mut life = Life { store: store.expect("a new store"), folder, keeps_up, past, held: Vec::new() };
    life.keep_up();
    let mut asked = Asked { asks: &history.asks, number: 0, taken };
    for event in &history.events {
        life.go_on(event, taken)?;
        asked.ask(&life.store.snapshot(), &life.past.now, true)?;
        let earlier = asked.number as u64 * 7 % (life.past.last() + 1);
        life.check_at(&life.store, earlier, &mut asked)?;
    }
    life.check_now(&mut asked)?;
    life.check_past(&mut asked)?;
    life.check_beside(&mut asked)?;
    for (snapshot, model) in &life.held {
        asked.ask(snapshot, model, false)?;
        asked.whole(snapshot, model)?;
        take(&mut taken.borrow_mut(), "held".to_owned());
    }
    Ok(())
}

impl Life {
    fn go_on(&mut self, event: &Event, taken: &RefCell<Taken>) -> Checked {
        match event {
            Event::Commit(operations, known) => self.commit(operations, *known, taken)?,
            Event::Load(load) => {
                let mut after = self.past.clone();
                let expected = after.load(&load.orders, 0);
                if let Some(commit) = run_load(&self.store, &self.past.now.fields, load, &expected) {
                    prop_assert_eq!(commit, after.last());
                    self.past = after;
                }
            }
            Event::Flush => self.store.flush().expect("a disk that works"),
            Event::Compact(meanwhile) => {
                let store = self.store.clone();
                let compaction = std::thread::spawn(move || store.compact());
                for (operations, known) in meanwhile {
                    self.commit(operations, *known, taken)?;
                }
                compaction.join().expect("a compaction that ends").expect("a disk that works");
            }
            Event::Reopen => self.reopen(),
            Event::Hold => self.held.push((self.store.snapshot(), self.past.now.clone())),
        }
        Ok(())
    }

    fn commit(&mut self, operations: &[Operation], known: i64, taken: &RefCell<Taken>) -> Checked {
        let expected = self.past.commit(operations, known);
        let found = commit(&self.store, operations, known);
        if expected.is_err() {
            take(&mut taken.borrow_mut(), "refused".to_owned());
        }
        match (found, expected) {
            (Ok(commit), Ok(())) => prop_assert_eq!(commit, self.past.last()),
            (Err(Error::Unknown { .. }), Err(Fault::Unknown)) => {}
            (Err(Error::InvalidOrder { .. }), Err(Fault::Invalid | Fault::Ambiguous)) => {}
            (found, expected) => {
                prop_assert!(false, "{:?}, should be {:?}: {:?}", found, expected, operations);
            }
        }
        Ok(())
    }

    fn reopen(&mut self) {
        let Some(folder) = &self.folder else { return };
        // The lock goes with the last handle.
        self.store = Store::in_memory(self.store.schema()).expect("a store in memory");
        self.store = Store::open(folder.path()).expect("a store that is whole");
        assert_eq!(self.store.dropped_bytes(), 0, "nothing was cut");
        self.keep_up();
    }

    fn keep_up(&self) {
        if self.keeps_up {
            let upkeep = Upkeep::default().flush_after_orders(8).segments(1).ended_percent(10);
            self.store.keep_up(upkeep).expect("a thread");
        }
    }

    /// Everything that can be asked of the store as it is.
    fn check_now(&self, asked: &mut Asked<'_>) -> Checked {
        let now = self.store.snapshot();
        prop_assert_eq!(now.commit(), self.past.last());
        for ask in asked.asks {
            asked.ask(&now, &self.past.now, true)?;
            check_orders(&now, &self.past.now, ask)?;
        }
        asked.whole(&now, &self.past.now)?;
        for id in self.past.ids() {
            let told = self.store.history(&id).expect("a store that is whole");
            let told: Vec<Was> = told.into_iter().map(was).collect();
            prop_assert_eq!(told, self.past.history(&id), "the history of {}", id);
        }
        self.store.verify(|_| {}).expect("a store that is whole");
        Ok(())
    }

    /// A backup, and a reader beside the writer, answer as the store does.
    fn check_beside(&self, asked: &mut Asked<'_>) -> Checked {
        let Some(folder) = &self.folder else { return Ok(()) };
        let copy = TempDir::new().expect("a folder");
        let copy = copy.path().join("backup");
        self.store.backup(&copy).expect("a disk that works");
        for beside in [Store::open(&copy), Store::open_read_only(folder.path())] {
            let beside = beside.expect("a store that is whole");
            prop_assert_eq!(beside.snapshot().commit(), self.past.last());
            for commit in (0..=self.past.last()).rev().step_by(4) {
                self.check_at(&beside, commit, asked)?;
            }
        }
        Ok(())
    }

    /// A store as of a commit.
    fn check_at(&self, store: &Store, commit: u64, asked: &mut Asked<'_>) -> Checked {
        let (then, model) = (store.snapshot_at(commit).expect("a commit"), self.past.at(commit));
        prop_assert_eq!(then.commit(), commit);
        asked.ask(&then, &model, commit == self.past.last())?;
        asked.whole(&then, &model)
    }

    /// The store as of every commit, and what changed since.
    fn check_past(&self, asked: &mut Asked<'_>) -> Checked {
        let last = self.past.last();
        for commit in 0..=last {
            self.check_at(&self.store, commit, asked)?;
            let changes = self.store.changes(commit, last).expect("two commits in order");
            let changes: Vec<(String, Option<Order>, Option<Order>)> =
                changes.into_iter().map(|change| (change.id, change.before, change.after)).collect();
            prop_assert_eq!(changes, self.past.changes(commit, last), "from {} to {}", commit, last);
        }
        for time in [i64::MIN, 0, 5_000_000_000, 5_000_086_400, i64::MAX] {
            let then = self.store.snapshot_at_time(time).expect("any time");
            prop_assert_eq!(then.commit(), self.past.known_at(time), "at {}", time);
        }
        let refused = matches!(self.store.snapshot_at(last + 1), Err(Error::Invalid { .. }));
        prop_assert!(refused, "a commit that was not made yet");
        prop_assert!(self.store.changes(last, last).expect("one commit").is_empty());
        Ok(())
    }
}

fn was(version: zonal::Version) -> Was {
    let zonal::Version { commit, known, order, ended, removed, .. } = version;
    Was { commit, known, order, ended, removed }
}

/// Buffered: what a power cut leaves is tested with storage that can be cut.
fn commit(store: &Store, operations: &[Operation], known: i64) -> zonal::Result<u64> {
    let mut commit = store.begin().known_at(known).durability(Durability::Buffered);
    for operation in operations {
        match operation {
            Operation::Upsert(order) => commit.upsert(order.clone()),
            Operation::Patch(id, edit) => commit.patch(id, edit.patch()),
            Operation::Remove(id) => commit.remove(id),
        }
    }
    commit.finish()
}

impl Asked<'_> {
    /// Asks the next question, on every way.
    fn ask(&mut self, snapshot: &Snapshot, model: &Model, current: bool) -> Checked {
        let ask = &self.asks[self.number % self.asks.len()];
        self.number += 1;
        let expected = model.answer(ask);
        for way in WAYS {
            let query = by_way(ask.query(), way);
            compare(model, ask, way, &answer(snapshot, &query), &expected)
                .map_err(|error| TestCaseError::fail(format!("as of {}, {error}", snapshot.commit())))?;
            let Ok(explained) = snapshot.explain(&query) else { continue };
            for segment in &explained.segments {
                take(&mut self.taken.borrow_mut(), path(segment, current));
            }
        }
        Ok(())
    }

    /// Every order comes back whole, and no other.
    fn whole(&self, snapshot: &Snapshot, model: &Model) -> Checked {
        let described = snapshot.describe();
        prop_assert_eq!(described.orders, model.facts.len() as u64, "as of {}", snapshot.commit());
        let listed = snapshot.orders(&Ask::zoom().query(), zonal::Sort::Newest, usize::MAX);
        let listed = listed.expect("a store that is whole");
        prop_assert_eq!(listed, model.orders(&Ask::zoom(), None), "as of {}", snapshot.commit());
        for fact in &model.facts {
            let found = snapshot.get(fact.order.id()).expect("a store that is whole");
            prop_assert_eq!(found.as_ref(), Some(&fact.order), "as of {}", snapshot.commit());
        }
        Ok(())
    }
}
