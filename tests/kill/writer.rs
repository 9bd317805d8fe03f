//! The process that writes until it ends.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use zonal::{Error, Patch, Store, Upkeep};

use crate::plan::{self, Change, Dice, End, Plan};

/// Goes on with the store in `folder`, which the life made so far.
pub(crate) fn write(folder: &Path, life: u64, end: u64) -> ! {
    let end = End::of(&mut Dice::new(end));
    if let End::Time(time) = end {
        std::thread::spawn(move || {
            std::thread::sleep(time);
            die();
        });
    }
    let store = match Store::open(folder) {
        Err(Error::NotAStore { .. }) => Store::create(folder, plan::schema()),
        opened => opened,
    };
    let store = store.expect("a store that can be opened");
    if plan::keeps_up(life) {
        let upkeep = Upkeep::default().flush_after_orders(10).segments(2).ended_percent(20);
        store.keep_up(upkeep).expect("a thread");
    }
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..plan::threads(life) {
            let (store, done) = (&store, &done);
            scope.spawn(move || go_on(store, life, thread, end, done));
        }
    });
    unreachable!("writers go on until they die")
}

fn die() -> ! {
    std::process::exit(3)
}

fn go_on(store: &Store, life: u64, thread: u64, end: End, done: &AtomicU64) {
    let mut step = steps(store, thread);
    let mut orders = plan::after(life, thread, step);
    loop {
        let plan = plan::plan(life, thread, step, &orders);
        let commit = carry_out(store, &plan).expect("a disk that works");
        plan.apply(&mut orders);
        step += 1;
        let count = done.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(end, End::Commits(most) if count >= most) {
            die();
        }
        let mut output = std::io::stdout().lock();
        writeln!(output, "{thread} {step} {commit}").expect("a parent that listens");
        output.flush().expect("a parent that listens");
        drop(output);
        if plan.flush {
            store.flush().expect("a disk that works");
        }
        if plan.compact {
            store.compact().expect("a disk that works");
        }
    }
}

/// How many commits of a thread a store has.
pub(crate) fn steps(store: &Store, thread: u64) -> u64 {
    let mark = store.snapshot().get(&plan::marker(thread)).expect("a store that is whole");
    match mark.as_ref().and_then(|order| order.value("step")) {
        Some(zonal::Value::Measure(step)) => step.cast_unsigned(),
        _ => 0,
    }
}

fn carry_out(store: &Store, plan: &Plan) -> zonal::Result<u64> {
    if plan.load {
        let mut load = store.load()?.buffer(3);
        for change in &plan.changes {
            if let Change::Upsert(order) = change {
                load.push(order.clone())?;
            }
        }
        return load.finish().map(|report| report.commit);
    }
    let mut commit = store.begin().durability(plan.durability);
    for change in &plan.changes {
        match change {
            Change::Upsert(order) => commit.upsert(order.clone()),
            Change::Patch(id, step) => commit.patch(id, Patch::new().measure("step", *step)),
            Change::Remove(id) => commit.remove(id),
        }
    }
    commit.finish()
}
