//! Stores whose schema grows, against a list of orders.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{Access, Metric, Patch, Span, Unit, Value, count, distinct, missing, sum};

/// What a schema can add, each once; some need another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Add {
    Category,
    Label,
    Tags,
    Tree,
    TreeLevel,
    Measure,
    Clock,
    Between,
    Key,
    Text,
    Outcome,
    House,
    Location,
    Unsolved,
    Kinds,
}

const ALL: [Add; 15] = [
    Add::Category,
    Add::Label,
    Add::Tags,
    Add::Tree,
    Add::TreeLevel,
    Add::Measure,
    Add::Clock,
    Add::Between,
    Add::Key,
    Add::Text,
    Add::Outcome,
    Add::House,
    Add::Location,
    Add::Unsolved,
    Add::Kinds,
];

/// What is there, and what it needs.
fn with(have: &BTreeSet<Add>, more: &[Add]) -> BTreeSet<Add> {
    let mut all: BTreeSet<Add> = have.iter().chain(more).copied().collect();
    for (one, needs) in [(Add::TreeLevel, Add::Tree), (Add::Between, Add::Clock), (Add::Kinds, Add::Category)]
    {
        if all.contains(&one) {
            all.insert(needs);
        }
    }
    all
}

/// The schema with these additions; what is new is listed before what is old.
fn grown(have: &BTreeSet<Add>) -> Schema {
    let has = |add: Add| have.contains(&add);
    let mut schema = Schema::builder("Asia/Shanghai").partition(crate::PartitionGrain::Day);
    schema = schema.place(["district", "street", "house"].into_iter().take(2 + usize::from(has(Add::House))));
    let topic = ["theme", "item"].into_iter().take(1 + usize::from(has(Add::TreeLevel)));
    for add in have.iter().rev() {
        schema = match add {
            Add::Category => schema.category("kind"),
            Add::Tags => schema.tags("flags"),
            Add::Tree => schema.tree("topic", topic.clone()),
            Add::Measure => schema.measure("cost"),
            Add::Clock => schema.clock("closed"),
            Add::Between => schema.measure_between("days", "created", "closed", Unit::Days),
            Add::Key => schema.key("caller"),
            Add::Text => schema.text("note"),
            Add::Outcome => schema.outcome("heard", ["a", "b"]).counter("heard", is("heard", "b")),
            Add::Location => schema.location(),
            Add::Unsolved => schema.counter("unsolved", !is("solved", "yes")),
            Add::Kinds => schema.counter("kinds", !missing("kind")),
            Add::Label | Add::TreeLevel | Add::House => schema,
        };
    }
    let labels = ["yes", "no", "later"].into_iter().take(2 + usize::from(has(Add::Label)));
    schema
        .category("channel")
        .outcome("solved", labels)
        .counter("solved", is("solved", "yes"))
        .counter("channel", !missing("channel"))
        .clock("received")
        .measure("calls")
        .build()
        .unwrap()
}

const DAY: i64 = 86_400;
const MARCH: i64 = 1_772_294_400;

/// An order with a value in every field; the schema says which it can have.
#[derive(Debug, Clone)]
struct Draw {
    id: u32,
    day: i64,
    place: Vec<&'static str>,
    picks: Vec<usize>,
}

fn draw() -> impl Strategy<Value = Draw> {
    let place = prop::sample::select(vec![
        vec![],
        vec!["a"],
        vec!["a", "x"],
        vec!["a", "x", "1"],
        vec!["b", "x", "2"],
    ]);
    (0..10u32, 0..3i64, place, prop::collection::vec(0..4usize, 12))
        .prop_map(|(id, day, place, picks)| Draw { id, day, place, picks })
}

