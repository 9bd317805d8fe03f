//! A service: orders come in and change on several threads while others answer questions, all on one store.
//!
//! `cargo run --release --example service` takes no arguments and needs no data. It shows what a service around zonal is made
//! of: a [`Store`] is a handle that every thread clones; commits of threads that wait at the same time share one sync of
//! the disk; a reader takes a [`Snapshot`] for each question, which nobody's writing changes. Calls block until they are done, so an
//! asynchronous service makes them where blocking is allowed: tokio's `spawn_blocking` in the place of the threads here.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use zonal::{Durability, Order, Patch, Query, Schema, Snapshot, Store, counter, is, rate};

const WRITERS: u64 = 4;
const READERS: usize = 2;
const ORDERS: u64 = 200;

/// What the outside world tells the service.
enum Event {
    Received(u64),
    Called { order: u64, solved: bool },
    Withdrawn(u64),
}

fn main() -> Result<(), Box<dyn Error>> {
    let schema = Schema::builder("Asia/Shanghai")
        .place(["district", "street"])
        .outcome("solved", ["yes", "no"])
        .counter("called", is("solved", "yes").or(is("solved", "no")))
        .counter("solved", is("solved", "yes"))
        .build()?;
    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path(), schema)?;

    // The queue is bounded: where events come faster than the disk takes them, whoever brings them waits.
    let (sender, receiver) = sync_channel(100);
    let receiver = Mutex::new(receiver);
    let closed = AtomicBool::new(false);
    let (commits, answers) = thread::scope(|scope| -> zonal::Result<(u64, u64)> {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(|| write(&store, &receiver))).collect();
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(|| answer(&store, &closed))).collect();
        bring(&sender);
        drop(sender);
        let commits = writers.into_iter().map(|writer| joined(writer.join())).sum::<zonal::Result<u64>>();
        closed.store(true, Ordering::Release);
        let answers = readers.into_iter().map(|reader| joined(reader.join())).sum::<zonal::Result<u64>>();
        Ok((commits?, answers?))
    })?;

    println!(
        "{WRITERS} threads made {commits} commits, each durable; {READERS} threads asked {answers} questions."
    );
    let now = store.snapshot();
    print(&now)?;
    println!("\nHalf of the commits earlier it was:");
    print(&store.snapshot_at(now.commit() / 2)?)?;

    // A clean end: what the log holds is sealed, so that the next start need not replay it.
    store.flush()?;
    Ok(())
}

/// Brings what happens in a city, an order at a time.
fn bring(sender: &SyncSender<Event>) {
    for order in 0..ORDERS {
        // Sending fails when every writer has ended, and then the writers' errors say why.
        let _ = sender.send(Event::Received(order));
        if let Some(earlier) = order.checked_sub(50) {
            let event = match earlier % 10 {
                0 => Event::Withdrawn(earlier),
                digit => Event::Called { order: earlier, solved: digit > 3 },
            };
            let _ = sender.send(event);
        }
    }
}

/// Takes events and makes a commit of each. [`Commit::finish`](zonal::Commit::finish) returns when it is on the disk: only
/// then would the service tell the caller that his order is taken.
fn write(store: &Store, events: &Mutex<Receiver<Event>>) -> zonal::Result<u64> {
    let mut commits = 0;
    loop {
        let event = events.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(event) = event else { return Ok(commits) };
        let mut commit = store.begin().durability(Durability::Sync);
        match event {
            Event::Received(order) => commit.upsert(
                Order::new(order.to_string(), 1_772_327_520 + i64::try_from(order).unwrap_or_default() * 60)
                    .place([
                        ["朝阳区", "海淀区"][usize::from(order % 3 == 0)],
                        ["甲街道", "乙街道"][usize::from(order % 2 == 0)],
                    ]),
            ),
            Event::Called { order, solved } => {
                let solved = if solved { "yes" } else { "no" };
                commit.patch(order.to_string(), Patch::new().outcome("solved", solved));
            }
            Event::Withdrawn(order) => commit.remove(order.to_string()),
        }
        match commit.finish() {
            Ok(_) => commits += 1,
            // The caller's mistake, which is answered; nothing has changed.
            Err(error) if error.is_input() => eprintln!("refused: {error}"),
            Err(error) => return Err(error),
        }
    }
}

/// Asks until the service closes. All figures of one snapshot belong to one commit, so they fit together.
fn answer(store: &Store, closed: &AtomicBool) -> zonal::Result<u64> {
    let mut asked = 0;
    while !closed.load(Ordering::Acquire) {
        let now = store.snapshot();
        let streets: u64 = now.run(&Query::zoom().level("street"))?.rows().map(|row| row.count()).sum();
        assert_eq!(streets, now.describe().orders, "each order is in exactly one row");
        asked += 2;
    }
    Ok(asked)
}

fn print(now: &Snapshot) -> zonal::Result<()> {
    let solution = rate("solved", "called");
    let query = Query::zoom().level("district").metric(counter("called")).metric(&solution);
    for row in &now.run(&query)? {
        println!("{:<6} {:>4} orders, {} solved", row.path().to_string(), row.count(), row.get(&solution));
    }
    Ok(())
}

/// What a thread gives; where it has panicked, so does this one.
fn joined<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
