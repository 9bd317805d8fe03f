//! What views and the ledger answer is what the rows say, before and after orders change.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Access, Explanation, Figure, Filter, Grain, Metric, Order, Patch, Query, Row, Schema, Snapshot, Span,
    Store, Unit, counter, distinct, is, mean, rate, sum, under,
};

const MARCH: i64 = 1_772_294_400;
const DAY: i64 = 86_400;

fn schema() -> Schema {
    Schema::builder("Asia/Shanghai")
        .place(["city", "district", "street"])
        .tree("topic", ["theme", "item"])
        .outcome("solved", ["yes", "no"])
        .counter("solved", is("solved", "yes"))
        .counter("judged", is("solved", "yes").or(is("solved", "no")))
        .clock("closed")
        .measure("cost")
        .measure_between("hours", "created", "closed", Unit::Hours)
        .key("caller")
        .build()
        .unwrap()
}

fn caller(id: i64) -> u64 {
    (id * id % 97) as u64
}

/// An order of the first half of 2026, some on every kind of unit and topic.
fn order(id: i64) -> Order {
    let created = MARCH - 59 * DAY + id * 7_919_777 % (150 * DAY);
    let place = ["B", ["C", "H", "W"][id as usize % 3], ["x", "y"][id as usize / 3 % 2]];
    let topic = [["heat", "noise"][id as usize % 2], ["a", "b", "c"][id as usize / 2 % 3]];
    let mut order = Order::new(id.to_string(), created)
        .key("caller", caller(id))
        .place(place.into_iter().take((id as usize + 3) % 11))
        .tree("topic", topic.into_iter().take((id as usize + 2) % 7));
    if id % 4 != 0 {
        order =
            order.outcome("solved", ["yes", "no"][id as usize % 5 / 3]).clock("closed", created + id * 999);
    }
    if id % 3 != 0 {
        order = order.measure("cost", id - 150);
    }
    order
}

fn store() -> Store {
    let store = Store::in_memory(schema()).unwrap();
    let mut load = store.load().unwrap();
    (0..600).for_each(|id| load.push(order(id)).unwrap());
    load.finish().unwrap();
    store
}

fn told(snapshot: &Snapshot, query: &Query) -> Vec<String> {
    let row = |row: Row<'_>| {
        format!(
            "{} {:?} {:?} {} {:?}",
            row.path(),
            row.kind(),
            row.time(),
            row.count(),
            row.figures().collect::<Vec<_>>()
        )
    };
    snapshot.run(query).unwrap().rows().map(row).collect()
}

/// Questions that views answer, and whether they do.
fn questions() -> Vec<(Query, bool)> {
    let metrics = |query: Query| {
        let metrics: [Metric; 3] = [counter("judged"), rate("solved", "judged"), rate("judged", "count")];
        metrics.into_iter().fold(query, Query::metric)
    };
    let sums = |query: Query| query.metric(sum("cost")).metric(mean("hours")).metric(mean("cost"));
    let units = [
        Query::zoom(),
        Query::zoom().level("city"),
        Query::zoom().level("street"),
        Query::zoom().within(["B", "H"]),
        Query::zoom().within(["B", "H", "x"]).within(["B", "C"]).level("street"),
        Query::penetrate(["B"], 1),
        Query::penetrate(["B"], 2).between(),
        Query::penetrate(["B"], 2).top(2),
        Query::penetrate(["B"], 2).all_units(),
    ];
    let days = |first: i64, days: i64, beyond: i64| {
        Span::new(MARCH + first * DAY, MARCH + (first + days) * DAY + beyond).unwrap()
    };
    let mut questions = Vec::new();
    for query in units {
        questions.push((metrics(query.clone()), true));
        questions.push((sums(metrics(query.clone())), true));
        questions.push((metrics(query.clone().grain(Grain::Month)), true));
        questions.push((sums(query.clone().grain(Grain::Quarter)), true));
        questions.push((metrics(query.clone().grain(Grain::Day)), true));
        questions.push((metrics(query.clone().grain(Grain::Week).during(days(-5, 40, 0))), true));
        questions.push((metrics(query.clone().during(days(-12, 30, 0))), true));
        questions.push((metrics(query.clone().during(days(-12, 30, 3_601))), false));
        questions.push((sums(query.clone().during(days(-12, 30, 0))), false));
        let closed = |beyond: i64| query.clone().grain(Grain::Day).during_on("closed", days(-5, 40, beyond));
        questions.push((metrics(closed(0)), true));
        questions.push((metrics(closed(3_601)), false));
        // Orders that are not closed have a row without time, and are in no day.
        questions.push((metrics(query.clone().grain(Grain::Month).during_on("closed", Span::ALL)), false));
        questions.push((metrics(query.grain(Grain::Hour).during(days(3, 20, 0))), false));
    }
    let filters = [(under("topic", ["heat"]), true), (under("topic", ["noise", "b"]), true)];
    let others = [
        (Filter::All, true),
        (is("solved", "yes"), false),
        (under("topic", ["heat"]).or(under("topic", ["noise"])), false),
    ];
    for (filter, covered) in filters.into_iter().chain(others) {
        let is_any = filter == Filter::All;
        let query = Query::zoom().filter(filter);
        questions.push((metrics(query.clone().grain(Grain::Day)), covered));
        questions.push((metrics(query.clone()), covered));
        questions.push((query.during_on("closed", days(0, 30, 0)), is_any));
    }
    questions
}