/// The value that a draw has in each field that the schema has, none for missing.
fn values(draw: &Draw, have: &BTreeSet<Add>) -> Vec<(&'static str, Option<Value>)> {
    let has = |add: Add| have.contains(&add);
    let pick = |at: usize| draw.picks[at].checked_sub(1);
    let number = |at: usize| pick(at).map(|pick| i64::try_from(pick).unwrap());
    let text = |at: usize, texts: [&str; 3]| pick(at).map(|pick| texts[pick].to_owned());
    let labels = if has(Add::Label) { ["yes", "no", "later"] } else { ["yes", "no", "yes"] };
    let path: &[&str] = if has(Add::TreeLevel) { &["t", "u"] } else { &["t"] };
    let path = path.iter().map(|name| crate::Step::from(*name)).collect();
    let tags = pick(2).map(|pick| ["s", "t", "u"][..=pick].iter().map(|&tag| tag.to_owned()).collect());
    let clock = |at: usize| number(at).map(|days| Value::Clock((MARCH + days * DAY).into()));
    let mut values = vec![
        ("channel", text(0, ["web", "phone", "app"]).map(Value::Category)),
        ("solved", text(1, labels).map(Value::Outcome)),
        ("received", clock(10)),
        ("calls", number(11).map(Value::Measure)),
    ];
    let more = [
        (Add::Tags, "flags", tags.map(Value::Tags)),
        (Add::Category, "kind", text(3, ["k", "l", "m"]).map(Value::Category)),
        (Add::Tree, "topic", pick(4).map(|_| Value::Tree(path))),
        (Add::Measure, "cost", number(5).map(Value::Measure)),
        (Add::Clock, "closed", clock(6)),
        (Add::Key, "caller", pick(7).map(|pick| Value::Key(pick as u64))),
        (Add::Text, "note", text(8, ["n", "o", "p"]).map(Value::Text)),
        (Add::Outcome, "heard", text(9, ["a", "b", "b"]).map(Value::Outcome)),
    ];
    values.extend(more.into_iter().filter(|(add, ..)| has(*add)).map(|(_, name, value)| (name, value)));
    values
}

fn whole(draw: &Draw, have: &BTreeSet<Add>) -> Order {
    let levels = 2 + usize::from(have.contains(&Add::House));
    let mut order = Order::new(draw.id.to_string(), MARCH + draw.day * DAY)
        .place(draw.place.iter().copied().take(levels));
    for (name, value) in values(draw, have) {
        if let Some(value) = value {
            order = order.with(name, value);
        }
    }
    if have.contains(&Add::Location) { order.location_e7(7, 8) } else { order }
}

/// An order with another value in one field, none for missing.
fn changed(order: &Order, field: &str, value: Option<Value>) -> Order {
    let mut changed = Order::new(order.id(), order.created().clone()).place(order.place_path().to_vec());
    if let Some((longitude, latitude)) = order.point() {
        changed = changed.location_e7(longitude, latitude);
    }
    let kept = order.values().filter(|(name, _)| *name != field);
    let values = kept.map(|(name, value)| (name, value.clone())).chain(value.map(|value| (field, value)));
    values.fold(changed, |order, (name, value)| order.with(name, value))
}

#[derive(Debug, Clone)]
enum Event {
    Upsert(Vec<Draw>),
    /// One field of an order is set or cleared.
    Patch(Draw, usize),
    Remove(u32),
    Grow(Vec<Add>),
    Flush,
    Compact,
    Load(Vec<Draw>),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => prop::collection::vec(draw(), 1..4).prop_map(Event::Upsert),
        3 => (draw(), any::<usize>()).prop_map(|(draw, field)| Event::Patch(draw, field)),
        1 => (0..10u32).prop_map(Event::Remove),
        3 => prop::sample::subsequence(ALL.to_vec(), 1..4).prop_map(Event::Grow),
        2 => Just(Event::Flush),
        1 => Just(Event::Compact),
        1 => prop::collection::vec(draw(), 1..6).prop_map(Event::Load),
    ]
}

type Orders = BTreeMap<u32, Order>;

fn label<'a>(order: &'a Order, field: &str) -> Option<&'a str> {
    match order.value(field)? {
        Value::Outcome(text) | Value::Category(text) => Some(text),
        _ => None,
    }
}

