//! Random lives of a store: commits, loads, flushes, reopenings, backups and growth, drawn towards the same few orders.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use zonal::{Filter, Metric, Order, Value, missing};

use super::asks::ask;
use super::draws::{Draws, draws};
use super::orders::{order, order_of};
use super::world::World;
use super::{Load, schema};
use crate::model::{Ask, Edit, Fields, Model, Operation, Past};

/// What happens to a store, and questions to ask meanwhile.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) fields: Fields,
    /// Whether the store outlives its handle.
    pub(crate) lasts: bool,
    /// Whether the store flushes and compacts by itself, too.
    pub(crate) keeps_up: bool,
    pub(crate) events: Vec<Event>,
    pub(crate) asks: Vec<Ask>,
}

#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A commit, known at a time.
    Commit(Vec<Operation>, i64),
    Load(Load),
    Flush,
    /// The store is compacted, and meanwhile there are commits.
    Compact(Vec<(Vec<Operation>, i64)>),
    /// The store is closed and opened again.
    Reopen,
    /// The store is closed and opened again with a schema that has grown.
    Grow(Box<Fields>),
    /// The store is copied; from then on the life goes on in both.
    Backup,
    /// A reader beside the writer sees what came since.
    Refresh,
    /// A snapshot is taken, and asked at the end.
    Hold,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:#?}, lasts: {}, keeps up: {}", self.fields, self.lasts, self.keeps_up)?;
        self.events.iter().try_for_each(|event| writeln!(f, "{event:?}"))
    }
}

/// Later than any clock of a machine: loads are known when they are made, and stamps never go back.
const KNOWN: i64 = 5_000_000_000;

/// Histories of up to so many events.
pub(crate) fn histories(events: usize) -> impl Strategy<Value = History> {
    let operations = prop_oneof![
        1 => vec(draws(64), 0..=0),
        6 => vec(draws(64), 1..=2),
        4 => vec(draws(64), 3..8),
        1 => vec(draws(64), 8..24),
    ];
    let events = vec((draws(32), operations), 1..events);
    // Now and then a life begins with files enough for a ledger.
    let first = prop_oneof![3 => vec(draws(64), 0..=0), 1 => vec(draws(64), 12..30)];
    (draws(120), first, events, vec(draws(120), 3..=6))
        .prop_map(|(schema, first, events, asks)| history(schema, first, events, asks))
}

fn history(
    schema: Vec<u16>,
    first: Vec<Vec<u16>>,
    events: Vec<(Vec<u16>, Vec<Vec<u16>>)>,
    asks: Vec<Vec<u16>>,
) -> History {
    let mut draws = Draws::new(schema);
    let mut fields = schema::fields(&mut draws);
    // Of small segments there are many.
    if draws.below(2) == 0 || !first.is_empty() {
        fields.partition = zonal::PartitionGrain::Day;
    }
    let lasts = draws.below(2) == 1;
    let keeps_up = draws.once_in(4);
    let world = World::new(&fields, &mut draws);
    let mut past = Past::new(fields.clone());
    let mut known = KNOWN;
    past.commit(&[], known).expect("nothing to refuse");
    let mut made = vec![Event::Commit(Vec::new(), known)];
    if !first.is_empty() {
        let of = |(number, draws)| order(&fields, &world, number, &mut Draws::new(draws));
        let orders: Vec<Order> = first.into_iter().enumerate().map(of).collect();
        past.load(&orders, 0);
        made.push(Event::Load(Load { orders, buffer: 1_000, columns: false, dropped: false }));
    }
    for (event, operations) in events {
        let mut event = Draws::new(event);
        let kind = event.below(38);
        let mut operations = operations.into_iter().map(Draws::new);
        let mut commit = |past: &mut Past, operations: &mut dyn Iterator<Item = Draws>, event: &mut Draws| {
            known += event.pick(&[0, 1, 86_400, -1]);
            let mut trial = past.clone();
            let operations: Vec<Operation> =
                operations.map(|mut draws| operation(&mut trial, &world, known, &mut draws)).collect();
            // A commit that is refused changes nothing.
            let _ = past.commit(&operations, known);
            (operations, known)
        };
        made.push(match kind {
            16..=18 => {
                let seen = past.ids();
                let of = |mut draws: Draws| {
                    let id = id(&seen, &world, &mut draws);
                    order_of(&past.now.fields, &world, id, &mut draws)
                };
                let orders: Vec<Order> = operations.map(of).collect();
                let load = Load {
                    orders,
                    buffer: event.pick(&[1_000, 3, 1]),
                    columns: event.once_in(3),
                    dropped: event.once_in(10),
                };
                if !load.dropped {
                    past.load(&load.orders, 0);
                }
                Event::Load(load)
            }
            19..=21 => Event::Flush,
            22..=24 => {
                let many = event.pick(&[2, 1, 3]);
                let one = |_| commit(&mut past, &mut operations.by_ref().take(2), &mut event);
                Event::Compact((0..many).map(one).collect())
            }
            25 | 26 => Event::Hold,
            27..=29 if lasts => Event::Reopen,
            30 | 31 if lasts => Event::Refresh,
            32 | 33 if lasts => Event::Backup,
            34..=36 if lasts => {
                let grown = schema::grown(&past.now.fields, &mut event);
                // A schema that adds nothing makes no commit.
                if grown != past.now.fields {
                    past.grow(grown.clone());
                    Event::Grow(Box::new(grown))
                } else {
                    Event::Reopen
                }
            }
            _ => {
                let (operations, known) = commit(&mut past, &mut operations, &mut event);
                Event::Commit(operations, known)
            }
        });
    }
    // Half of what is asked could be asked from the beginning, whatever the schema became.
    let young = Model { fields: fields.clone(), ..past.now.clone() };
    let asks = asks.into_iter().zip([&past.now, &young].into_iter().cycle()).map(|(draws, model)| {
        let ask = ask(model, &world, &mut Draws::new(draws));
        [plain(&model.fields, &ask), counted(&model.fields, &ask), ask]
    });
    let asks = asks.flatten().collect();
    History { fields, lasts, keeps_up, events: made, asks }
}