fn check(snapshot: &Snapshot, at: &str, covers: bool) {
    for (query, covered) in questions() {
        let expected = told(snapshot, &query.clone().access(Access::Scan));
        assert!(!expected.is_empty());
        for access in [None, Some(Access::Views), Some(Access::Bitmaps)] {
            let asked = access.map_or(query.clone(), |access| query.clone().access(access));
            assert_eq!(told(snapshot, &asked), expected, "{at}: {asked:?}");
        }
        if covers {
            let Explanation { segments, .. } = snapshot.explain(&query).unwrap();
            let views = segments.iter().filter(|segment| segment.access == Some(Access::Views)).count();
            let asked = segments.iter().filter(|segment| segment.access.is_some()).count();
            assert_eq!(views == asked, covered, "{at}: {query:?} by {segments:?}");
        }
    }
}

#[test]
fn explain_says_what_the_ledger_answers() {
    let store = store();
    let ledger = |query: &Query| {
        let Explanation { segments } = store.snapshot().explain(query).unwrap();
        assert!(segments.len() > 2);
        (segments.iter().filter(|segment| segment.ledger).count(), segments.len())
    };
    let mut commit = store.begin();
    commit.upsert(order(1_000));
    commit.finish().unwrap();
    for query in [Query::zoom(), Query::zoom().level("street").metric(counter("judged"))] {
        let (summed, all) = ledger(&query);
        assert_eq!(summed, all);
        // A month that has not changed is a view; the other one has its file and the batch.
        assert_eq!(ledger(&query.grain(Grain::Month)).0, 2);
    }
    for other in [
        Query::zoom().filter(is("solved", "yes")),
        Query::zoom().access(Access::Scan),
        Query::zoom().by("solved"),
    ] {
        assert_eq!(ledger(&other).0, 0);
    }
    let told = store.snapshot().explain(&Query::zoom()).unwrap().to_string();
    assert!(told.contains("segments from the ledger"), "{told}");
}

#[test]
fn views_say_what_rows_say_before_and_after_orders_change() {
    let store = store();
    let first = store.snapshot();
    check(&first, "sealed", true);
    let mut commit = store.begin();
    for id in (0..600).step_by(7) {
        commit.patch(id.to_string(), Patch::new().outcome("solved", "no").measure("cost", 1_000));
    }
    (601..604).for_each(|id| commit.upsert(order(id)));
    commit.remove("5");
    commit.finish().unwrap();
    check(&store.snapshot(), "in batches", false);
    let mut commit = store.begin();
    commit.remove("14");
    commit.upsert(order(8).tree("topic", ["heat"]).place(["B"]));
    commit.finish().unwrap();
    check(&store.snapshot(), "with few dead more", false);
    store.flush().unwrap();
    check(&store.snapshot(), "flushed", false);
    store.verify(|_| {}).unwrap();
    check(&store.snapshot_at(2).unwrap(), "as of the second commit", false);
    check(&first, "the first snapshot", true);
    check(&store.snapshot_at(1).unwrap(), "as of the first commit", false);
}