fn measure(order: &Order, field: &str) -> i128 {
    match order.value(field) {
        Some(Value::Measure(value)) => (*value).into(),
        _ => 0,
    }
}

/// What is asked of each group, and what the list says to it.
type Asked = (Metric, Told);
type Told = fn(&[&Order]) -> i128;

fn asked(have: &BTreeSet<Add>) -> Vec<Asked> {
    fn many(orders: &[&Order], keep: impl Fn(&Order) -> bool) -> i128 {
        orders.iter().filter(|order| keep(order)).count() as i128
    }
    let mut asked: Vec<Asked> = vec![
        (count(), |orders| orders.len() as i128),
        (counter("solved"), |orders| many(orders, |order| label(order, "solved") == Some("yes"))),
        (counter("channel"), |orders| many(orders, |order| label(order, "channel").is_some())),
        (sum("calls"), |orders| orders.iter().map(|order| measure(order, "calls")).sum()),
    ];
    let more: [(Add, Metric, Told); 6] = [
        (Add::Outcome, counter("heard"), |orders| many(orders, |order| label(order, "heard") == Some("b"))),
        (Add::Unsolved, counter("unsolved"), |orders| {
            many(orders, |order| label(order, "solved") != Some("yes"))
        }),
        (Add::Kinds, counter("kinds"), |orders| many(orders, |order| label(order, "kind").is_some())),
        (Add::Measure, sum("cost"), |orders| orders.iter().map(|order| measure(order, "cost")).sum()),
        (Add::Between, sum("days"), |orders| {
            let days = |order: &&Order| match order.value("closed") {
                Some(Value::Clock(closed)) => i128::from(
                    (closed.seconds().unwrap() - order.created().seconds().unwrap()).div_euclid(DAY),
                ),
                _ => 0,
            };
            orders.iter().map(days).sum()
        }),
        (Add::Key, distinct("caller"), |orders| {
            let keys = orders.iter().filter_map(|order| match order.value("caller") {
                Some(Value::Key(key)) => Some(*key),
                _ => None,
            });
            keys.collect::<BTreeSet<_>>().len() as i128
        }),
    ];
    asked.extend(
        more.into_iter().filter(|(add, ..)| have.contains(add)).map(|(_, metric, told)| (metric, told)),
    );
    asked
}

