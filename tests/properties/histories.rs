//! Orders that live: whatever happened to a store, every question gets the answer of a list of all versions, now and as of
//! every earlier commit, on every way to the orders.

use std::cell::RefCell;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;
use zonal::{Durability, Error, Order, SegmentExplanation, Snapshot, Store, Upkeep};

use crate::answers::{Checked, Taken, WAYS, by_way, check_orders, compare, config, take};
use crate::generate::{Event, History, histories};
use crate::model::{Ask, Fault, Model, Operation, Past, Was};
use crate::store::{answer, run_load};

/// The list of all versions, the stores that should say the same, and snapshots that were taken on the way.
struct Life {
    past: Past,
    /// The store, and its latest backup once there is one: from then on everything happens to both.
    homes: Vec<Home>,
    /// Whether they flush and compact by themselves.
    keeps_up: bool,
    held: Vec<(Snapshot, Model)>,
}

/// A store and where it is.
struct Home {
    store: Store,
    /// The folder, if the store outlives its handle.
    folder: Option<TempDir>,
    /// A reader beside it.
    beside: Option<Store>,
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
    // The rarest come in few histories, and there many times.
    let least = if cases < LONG_RUN { cases / 100 } else { 1_000 };
    for path in paths() {
        let times = taken.get(&path).copied().unwrap_or(0);
        assert!(times >= least, "{path}: taken {times} times only, of {taken:#?}");
    }
}

/// So many histories are a long run, in which every path is taken a thousand times.
const LONG_RUN: usize = 2_000;

/// Every way to read a segment: a file, alone or in the ledger, a batch or history, with versions that ended or without, now or as of an earlier
/// commit, where some may not have lived.
fn paths() -> Vec<String> {
    let mut paths: Vec<String> = EVENTS.map(str::to_owned).into();
    for way in ["ledger", "views", "bitmaps", "scan"] {
        for kind in ["sealed", "batch", "history"] {
            for versions in ["whole", "corrected", "whole as of", "corrected as of", "partly as of"] {
                // Only rows know when they lived, and those of history have all ended.
                let sums_cannot = matches!(way, "ledger" | "views") && versions == "partly as of";
                // Few earlier commits saw just the batches that a page sums.
                let seldom = (way, kind, versions) == ("ledger", "batch", "corrected as of");
                if !sums_cannot && !seldom && (kind != "history" || versions == "partly as of") {
                    paths.push(format!("{way}, {kind}, {versions}"));
                }
            }
        }
    }
    paths
}

/// What else has to come about.
const EVENTS: [&str; 7] = ["refused", "held", "meanwhile", "reopened", "refreshed", "backed up", "grown"];

fn path(segment: &SegmentExplanation, current: bool) -> String {
    let Some(access) = segment.access else { return "pruned".to_owned() };
    let way = if segment.ledger { "ledger".to_owned() } else { format!("{access:?}").to_lowercase() };
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
    let folder = history.lasts.then(|| TempDir::new().expect("a folder"));
    let store = match &folder {
        Some(folder) => Store::create(folder.path(), schema),
        None => Store::in_memory(schema),
    };
    let home = Home { store: store.expect("a new store"), folder, beside: None };
    let past = Past::new(history.fields.clone());
    let mut life = Life { past, homes: vec![home], keeps_up: history.keeps_up, held: Vec::new() };
    life.keep_up();
    let mut asked = Asked { asks: &history.asks, number: 0, taken };
    for event in &history.events {
        life.go_on(event, &mut asked)?;
        for home in &life.homes {
            asked.ask(&home.store.snapshot(), &life.past.now, true)?;
            let earlier = asked.number as u64 * 7 % (life.past.last() + 1);
            life.check_at(&home.store, earlier, &mut asked)?;
        }
    }
    for home in &life.homes {
        life.check_now(&home.store, &mut asked)?;
        life.check_past(&home.store, &mut asked)?;
        life.check_beside(home, &mut asked)?;
    }
    for (snapshot, model) in &life.held {
        asked.ask(snapshot, model, false)?;
        asked.whole(snapshot, model)?;
        asked.take("held");
    }
    Ok(())
}

impl Life {
    fn go_on(&mut self, event: &Event, asked: &mut Asked<'_>) -> Checked {
        match event {
            Event::Commit(operations, known) => self.commit(operations, *known, asked)?,
            Event::Load(load) => {
                let mut after = self.past.clone();
                let expected = after.load(&load.orders, 0);
                for home in &self.homes {
                    if let Some(commit) = run_load(&home.store, &self.past.now.fields, load, &expected) {
                        prop_assert_eq!(commit, after.last());
                    }
                }
                if !load.dropped {
                    self.past = after;
                }
            }
            Event::Flush => self.homes.iter().for_each(|home| home.store.flush().expect("a disk that works")),
            Event::Compact(meanwhile) => {
                let compact = |home: &Home| {
                    let store = home.store.clone();
                    std::thread::spawn(move || store.compact())
                };
                let compactions: Vec<_> = self.homes.iter().map(compact).collect();
                for (operations, known) in meanwhile {
                    self.commit(operations, *known, asked)?;
                    asked.take("meanwhile");
                }
                for compaction in compactions {
                    compaction.join().expect("a compaction that ends").expect("a disk that works");
                }
            }
            Event::Reopen => {
                self.homes.iter_mut().for_each(|home| home.reopen(|folder| Store::open(folder)));
                self.keep_up();
                asked.take("reopened");
            }
            Event::Grow(fields) => {
                let schema = fields.schema();
                self.homes
                    .iter_mut()
                    .for_each(|home| home.reopen(|folder| Store::open_with(folder, &schema)));
                self.keep_up();
                self.past.grow(fields.as_ref().clone());
                asked.take("grown");
            }
            Event::Backup => {
                let folder = TempDir::new().expect("a folder");
                let last = self.homes[0].store.backup(folder.path()).expect("a disk that works");
                prop_assert_eq!(last, self.past.last());
                let store = Store::open(folder.path()).expect("a store that is whole");
                self.homes.truncate(1);
                self.homes.push(Home { store, folder: Some(folder), beside: None });
                self.keep_up();
                asked.take("backed up");
            }
            Event::Refresh => {
                for home in &mut self.homes {
                    home.refresh(&self.past)?;
                }
                for beside in self.homes.iter().filter_map(|home| home.beside.as_ref()) {
                    asked.ask(&beside.snapshot(), &self.past.now, true)?;
                    asked.whole(&beside.snapshot(), &self.past.now)?;
                    self.check_at(beside, self.past.last() / 2, asked)?;
                }
                asked.take("refreshed");
            }
            Event::Hold => {
                let held = self.homes.iter().map(|home| (home.store.snapshot(), self.past.now.clone()));
                self.held.extend(held);
            }
        }
        Ok(())
    }