/// A closing time that is off by a century makes no view of every day until then.
/// The few orders of a topic are listed. Of the versions that have ended, few are looked for in the list; of more there is a mask.
#[test]
fn listed_orders_are_those_that_have_not_ended() {
    let store = Store::in_memory(schema()).unwrap();
    let (is_rare, district) = (|id: i64| id % 25 == 0, |id: i64| ["C", "H"][id as usize / 25 % 2]);
    let mut load = store.load().unwrap();
    for id in 0..500 {
        let topic = [if is_rare(id) { "heat" } else { "noise" }, "a"];
        let order = Order::new(id.to_string(), MARCH + id).place(["B", district(id)]).tree("topic", topic);
        load.push(order).unwrap();
    }
    load.finish().unwrap();
    let query = Query::zoom().level("district").filter(under("topic", ["heat"]));
    let mut left: BTreeSet<i64> = (0..500).collect();
    for id in [1, 0, 225, 2, 250, 475, 3] {
        let mut commit = store.begin();
        commit.remove(id.to_string());
        commit.finish().unwrap();
        left.remove(&id);
        let mut naive: BTreeMap<String, u64> = BTreeMap::new();
        let rare = left.iter().filter(|id| is_rare(**id));
        rare.for_each(|id| *naive.entry(format!("B/{}", district(*id))).or_default() += 1);
        let answer = store.snapshot().run(&query).unwrap();
        let found: BTreeMap<String, u64> =
            answer.rows().map(|row| (row.path().to_string(), row.count())).collect();
        assert_eq!(found, naive, "without {id}");
    }
}

#[test]
fn a_clock_that_runs_far_ahead_is_read_from_rows() {
    let store = store();
    let mut commit = store.begin();
    for id in 600..620 {
        commit.upsert(order(id).clock("closed", MARCH + if id == 600 { 60_000 * DAY } else { DAY }));
    }
    commit.finish().unwrap();
    let march = Span::new(MARCH, MARCH + 31 * DAY).unwrap();
    let query = Query::zoom().level("street").grain(Grain::Day).during_on("closed", march);
    for at in ["in a batch", "flushed"] {
        let now = store.snapshot();
        let expected = told(&now, &query.clone().access(Access::Scan));
        for _ in 0..3 {
            assert_eq!(told(&now, &query), expected, "{at}");
        }
        let Explanation { segments, .. } = now.explain(&query).unwrap();
        let far = |segment: &&crate::SegmentExplanation| segment.access.is_some() && segment.view.is_none();
        assert!(segments.iter().any(|segment| far(&segment)), "{at}: {segments:?}");
        store.flush().unwrap();
    }
}

/// Every caller of every unit, whether the sets of one unit after the other grow or those of all.
#[test]
fn distinct_callers_of_units_are_those_of_their_orders() {
    let now = store().snapshot();
    for (level, depth) in [("city", 1), ("district", 2), ("street", 3)] {
        let mut expected: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for id in 0..600 {
            let names = ["B", ["C", "H", "W"][id as usize % 3], ["x", "y"][id as usize / 3 % 2]];
            let path: Vec<&str> = names.into_iter().take((id as usize + 3) % 11).take(depth).collect();
            expected.entry(path.join("/")).or_default().insert(caller(id));
        }
        let answer = now.run(&Query::zoom().level(level).metric(distinct("caller"))).unwrap();
        let told: BTreeMap<String, Figure> =
            answer.rows().map(|row| (row.path().to_string(), row.get(&distinct("caller")))).collect();
        let expected =
            expected.into_iter().map(|(path, callers)| (path, Figure::Count(callers.len() as u64)));
        assert_eq!(told, expected.collect());
    }
}

/// Place, values and month.
type Group<'a> = (Vec<&'a str>, Vec<Vec<&'a str>>, Option<i64>);