fn groups<'a, K: Ord>(orders: &'a Orders, keys: impl Fn(&'a Order) -> Vec<K>) -> BTreeMap<K, Vec<&'a Order>> {
    let mut groups: BTreeMap<K, Vec<&Order>> = BTreeMap::new();
    for order in orders.values() {
        keys(order).into_iter().for_each(|key| groups.entry(key).or_default().push(order));
    }
    groups
}

fn path(steps: &[crate::Step]) -> String {
    steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join("/")
}

fn check(snapshot: &Snapshot, orders: &Orders, have: &BTreeSet<Add>, at: &str) -> Result<(), TestCaseError> {
    for id in 0..10 {
        let found = snapshot.get(&id.to_string()).unwrap();
        prop_assert_eq!(found.as_ref(), orders.get(&id), "{}", at);
    }
    let asked = asked(have);
    let told = |groups: BTreeMap<String, Vec<&Order>>| -> Vec<String> {
        let row = |(key, orders): (&String, &Vec<&Order>)| {
            let figures = asked.iter().map(|(_, told)| told(orders).to_string());
            std::iter::once(key.clone()).chain(figures).collect::<Vec<_>>().join(" ")
        };
        groups.iter().map(row).collect()
    };
    for access in [None, Some(Access::Views), Some(Access::Bitmaps), Some(Access::Scan)] {
        let run = |query: Query, key: fn(&crate::Row<'_>) -> String| -> Vec<String> {
            let query = access.map_or(query.clone(), |access| query.access(access));
            let query = asked.iter().fold(query, |query, (metric, _)| query.metric(metric));
            let answer = snapshot.run(&query).unwrap();
            let row = |row: crate::Row<'_>| {
                let figures = row.figures().map(|figure| figure.to_string());
                std::iter::once(key(&row)).chain(figures).collect::<Vec<_>>().join(" ")
            };
            let mut rows: Vec<String> = answer.rows().map(row).collect();
            rows.sort();
            rows
        };
        let deepest = if have.contains(&Add::House) { "house" } else { "street" };
        let place = |order| vec![path(Order::place_path(order))];
        let expected = told(groups(orders, place));
        let units = run(Query::zoom().level(deepest), |row| row.path().to_string());
        prop_assert_eq!(units, expected, "units by {:?} at {}", access, at);
        let group = |row: &crate::Row<'_>| {
            row.groups().map(|(_, group)| group.names().join("/")).collect::<Vec<_>>().join(",")
        };
        for (add, field) in [(Add::Category, "kind"), (Add::Outcome, "heard"), (Add::Tags, "flags")] {
            if !have.contains(&add) {
                continue;
            }
            let keys = |order: &Order| match order.value(field) {
                Some(Value::Tags(tags)) => tags.clone(),
                _ => vec![label(order, field).unwrap_or_default().to_owned()],
            };
            let expected = told(groups(orders, keys));
            prop_assert_eq!(
                run(Query::zoom().by(field), group),
                expected,
                "{} by {:?} at {}",
                field,
                access,
                at
            );
        }
        if have.contains(&Add::Tree) {
            let keys = |order: &Order| match order.value("topic") {
                Some(Value::Tree(steps)) => vec![path(steps)],
                _ => vec![String::new()],
            };
            let level = if have.contains(&Add::TreeLevel) { "item" } else { "theme" };
            let found = run(Query::zoom().by_level("topic", level), group);
            prop_assert_eq!(found, told(groups(orders, keys)), "topics by {:?} at {}", access, at);
        }
        let kept = |keep: &dyn Fn(&Order) -> bool| -> Vec<String> {
            let kept = orders.iter().filter(|(_, order)| keep(order));
            let kept: Orders = kept.map(|(id, order)| (*id, order.clone())).collect();
            told(groups(&kept, |_| vec![String::new()]))
        };
        for field in ["kind", "flags", "topic", "cost", "closed", "caller", "note", "heard"] {
            if snapshot.schema().field(field).is_some() {
                let expected = kept(&|order| order.value(field).is_none());
                let found = run(Query::zoom().filter(missing(field)), |_| String::new());
                prop_assert_eq!(found, expected, "without {} by {:?} at {}", field, access, at);
            }
        }
        if have.contains(&Add::Clock) {
            let closed = |order: &Order| matches!(order.value("closed"), Some(Value::Clock(time)) if time.seconds() < Some(MARCH + DAY));
            let span = Span::new(MARCH, MARCH + DAY).unwrap();
            let found = run(Query::zoom().during_on("closed", span), |_| String::new());
            prop_assert_eq!(found, kept(&closed), "closed by {:?} at {}", access, at);
        }
        if have.contains(&Add::Label) {
            let later = |order: &Order| label(order, "solved") == Some("later");
            let found = run(Query::zoom().filter(is("solved", "later")), |_| String::new());
            prop_assert_eq!(found, kept(&later), "later by {:?} at {}", access, at);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_store_whose_schema_grows_answers_as_if_its_orders_lacked_what_is_new(
        events in prop::collection::vec(event(), 1..15),
        power_cuts in any::<u64>(),
    ) {
        let mut disk = Memory::default();
        let mut have = BTreeSet::new();
        let mut store = Store::create_on(Arc::new(disk.clone()), grown(&have)).unwrap();
        let mut model: Vec<Orders> = vec![Orders::new()];
        for (number, event) in events.iter().enumerate() {
            let mut after = model.last().unwrap().clone();
            let mut commit = store.begin();
            match event {
                Event::Upsert(draws) => {
                    for draw in draws {
                        let order = whole(draw, &have);
                        commit.upsert(order.clone());
                        after.insert(draw.id, order);
                    }
                    commit.finish().unwrap();
                    model.push(after);
                }
                Event::Patch(draw, field) => {
                    let fields = values(draw, &have);
                    let (name, value) = fields[field % fields.len()].clone();
                    let patch = match &value {
                        Some(value) => Patch::new().with(name, value.clone()),
                        None => Patch::new().clear(name),
                    };
                    commit.patch(draw.id.to_string(), patch);
                    prop_assert_eq!(commit.finish().is_ok(), after.contains_key(&draw.id));
                    if let Some(order) = after.remove(&draw.id) {
                        after.insert(draw.id, changed(&order, name, value));
                        model.push(after);
                    }
                }
                Event::Remove(id) => {
                    commit.remove(id.to_string());
                    prop_assert_eq!(commit.finish().is_ok(), after.remove(id).is_some());
                    if model.last().unwrap().len() > after.len() {
                        model.push(after);
                    }
                }
                Event::Grow(more) => {
                    let wanted = with(&have, more);
                    drop((commit, store));
                    disk = disk.crash(power_cuts.wrapping_add(number as u64));
                    store = Store::open_with_on(Arc::new(disk.clone()), &grown(&wanted)).unwrap();
                    if wanted != have {
                        model.push(after);
                    }
                    have = wanted;
                    if number % 2 == 1 {
                        drop(store);
                        disk = disk.crash(power_cuts.wrapping_sub(number as u64));
                        store = Store::open_on(Arc::new(disk.clone())).unwrap();
                    }
                }
                Event::Flush => store.flush().unwrap(),
                Event::Compact => store.compact().unwrap(),
                Event::Load(draws) => {
                    drop(commit);
                    let mut load = store.load().unwrap().buffer(2);
                    for draw in draws {
                        let order = whole(draw, &have);
                        load.push(order.clone()).unwrap();
                        after.insert(draw.id, order);
                    }
                    load.finish().unwrap();
                    model.push(after);
                }
            }
            prop_assert_eq!(store.snapshot().commit(), model.len() as u64 - 1);
            check(&store.snapshot(), model.last().unwrap(), &have, &format!("event {number}"))?;
        }
        store.verify(|_| {}).unwrap();
        for (commit, orders) in model.iter().enumerate() {
            let then = store.snapshot_at(commit as u64).unwrap();
            check(&then, orders, &have, &format!("commit {commit}"))?;
        }
    }
}

#[test]
fn a_schema_grows_whole_or_not_at_all_wherever_the_disk_fails_or_the_power_is_cut() {
    let old = BTreeSet::new();
    let new = with(&old, &ALL);
    let draw = Draw { id: 7, day: 1, place: vec!["a", "x", "1"], picks: vec![1; 12] };
    for operations in 1.. {
        let disk = Memory::default();
        let store = Store::create_on(Arc::new(disk.clone()), grown(&old)).unwrap();
        for day in 0..3 {
            let mut commit = store.begin();
            commit.upsert(whole(&Draw { day, ..draw.clone() }, &old));
            commit.finish().unwrap();
        }
        drop(store);
        disk.fail_after(operations);
        let opened = Store::open_with_on(Arc::new(disk.clone()), &grown(&new)).map(drop);
        disk.fail_after(u64::MAX);
        for seed in 0..6 {
            let after = disk.crash(seed);
            let store = Store::open_on(Arc::new(after.clone())).unwrap();
            let grew = store.snapshot().commit() == 4;
            assert!(grew || (opened.is_err() && store.snapshot().commit() == 3));
            assert_eq!(store.schema().field("kind").is_some(), grew);
            store.verify(|_| {}).unwrap();
            drop(store);
            let store = Store::open_with_on(Arc::new(after), &grown(&new)).unwrap();
            assert_eq!(store.snapshot().commit(), 4);
            let orders = Orders::from([(7, whole(&Draw { day: 2, ..draw.clone() }, &old))]);
            check(&store.snapshot(), &orders, &new, "after the power cut").unwrap();
        }
        if opened.is_ok() {
            break;
        }
        assert!(operations < 1_000, "it never grows");
    }
}
