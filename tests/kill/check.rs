//! What a killed process has left.

use std::collections::BTreeMap;
use std::path::Path;

use zonal::{Error, Query, Sort, Store, Value};

use crate::plan::{self, Ack, Orders};
use crate::writer::steps;

/// Checks that a store has every acknowledged commit, in order and whole, and beyond them at most one of each
/// thread. Gives how many of those there are. `known` is what each thread had when the process started, and now has.
pub(crate) fn check(
    folder: &Path,
    life: u64,
    acks: &[Ack],
    known: &mut BTreeMap<u64, u64>,
) -> Result<u64, String> {
    let store = match Store::open(folder) {
        Err(Error::NotAStore { .. }) if acks.is_empty() => return Ok(0),
        opened => opened.map_err(|error| error.to_string())?,
    };
    store.verify(|_| {}).map_err(|error| error.to_string())?;
    let mut expected = Orders::new();
    let (mut commits, mut in_flight) = (0, 0);
    for thread in 0..plan::threads(life) {
        let found = steps(&store, thread);
        let said = acks.iter().filter(|ack| ack.thread == thread).map(|ack| ack.step);
        let known = known.entry(thread).or_default();
        let said = said.fold(*known, u64::max);
        if !(said..=said + 1).contains(&found) {
            return Err(format!("thread {thread} acknowledged {said} commits, {found} are there"));
        }
        in_flight += found - said;
        *known = found;
        commits += found;
        expected.extend(plan::after(life, thread, found));
        in_order(&store, thread, found, acks)?;
    }
    let snapshot = store.snapshot();
    if snapshot.commit() != commits {
        return Err(format!("{commits} commits of all threads, but the last is {}", snapshot.commit()));
    }
    let listed =
        snapshot.orders(&Query::zoom(), Sort::Newest, usize::MAX).map_err(|error| error.to_string())?;
    let listed: Orders = listed.into_iter().map(|order| (order.id().to_owned(), order)).collect();
    if listed != expected {
        return Err(format!("orders are {listed:#?}, should be {expected:#?}"));
    }
    Ok(in_flight)
}

/// Every commit of a thread has left its mark, one after another, and those that were acknowledged under their numbers.
fn in_order(store: &Store, thread: u64, steps: u64, acks: &[Ack]) -> Result<(), String> {
    let history = store.history(&plan::marker(thread)).map_err(|error| error.to_string())?;
    let marks: Vec<(u64, u64)> = history
        .iter()
        .map(|version| match version.order.value("step") {
            Some(Value::Measure(step)) => (step.cast_unsigned(), version.commit),
            _ => (0, version.commit),
        })
        .collect();
    let numbered: BTreeMap<u64, u64> = marks.iter().copied().collect();
    if !marks.iter().map(|(step, _)| *step).eq(1..=steps) || !marks.is_sorted_by_key(|(_, commit)| *commit) {
        return Err(format!("the marks of thread {thread} are {marks:?}"));
    }
    match acks.iter().find(|ack| ack.thread == thread && numbered.get(&ack.step) != Some(&ack.commit)) {
        Some(ack) => Err(format!("{ack:?}, but the marks are {marks:?}")),
        None => Ok(()),
    }
}