/// Every group of units by a level of topics, an outcome and months has its orders: few groups, which have a place each,
/// and many, whose keys are listed.
#[test]
fn groups_are_those_of_their_orders() {
    let now = store().snapshot();
    let month = |time| now.calendar().start(&Grain::Month, time);
    for (depth, level, item, solved, monthly) in [
        (1, "city", false, false, false),
        (3, "street", false, false, false),
        (3, "street", true, false, false),
        (3, "street", true, true, false),
        (2, "district", true, true, true),
        (3, "street", false, true, true),
    ] {
        let mut query = Query::zoom().level(level).by_level("topic", if item { "item" } else { "theme" });
        if solved {
            query = query.by("solved");
        }
        if monthly {
            query = query.grain(Grain::Month);
        }
        let mut naive: BTreeMap<Group<'_>, u64> = BTreeMap::new();
        for id in 0..600 {
            let place = ["B", ["C", "H", "W"][id as usize % 3], ["x", "y"][id as usize / 3 % 2]];
            let topic = [["heat", "noise"][id as usize % 2], ["a", "b", "c"][id as usize / 2 % 3]];
            let place = place.into_iter().take((id as usize + 3) % 11).take(depth).collect();
            let mut groups: Vec<Vec<&str>> =
                vec![topic.into_iter().take((id as usize + 2) % 7).take(if item { 2 } else { 1 }).collect()];
            if solved {
                let label = (id % 4 != 0).then(|| ["yes", "no"][id as usize % 5 / 3]);
                groups.push(label.into_iter().collect());
            }
            let created = MARCH - 59 * DAY + id * 7_919_777 % (150 * DAY);
            *naive.entry((place, groups, monthly.then(|| month(created)))).or_default() += 1;
        }
        let many = naive.values().filter(|orders| **orders > 3).count();
        assert!(many > 0 && naive.len() > 2);
        let answer = now.run(&query).unwrap();
        let told = answer.rows().filter(|row| row.count() > 0).map(|row| {
            let groups = row.groups().map(|(_, group)| group.names()).collect();
            ((row.path().names(), groups, row.time()), row.count())
        });
        let told: BTreeMap<_, u64> = told.collect();
        assert_eq!(told, naive);
        // A group that has the orders asked for is never left out, and tells itself from the others.
        if !monthly {
            let most = now.run_at_least(&query, 4).unwrap();
            assert_eq!(most.rows().filter(|row| row.count() > 3).count(), many);
            let keys: Vec<_> = answer.rows().filter_map(|row| row.group_key()).collect();
            let of_keys = answer.rows().filter(|row| row.group_key().is_some()).map(|row| row.count());
            let counts =
                now.counts_in(&query, &[Span::ALL, Span::until(MARCH - 60 * DAY).unwrap()], &keys).unwrap();
            assert_eq!(counts, [of_keys.collect(), vec![0; keys.len()]]);
        }
    }
}

/// Codes of a byte each, and wider ones, kept by a condition and counted by street.
#[test]
fn a_dimension_of_many_values_is_counted_as_its_rows_say() {
    let schema = Schema::builder("UTC")
        .place(["street"])
        .category("office")
        .category("source")
        .category("channel")
        .build()
        .unwrap();
    let store = Store::in_memory(schema).unwrap();
    let mut load = store.load().unwrap();
    let mut naive: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for id in 0..2_000_u64 {
        let (street, office, source) =
            (format!("s{}", id % 3), format!("o{}", id * id / 7 % 300), format!("q{}", id * id / 7 % 60));
        let channel = if id % 4 == 0 { "web" } else { "phone" };
        let order = Order::new(id.to_string(), MARCH + id as i64)
            .place([street.clone()])
            .category("office", office.clone())
            .category("source", source.clone())
            .category("channel", channel);
        load.push(order).unwrap();
        if channel == "phone" {
            for (field, value) in [("office", office), ("source", source)] {
                *naive.entry((field.to_owned(), street.clone(), value)).or_default() += 1;
            }
        }
    }
    load.finish().unwrap();
    let now = store.snapshot();
    let mut counted = BTreeMap::new();
    for field in ["office", "source"] {
        let query = Query::zoom().level("street").by(field).filter(is("channel", "phone"));
        for row in now.run(&query).unwrap().rows().filter(|row| row.count() > 0) {
            let value = row.group(field).unwrap().value().unwrap().to_owned();
            counted.insert((field.to_owned(), row.path().to_string(), value), row.count());
        }
    }
    assert_eq!(counted, naive);
}