    fn commit(&mut self, operations: &[Operation], known: i64, asked: &Asked<'_>) -> Checked {
        let expected = self.past.commit(operations, known);
        if expected.is_err() {
            asked.take("refused");
        }
        for home in &self.homes {
            match (commit(&home.store, operations, known), expected) {
                (Ok(commit), Ok(())) => prop_assert_eq!(commit, self.past.last()),
                (Err(Error::Unknown { .. }), Err(Fault::Unknown)) => {}
                (Err(Error::InvalidOrder { .. }), Err(Fault::Invalid | Fault::Ambiguous)) => {}
                (found, expected) => {
                    prop_assert!(false, "{:?}, should be {:?}: {:?}", found, expected, operations);
                }
            }
        }
        Ok(())
    }

    fn keep_up(&self) {
        if self.keeps_up {
            for home in &self.homes {
                let upkeep = Upkeep::default().flush_after_orders(8).segments(1).ended_percent(10);
                home.store.keep_up(upkeep).expect("a thread");
            }
        }
    }

    /// Everything that can be asked of a store as it is.
    fn check_now(&self, store: &Store, asked: &mut Asked<'_>) -> Checked {
        let now = store.snapshot();
        prop_assert_eq!(now.commit(), self.past.last());
        for ask in asked.asks {
            asked.ask(&now, &self.past.now, true)?;
            check_orders(&now, &self.past.now, ask)?;
        }
        asked.whole(&now, &self.past.now)?;
        for id in self.past.ids() {
            let told = store.history(&id).expect("a store that is whole");
            let told: Vec<Was> = told.into_iter().map(was).collect();
            prop_assert_eq!(told, self.past.history(&id), "the history of {}", id);
        }
        store.verify(|_| {}).expect("a store that is whole");
        Ok(())
    }

    /// A backup, and a new reader beside the writer, answer as the store does.
    fn check_beside(&self, home: &Home, asked: &mut Asked<'_>) -> Checked {
        let Some(folder) = &home.folder else { return Ok(()) };
        let copy = TempDir::new().expect("a folder");
        let copy = copy.path().join("backup");
        home.store.backup(&copy).expect("a disk that works");
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

    /// A store as of every commit, and what changed since.
    fn check_past(&self, store: &Store, asked: &mut Asked<'_>) -> Checked {
        let last = self.past.last();
        for commit in 0..=last {
            self.check_at(store, commit, asked)?;
            let changes = store.changes(commit, last).expect("two commits in order");
            let changes: Vec<(String, Option<Order>, Option<Order>)> =
                changes.into_iter().map(|change| (change.id, change.before, change.after)).collect();
            prop_assert_eq!(changes, self.past.changes(commit, last), "from {} to {}", commit, last);
        }
        for time in [i64::MIN, 0, 5_000_000_000, 5_000_086_400, i64::MAX] {
            let then = store.snapshot_at_time(time).expect("any time");
            prop_assert_eq!(then.commit(), self.past.known_at(time), "at {}", time);
        }
        let refused = matches!(store.snapshot_at(last + 1), Err(Error::Invalid { .. }));
        prop_assert!(refused, "a commit that was not made yet");
        prop_assert!(store.changes(last, last).expect("one commit").is_empty());
        Ok(())
    }
}

impl Home {
    /// Closes the store, if it is in a folder, and opens it again.
    fn reopen(&mut self, open: impl FnOnce(&Path) -> zonal::Result<Store>) {
        let Some(folder) = &self.folder else { return };
        // The lock goes with the last handle.
        self.store = Store::in_memory(self.store.schema()).expect("a store in memory");
        self.store = open(folder.path()).expect("a store that is whole");
        assert_eq!(self.store.dropped_bytes(), 0, "nothing was cut");
    }

    /// The reader beside the writer sees what came since, or is opened.
    fn refresh(&mut self, past: &Past) -> Checked {
        let Some(folder) = &self.folder else { return Ok(()) };
        if let Some(beside) = &self.beside {
            let newer = beside.snapshot().commit() < past.last();
            prop_assert_eq!(beside.refresh().expect("a store that is whole"), newer);
        } else {
            self.beside = Some(Store::open_read_only(folder.path()).expect("a store that is whole"));
        }
        let commit = self.beside.as_ref().map(|beside| beside.snapshot().commit());
        prop_assert_eq!(commit, Some(past.last()));
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
    fn take(&self, what: &str) {
        take(&mut self.taken.borrow_mut(), what.to_owned());
    }

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
