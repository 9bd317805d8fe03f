//! A store and its model, side by side.

use std::collections::BTreeSet;

use zonal::{Answer, Columns, Error, LoadReport, Order, Query, Snapshot, Store, Value};

use crate::generate::{Case, Load};
use crate::model::{Became, Fault, Fields, Group, Kind, Loaded, Model, Row};

/// Loads a case into a store and into a model; everything that the loads report has to agree.
pub(crate) fn build(case: &Case) -> (Store, Model) {
    let store = Store::in_memory(case.fields.schema()).expect("a store in memory");
    let model = fill(&store, case);
    (store, model)
}

/// Loads a case into an empty store and into a model.
pub(crate) fn fill(store: &Store, case: &Case) -> Model {
    let mut model = Model::new(case.fields.clone());
    for load in &case.loads {
        let mut after = model.clone();
        let expected = after.load(&load.orders);
        if run_load(store, &case.fields, load, &expected).is_some() {
            model = after;
        }
    }
    model
}

/// Runs a load, unless it is to be dropped; what it reports has to be what is expected. Gives its commit.
pub(crate) fn run_load(store: &Store, fields: &Fields, load: &Load, expected: &Became) -> Option<u64> {
    let report = run(store, fields, load, &expected.refused)?.expect("a load that is whole");
    assert_eq!(summary(&report), expected.loaded, "the report of {load:?}");
    Some(report.commit)
}

fn run(store: &Store, fields: &Fields, load: &Load, refused: &[bool]) -> Option<zonal::Result<LoadReport>> {
    let mut bulk = store.load().expect("no other load").buffer(load.buffer);
    if load.columns && !refused.contains(&true) && seconds_only(&load.orders) {
        for orders in load.orders.chunks(5) {
            bulk.push_columns(columns(fields, orders)).expect("orders that fit");
        }
    } else {
        for (order, refused) in load.orders.iter().zip(refused) {
            let pushed = bulk.push(order.clone());
            assert!(matches!(pushed, Ok(()) | Err(Error::InvalidOrder { .. })), "{pushed:?} for {order:?}");
            assert_eq!(pushed.is_err(), *refused, "{pushed:?} for {order:?}");
        }
    }
    let taken = refused.iter().filter(|refused| !**refused).count();
    assert_eq!(bulk.len(), taken as u64);
    (!load.dropped).then(|| bulk.finish())
}

fn summary(report: &LoadReport) -> Loaded {
    let repeated = report.repeated.iter().map(|repeated| (repeated.id.clone(), repeated.created));
    let mut repeated: Vec<_> = repeated.collect();
    repeated.sort();
    let few = |count: u64| usize::try_from(count).expect("few");
    Loaded { orders: few(report.orders), repeated, superseded: few(report.superseded) }
}

/// Columns take times as seconds only.
fn seconds_only(orders: &[Order]) -> bool {
    orders.iter().all(|order| {
        let text = |value: &Value| matches!(value, Value::Clock(time) if time.seconds().is_none());
        order.created().seconds().is_some() && !order.values().any(|(_, value)| text(value))
    })
}

/// Values in the order in which they are met, and each row's number.
struct Dictionary<T> {
    values: Vec<T>,
    rows: Vec<Option<u32>>,
}

impl<T: Clone + PartialEq> Dictionary<T> {
    fn of(rows: impl Iterator<Item = Option<T>>) -> Self {
        let mut values = Vec::new();
        let rows = rows.map(|row| row.map(|value| number(&mut values, &value))).collect();
        Self { values, rows }
    }
}

fn number<T: Clone + PartialEq>(values: &mut Vec<T>, value: &T) -> u32 {
    let found = values.iter().position(|known| known == value).unwrap_or_else(|| {
        values.push(value.clone());
        values.len() - 1
    });
    u32::try_from(found).expect("few")
}