/// Districts of one city and streets of another: what is counted at once has all orders of a unit, of whichever level.
#[test]
fn groups_of_units_of_two_levels_are_those_of_their_orders() {
    let schema =
        Schema::builder("UTC").place(["city", "district", "street"]).category("office").build().unwrap();
    let store = Store::in_memory(schema).unwrap();
    let mut naive: BTreeMap<(Vec<String>, String), u64> = BTreeMap::new();
    let mut order = |id: i64| {
        let place = [format!("c{}", id % 2), format!("d{}", id / 2 % 5), format!("s{}", id / 10 % 7)];
        let office = format!("o{}", id * 7_919 / 11 % 40);
        // Of the second city, only one district is asked for.
        let asked = if id % 2 == 0 { 2 } else { 3 };
        if id % 2 == 0 || place[1] == "d3" {
            *naive.entry((place[..asked].to_vec(), office.clone())).or_default() += 1;
        }
        Order::new(id.to_string(), MARCH + id * 500).place(place).category("office", office)
    };
    let mut load = store.load().unwrap();
    (0..4_000).for_each(|id| load.push(order(id)).unwrap());
    load.finish().unwrap();
    let mut commit = store.begin();
    (4_000..4_300).for_each(|id| commit.upsert(order(id)));
    commit.finish().unwrap();
    let now = store.snapshot();
    let query = Query::penetrate(now.unit(["c0"]).unwrap(), 1).within(now.unit(["c1", "d3"]).unwrap());
    for least in [1, 3, 12] {
        let answer = now.run_at_least(&query.clone().by("office"), least).unwrap();
        let told = answer.rows().filter(|row| row.count() >= least).map(|row| {
            let place = row.path().names().into_iter().map(str::to_owned).collect();
            ((place, row.group("office").unwrap().value().unwrap().to_owned()), row.count())
        });
        let often = naive.iter().filter(|(_, orders)| **orders >= least);
        let often: BTreeMap<_, u64> = often.map(|(group, orders)| (group.clone(), *orders)).collect();
        assert!(!often.is_empty() && (least == 1 || often.len() < naive.len()), "{}", often.len());
        assert_eq!(told.collect::<BTreeMap<_, _>>(), often);
    }
}

/// Streets by day are too many to have a place each, and those of one day's batch are the same ones as those of the month.
#[test]
fn groups_of_a_day_are_counted_once() {
    // Midnight of 1 March 2026.
    let midnight = 1_772_323_200;
    let schema = Schema::builder("UTC").place(["street"]).category("channel").build().unwrap();
    let store = Store::in_memory(schema).unwrap();
    let mut naive: BTreeMap<(String, i64), u64> = BTreeMap::new();
    let mut order = |id: i64, day: i64| {
        let street = format!("s{}", id % 40);
        let created = midnight + day * DAY + id % 80_000;
        let channel = if id % 3 == 0 { "web" } else { "phone" };
        if channel == "phone" {
            *naive.entry((street.clone(), midnight + day * DAY)).or_default() += 1;
        }
        Order::new(id.to_string(), created).place([street]).category("channel", channel)
    };
    let mut load = store.load().unwrap();
    (0..3_000).for_each(|id| load.push(order(id, id / 40 % 20)).unwrap());
    load.finish().unwrap();
    let mut commit = store.begin();
    (3_000..3_300).for_each(|id| commit.upsert(order(id, 4)));
    commit.finish().unwrap();
    let now = store.snapshot();
    let query = Query::zoom().level("street").grain(Grain::Day).filter(is("channel", "phone"));
    let answer = now.run(&query).unwrap();
    let filled = answer.rows().filter(|row| row.count() > 0);
    let told: Vec<_> =
        filled.map(|row| ((row.path().names().concat(), row.time().unwrap()), row.count())).collect();
    assert_eq!(told.len(), naive.len(), "each group once");
    assert_eq!(told.into_iter().collect::<BTreeMap<_, _>>(), naive);
}