/// The question as sums answer it.
fn plain(fields: &Fields, ask: &Ask) -> Ask {
    let counters = fields.counters.iter().map(|(name, _)| Metric::Counter(name.clone()));
    Ask {
        within: ask.within.clone(),
        targets: ask.targets.clone(),
        between: ask.between,
        metrics: counters.collect(),
        ..Ask::zoom()
    }
}

/// The question as bitmaps answer it, where its filter is of their kind.
fn counted(fields: &Fields, ask: &Ask) -> Ask {
    let mut flat = fields.outcomes.iter().map(|(name, _)| name).chain(&fields.categories).chain(&fields.tags);
    let filter = match (&ask.filter, flat.next()) {
        (Filter::All, Some(field)) => !missing(field),
        (filter, _) => filter.clone(),
    };
    Ask { filter, targets: ask.targets.clone(), within: ask.within.clone(), ..Ask::zoom() }
}

/// One of the orders of before, one that was removed, or a new one.
fn id(seen: &[String], world: &World, draws: &mut Draws) -> String {
    match draws.below(8) {
        0..=4 if !seen.is_empty() => draws.pick(seen),
        5 if !seen.is_empty() => seen[0].clone(),
        _ => world.id(seen.len(), draws),
    }
}

/// An operation, most often one that is not refused. `trial` is what the operations before it make.
fn operation(trial: &mut Past, world: &World, known: i64, draws: &mut Draws) -> Operation {
    let seen = trial.ids();
    let id = id(&seen, world, draws);
    let lives = trial.now.get(&id).is_some();
    let careless = draws.once_in(60);
    let operation = match draws.below(8) {
        3..=5 if lives || careless => {
            let order = order_of(&trial.now.fields, world, id.clone(), draws);
            Operation::Patch(id, edit(&trial.now.fields, &order, draws))
        }
        6 | 7 if lives || careless => Operation::Remove(id),
        _ => Operation::Upsert(order_of(&trial.now.fields, world, id, draws)),
    };
    let _ = trial.commit(std::slice::from_ref(&operation), known);
    operation
}

/// Some of the fields of another order, and once in a while a field less.
fn edit(fields: &Fields, order: &Order, draws: &mut Draws) -> Edit {
    let mut edit = Edit::default();
    match draws.below(6) {
        0 | 1 => edit.created = Some(order.created().clone()),
        2 => edit.place = Some(order.place_path().to_vec()),
        3 => edit.location = order.point(),
        _ => {}
    }
    for (name, value) in order.values() {
        if draws.below(2) == 1 {
            edit.values.insert(name.to_owned(), Some(value.clone()));
        }
    }
    if draws.once_in(4) {
        let mut names: Vec<String> = fields.all().into_iter().map(|(name, _)| name).collect();
        names.retain(|name| name != "created" && (name != "place" || edit.place.is_none()));
        names.extend(draws.once_in(10).then(|| "created".to_owned()));
        names.extend(draws.once_in(10).then(|| "nothing".to_owned()));
        if let Some(name) = draws.pick_any(&names) {
            edit.values.insert(name, None);
        }
    }
    if draws.once_in(60) {
        edit.values.insert("nothing".to_owned(), Some(Value::Measure(1)));
    }
    edit
}