fn columns(fields: &Fields, orders: &[Order]) -> Columns {
    let created = orders.iter().map(|order| order.created().seconds().expect("seconds")).collect();
    let plain: Option<Vec<u64>> = orders.iter().map(|order| plain_number(order.id())).collect();
    let mut columns = match plain {
        Some(ids) => Columns::numbered(ids, created),
        None => Columns::named(orders.iter().map(Order::id), created),
    };
    let place = Dictionary::of(orders.iter().map(|order| {
        let path = order.place_path().to_vec();
        (!path.is_empty()).then_some(path)
    }));
    columns = columns.place(place.values, place.rows);
    for (name, kind) in fields.all() {
        macro_rules! rows {
            ($kind:ident) => {
                orders.iter().map(|order| match order.value(&name) {
                    Some(Value::$kind(value)) => Some(value.clone()),
                    _ => None,
                })
            };
        }
        columns = match kind {
            Kind::Tree if name != "place" => {
                let paths = Dictionary::of(rows!(Tree));
                columns.tree(name, paths.values, paths.rows)
            }
            Kind::Category => {
                let values = Dictionary::of(rows!(Category));
                columns.category(name, values.values, values.rows)
            }
            Kind::Tags => {
                let mut values = Vec::new();
                let list = |tags: Vec<String>| tags.iter().map(|tag| number(&mut values, tag)).collect();
                let lists = rows!(Tags).map(Option::unwrap_or_default).map(list).collect();
                columns.tags(name, values, lists)
            }
            Kind::Outcome => {
                let labels = Dictionary::of(rows!(Outcome));
                columns.outcome(name, labels.values, labels.rows)
            }
            Kind::Measure if fields.stored.contains(&name) => {
                let rows = rows!(Measure).collect();
                columns.measure(name, rows)
            }
            Kind::Clock if name != "created" => {
                let rows = rows!(Clock).map(|time| time.and_then(|time| time.seconds())).collect();
                columns.clock(name, rows)
            }
            Kind::Key => {
                let rows = rows!(Key).collect();
                columns.key(name, rows)
            }
            Kind::Text => {
                let rows = rows!(Text).collect();
                columns.text(name, rows)
            }
            Kind::Location => columns.location_e7(orders.iter().map(Order::point).collect()),
            Kind::Tree | Kind::Measure | Kind::Clock => columns,
        };
    }
    columns
}

fn plain_number(id: &str) -> Option<u64> {
    id.parse().ok().filter(|number: &u64| number.to_string() == id)
}

/// The rows that a store gives.
pub(crate) fn rows(answer: &Answer) -> Vec<Row> {
    let row = |row: zonal::Row<'_>| Row {
        path: row.path().names().into_iter().map(str::to_owned).collect(),
        kind: row.kind(),
        time: row.time(),
        groups: row.groups().map(|(_, group)| plain(group)).collect(),
        count: row.count(),
        figures: row.figures().collect(),
    };
    answer.rows().map(row).collect()
}

fn plain(group: zonal::Group<'_>) -> Group {
    Group { names: group.names().into_iter().map(str::to_owned).collect(), remainder: group.is_remainder() }
}

/// The fault that an error stands for.
pub(crate) fn fault(error: &Error) -> Fault {
    match error {
        Error::Unknown { .. } => Fault::Unknown,
        Error::Invalid { .. } => Fault::Invalid,
        Error::Ambiguous { .. } => Fault::Ambiguous,
        Error::TooManyGroups { .. } => Fault::TooManyGroups,
        other => panic!("nobody asked for {other:?}"),
    }
}

/// What a store answers, in the model's words.
pub(crate) fn answer(snapshot: &Snapshot, query: &Query) -> Result<Vec<Row>, Fault> {
    snapshot.run(query).map(|answer| rows(&answer)).map_err(|error| fault(&error))
}

/// A store made from what a model holds, for cases without loads of their own.
pub(crate) fn of(model: &Model) -> Store {
    let store = Store::in_memory(model.fields.schema()).expect("a store in memory");
    let mut load = store.load().expect("no other load");
    model.facts.iter().for_each(|fact| load.push(fact.order.clone()).expect("an order that fits"));
    load.finish().expect("new orders");
    let ids: BTreeSet<&str> = model.facts.iter().map(|fact| fact.order.id()).collect();
    assert_eq!(ids.len(), model.facts.len());
    store
}