/// Units of the deepest level, and those above, by levels of the tree that orders stand in within a unit: in one month and in several,
/// before and after orders change, with a filter that keeps few. Orders are on every kind of unit and topic.
#[test]
fn groups_of_the_lowest_units_are_those_of_their_orders() {
    let schema = Schema::builder("UTC")
        .place(["street", "building"])
        .tree("topic", ["theme", "topic", "item"])
        .category("channel");
    let store = Store::in_memory(schema.build().unwrap()).unwrap();
    let path = |names: [String; 3], most: i64| names.into_iter().take(most as usize).collect::<Vec<_>>();
    let place = |id: i64| {
        let names = [format!("s{}", id % 12), format!("b{}", id * id / 12 % 9), String::new()];
        path(names, if id % 13 == 0 { id / 13 % 2 } else { 2 })
    };
    let topic = |id: i64, round: i64| {
        let names =
            [format!("h{}", (id + round) % 2), format!("t{}", id / 3 % 2), format!("i{}", id / 2 % 2)];
        path(names, if id % 7 == 0 { id / 7 % 3 } else { 3 })
    };
    let created = |id: i64| MARCH + id * 7_919 % (50 * DAY);
    let order = |id: i64, round: i64| {
        let order = Order::new(id.to_string(), created(id)).place(place(id)).tree("topic", topic(id, round));
        order.category("channel", if id % 37 == 0 { "letter" } else { "phone" })
    };
    let mut load = store.load().unwrap();
    (0..4_000).for_each(|id| load.push(order(id, 0)).unwrap());
    load.finish().unwrap();
    let changed = |id: &i64| id % 9 == 0 && *id < 1_800;
    let removed = |id: &i64| id % 31 == 4;
    let check = |rounds: i64| {
        let now = store.snapshot();
        let spans = [
            Span::ALL,
            Span::new(MARCH, MARCH + 9 * DAY).unwrap(),
            Span::new(MARCH + 25 * DAY, MARCH + 40 * DAY).unwrap(),
        ];
        for (span, depth, level, few, within) in [
            (0, 2, 2, false, false),
            (1, 2, 2, false, false),
            (1, 2, 1, false, true),
            (1, 2, 0, false, false),
            (1, 1, 2, false, false),
            (2, 2, 1, false, false),
            (0, 2, 2, true, true),
        ] {
            let mut query = Query::zoom().level(["street", "building"][depth - 1]).during(spans[span]);
            query = query.by_level("topic", ["theme", "topic", "item"][level]);
            if few {
                query = query.filter(is("channel", "letter"));
            }
            for unit in ["s1", "s3"].into_iter().filter(|_| within) {
                query = query.within(now.unit([unit]).unwrap());
            }
            let mut naive: BTreeMap<(Vec<String>, Vec<String>), u64> = BTreeMap::new();
            for id in (0..4_000).filter(|id| rounds == 0 || !removed(id)) {
                let asked = (!few || id % 37 == 0)
                    && (spans[span].start()..spans[span].end()).contains(&created(id))
                    && (!within
                        || place(id).first().is_some_and(|street| ["s1", "s3"].contains(&street.as_str())));
                let topic = topic(id, if changed(&id) { rounds } else { 0 }).into_iter().take(level + 1);
                if asked {
                    let place = place(id).into_iter().take(depth).collect();
                    *naive.entry((place, topic.collect())).or_default() += 1;
                }
            }
            for least in [1, 2, 5] {
                let answer = now.run_at_least(&query, least).unwrap();
                let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
                let told: Vec<_> = answer
                    .rows()
                    .filter(|row| row.count() >= least)
                    .map(|row| {
                        ((owned(row.path().names()), owned(row.group("topic").unwrap().names())), row.count())
                    })
                    .collect();
                let often = naive.iter().filter(|(_, orders)| **orders >= least);
                let often: BTreeMap<_, u64> = often.map(|(group, orders)| (group.clone(), *orders)).collect();
                assert!(least == 5 || !often.is_empty());
                assert_eq!(told.len(), often.len(), "each group once");
                assert_eq!(told.into_iter().collect::<BTreeMap<_, _>>(), often);
            }
        }
        store.verify(|_| {}).unwrap();
    };
    check(0);
    let mut commit = store.begin();
    (0..4_000).filter(|id| changed(id) && !removed(id)).for_each(|id| commit.upsert(order(id, 1)));
    (0..4_000).filter(removed).for_each(|id| commit.remove(id.to_string()));
    commit.finish().unwrap();
    check(1);
}
