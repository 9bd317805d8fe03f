//! What a writer does, and what has to be there afterwards: both follow from the seed of its life.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use zonal::{Durability, Order, PartitionGrain, Schema};

use crate::micros;

/// Threads that write at the same time, each its own orders.
pub(crate) fn threads(life: u64) -> u64 {
    if Dice::new(life).below(3) == 0 { 4 } else { 1 }
}

/// Whether the store flushes and compacts by itself, too.
pub(crate) fn keeps_up(life: u64) -> bool {
    Dice::new(!life).below(2) == 0
}

pub(crate) fn schema() -> Schema {
    let schema = Schema::builder("Asia/Shanghai").place(["district", "street"]).category("channel");
    schema.measure("step").partition(PartitionGrain::Day).build().expect("a schema that makes sense")
}

/// A commit that is done: whose, the how many-th of that thread, and its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ack {
    pub(crate) thread: u64,
    pub(crate) step: u64,
    pub(crate) commit: u64,
}

impl Ack {
    /// Reads a line; one that was cut short says nothing.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.strip_suffix('\n')?.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { thread: next()?, step: next()?, commit: next()? })
    }
}

/// How a process ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// By its parent, some time after so many acknowledgements.
    Killed { after: u64, pause: Duration },
    /// By itself, after some time.
    Time(Duration),
    /// By itself, when so many commits are done and before the last is acknowledged.
    Commits(u64),
}

impl End {
    pub(crate) fn of(dice: &mut Dice) -> Self {
        match dice.below(3) {
            0 => Self::Killed { after: dice.below(40), pause: micros(dice.below(3_000)) },
            1 => Self::Time(micros(1_000 + dice.below(60_000))),
            _ => Self::Commits(1 + dice.below(40)),
        }
    }
}

/// What one commit does.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
    /// Whether it is a bulk load; it has upserts only.
    pub(crate) load: bool,
    pub(crate) durability: Durability,
    /// Whether the store is flushed afterwards, and whether it is compacted.
    pub(crate) flush: bool,
    pub(crate) compact: bool,
}

#[derive(Debug)]
pub(crate) enum Change {
    Upsert(Order),
    /// Says in which step it was.
    Patch(String, i64),
    Remove(String),
}

/// The orders of one thread.
pub(crate) type Orders = BTreeMap<String, Order>;

/// The commit that follows `step` commits of a thread that have left `orders`.
pub(crate) fn plan(life: u64, thread: u64, step: u64, orders: &Orders) -> Plan {
    let mut dice = Dice::new(life ^ (thread << 32) ^ (step << 40));
    let load = threads(life) == 1 && dice.below(12) == 0;
    let step = i64::try_from(step + 1).expect("few");
    // Every commit leaves its mark.
    let mut changes = vec![Change::Upsert(order(marker(thread), step, &mut dice))];
    for _ in 0..dice.below(5) {
        let id = format!("{thread}-{}", dice.below(20));
        let touched = changes.iter().any(|change| change.id() == id);
        changes.push(match dice.below(4) {
            0 if !load && !touched && orders.contains_key(&id) => Change::Patch(id, step),
            1 if !load && !touched && orders.contains_key(&id) => Change::Remove(id),
            _ => Change::Upsert(order(id, step, &mut dice)),
        });
    }
    let durability = if dice.below(3) == 0 { Durability::Buffered } else { Durability::Sync };
    Plan { changes, load, durability, flush: dice.below(8) == 0, compact: dice.below(12) == 0 }
}

/// The order that says how many commits of a thread there are.
pub(crate) fn marker(thread: u64) -> String {
    format!("{thread}-mark")
}

fn order(id: String, step: i64, dice: &mut Dice) -> Order {
    let created = 1_700_000_000 + dice.below(5) * 86_400;
    let unit = ["a", "b", "c"][dice.below(3) as usize];
    // Names that are new are written, too.
    let channel = format!("channel {}", dice.below(200));
    Order::new(id, created.cast_signed()).place([unit]).category("channel", channel).measure("step", step)
}

impl Change {
    fn id(&self) -> &str {
        match self {
            Self::Upsert(order) => order.id(),
            Self::Patch(id, _) | Self::Remove(id) => id,
        }
    }
}

impl Plan {
    pub(crate) fn apply(&self, orders: &mut Orders) {
        for change in &self.changes {
            match change {
                Change::Upsert(order) => {
                    orders.insert(order.id().to_owned(), order.clone());
                }
                Change::Patch(id, step) => {
                    orders
                        .entry(id.clone())
                        .and_modify(|order| *order = order.clone().measure("step", *step));
                }
                Change::Remove(id) => {
                    orders.remove(id);
                }
            }
        }
    }
}

/// What a thread's first so many commits leave.
pub(crate) fn after(life: u64, thread: u64, steps: u64) -> Orders {
    let mut orders = Orders::new();
    (0..steps).for_each(|step| plan(life, thread, step, &orders).apply(&mut orders));
    orders
}

/// Numbers that follow from a seed.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// A number that nobody can foresee.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
