//! Small cities whose figures are known by heart.

mod areas;
mod time;

use super::*;
use crate::{Order, Patch, Query, Schema, Snapshot, Store, is, mean, rate};

fn schema() -> Schema {
    Schema::builder("Asia/Shanghai")
        .place(["city", "district", "street"])
        .outcome("callback", ["effective"])
        .outcome("contacted", ["yes"])
        .outcome("solved", ["yes", "no"])
        .outcome("satisfaction", ["satisfied", "basic", "no"])
        .outcome("parked", ["yes"])
        .outcome("removed", ["yes"])
        .measure("days")
        .counter("effective", is("callback", "effective"))
        .counter("contacted", is("callback", "effective").and(is("contacted", "yes")))
        .counter("solved", is("callback", "effective").and(is("solved", "yes")))
        .counter("satisfied", is("callback", "effective").and(is("satisfaction", "satisfied")))
        .counter("basic", is("callback", "effective").and(is("satisfaction", "basic")))
        .build()
        .unwrap()
}

fn three_rates() -> Policy {
    Policy::new("three rates", "effective")
        .term("response", "0.10", [("contacted", "1")])
        .term("satisfaction", "0.40", [("satisfied", "1"), ("basic", "0.9")])
        .term("solution", "0.50", [("solved", "1")])
}

/// Orders of one street: how many, judged, contacted, solved, satisfied, basically satisfied.
fn street(name: &str, [n, v, c, s, m, b]: [usize; 6]) -> Vec<Order> {
    let order = |at: usize| {
        let mut order = Order::new(format!("{name}-{at}"), "2025-05-01T09:00").place(["城", name]);
        if at < v {
            order = order.outcome("callback", "effective");
        }
        for (below, outcome, label) in [(c, "contacted", "yes"), (s, "solved", "yes")] {
            if at < below {
                order = order.outcome(outcome, label);
            }
        }
        match at {
            _ if at < m => order.outcome("satisfaction", "satisfied"),
            _ if at < m + b => order.outcome("satisfaction", "basic"),
            _ => order,
        }
    };
    (0..n).map(order).collect()
}

fn store(orders: impl IntoIterator<Item = Order>) -> Store {
    let store = Store::in_memory(schema()).unwrap();
    let mut commit = store.begin();
    for order in orders {
        commit.upsert(order);
    }
    commit.finish().unwrap();
    store
}

fn ranks(ranking: &Ranking) -> Vec<(String, Option<u64>)> {
    ranking.rows().map(|row| (row.path().names()[1].to_owned(), row.rank())).collect()
}

fn named(expected: &[(&str, u64)]) -> Vec<(String, Option<u64>)> {
    expected.iter().map(|(name, rank)| ((*name).to_owned(), (*rank > 0).then_some(*rank))).collect()
}

fn by_street(snapshot: &Snapshot, policy: &Policy) -> Ranking {
    policy.rank(snapshot, &Query::zoom().level("district")).unwrap()
}

#[test]
fn the_rates_of_the_handbook() {
    let store = store(street("甲", [260, 200, 198, 180, 150, 30]));
    let ranking = by_street(&store.snapshot(), &three_rates());
    let row = ranking.rows().next().unwrap();
    let percent = |term| format!("{:.1}", row.rate(term).unwrap() * 100.into());
    assert_eq!([percent("response"), percent("satisfaction"), percent("solution")], ["99.0", "88.5", "90.0"]);
    assert_eq!(format!("{:.1}", row.score().unwrap()), "90.3");
    assert_eq!(*row.score().unwrap(), "90.3".parse().unwrap());
    assert_eq!((row.judged(), row.volume()), (200, 260));
    assert_eq!(row.coverage().to_string(), "76.9 %");
}

#[test]
fn a_small_unit_weighs_as_much_in_the_mean_and_little_in_the_pool() {
    let store =
        store([street("甲", [10, 10, 0, 10, 0, 0]), street("乙", [1000, 1000, 0, 500, 0, 0])].concat());
    let ranking =
        by_street(&store.snapshot(), &Policy::new("p", "effective").term("solution", "1", [("solved", "1")]));
    let percent = |row: Ranked<'_>| format!("{:.2}", row.rate("solution").unwrap() * 100.into());
    assert_eq!(
        (percent(ranking.pooled()), percent(ranking.mean())),
        ("50.50".to_owned(), "75.00".to_owned())
    );
    assert_eq!(format!("{:.2}", ranking.mean().score().unwrap()), "75.00");
    assert!(ranking.mean().interval("solution").is_none());
    assert!(ranking.pooled().interval("solution").is_some());
}

#[test]
fn ties_share_a_rank_and_the_next_skips() {
    let solved = |name, v, s| street(name, [v, v, 0, s, 0, 0]);
    let orders = [
        solved("甲", 4, 2),
        solved("乙", 8, 4), // as good, and more
        solved("丙", 4, 2),
        solved("丁", 10, 1),
        solved("戊", 10, 10),
        street("己", [7, 0, 0, 0, 0, 0]), // nobody called back
        solved("庚", 3, 3),               // too few
    ];
    let store = store(orders.concat());
    let policy = Policy::new("p", "effective").term("solution", "1", [("solved", "1")]).minimum(4);
    let ranking = by_street(&store.snapshot(), &policy);
    let expected = [("戊", 1), ("乙", 2), ("甲", 3), ("丙", 3), ("丁", 5), ("己", 0), ("庚", 0)];
    assert_eq!(ranks(&ranking), named(&expected));
    let names =
        |rows: Vec<Ranked<'_>>| rows.iter().map(|row| row.path().names()[1].to_owned()).collect::<Vec<_>>();
    assert_eq!(names(ranking.first(3).collect()), ["戊", "乙", "甲", "丙"]);
    assert_eq!(names(ranking.last(2).collect()), ["甲", "丙", "丁"]);
    assert_eq!(names(ranking.last(1).collect()), ["丁"]);
    assert!(ranking.rows().nth(5).unwrap().score().is_none());
    let percentile = |at| ranking.rows().nth(at).unwrap().percentile();
    let ratio = |numerator| crate::Figure::Ratio { numerator, denominator: 4 };
    assert_eq!([percentile(0), percentile(2), percentile(4)], [ratio(4), ratio(1), ratio(0)]);
    assert_eq!(percentile(5), crate::Figure::Missing);
}

#[test]
fn peers_are_ranked_among_themselves() {
    let solved = |name, s| street(name, [10, 10, 0, s, 0, 0]);
    let store = store([solved("甲", 1), solved("乙", 9), solved("丙", 5), solved("丁", 7)].concat());
    let policy = Policy::by(rate("solved", "effective")).peers("centre", [["城", "甲"], ["城", "丙"]]);
    let ranking = by_street(&store.snapshot(), &policy);
    assert_eq!(ranks(&ranking), named(&[("丙", 1), ("甲", 2), ("乙", 1), ("丁", 2)]));
    assert_eq!(
        ranking.rows().map(|row| row.peers()).collect::<Vec<_>>(),
        [Some("centre"), Some("centre"), None, None]
    );
    assert_eq!(*ranking.rows().next().unwrap().score().unwrap(), 50.into());
}

#[test]
fn areas_are_ranked_beside_units_and_apart_in_their_place() {
    let solved = |name, v, s| street(name, [v, v, 0, s, 0, 0]);
    let store =
        store([solved("甲", 10, 1), solved("乙", 10, 9), solved("丙", 10, 5), solved("丁", 10, 7)].concat());
    let now = store.snapshot();
    let ranked = |policy: &Policy| {
        let ranking = by_street(&now, policy);
        let name =
            |row: Ranked<'_>| row.area().map_or_else(|| row.path().names()[1].to_owned(), str::to_owned);
        let rows =
            ranking.rows().map(|row| (name(row), row.volume(), format!("{:.0}", row.score().unwrap())));
        let rows: Vec<_> = rows.collect();
        let pooled = ranking.pooled();
        (rows, pooled.volume(), pooled.score().cloned().unwrap(), ranking.against(&ranking).len())
    };
    let expected = |rows: &[(&str, u64, &str)]| -> Vec<(String, u64, String)> {
        rows.iter().map(|(name, volume, score)| ((*name).to_owned(), *volume, (*score).to_owned())).collect()
    };
    // The same unit twice, and one under another, count once.
    let zone = Area::new("zone", ["城/甲", "城/乙", "城/乙"].map(crate::NodeRef::parse));
    let beside = Policy::by(rate("solved", "effective")).area(zone.clone()).area(Area::new("all", [["城"]]));
    let (rows, volume, score, moved) = ranked(&beside);
    let rates = [
        ("乙", 10, "90"),
        ("丁", 10, "70"),
        ("all", 40, "55"),
        ("zone", 20, "50"),
        ("丙", 10, "50"),
        ("甲", 10, "10"),
    ];
    assert_eq!(rows, expected(&rates));
    assert_eq!((volume, score, moved), (40, 55.into(), 6));
    let apart = Policy::by(rate("solved", "effective")).area(zone.clone().apart());
    let (rows, volume, score, moved) = ranked(&apart);
    assert_eq!(rows, expected(&[("丁", 10, "70"), ("zone", 20, "50"), ("丙", 10, "50")]));
    assert_eq!((volume, score, moved), (40, 55.into(), 3));
    let counts = |query: Query| now.run(&query).unwrap().rows().map(|row| row.count()).collect::<Vec<_>>();
    assert_eq!(counts(Query::zoom().across(&zone)), [10, 10]);
    assert_eq!(
        counts(Query::zoom().across(&Area::new("all", ["城/甲", "城"].map(crate::NodeRef::parse))).depth(1)),
        [10; 4]
    );
    // Only what the query asks for, and the group under whose units the area lies.
    let centre = apart.peers("centre", [["城", "甲"], ["城", "乙"]]);
    let ranking = centre
        .rank(&now, &Query::zoom().level("district").within(["城", "甲"]).within(["城", "丙"]))
        .unwrap();
    let told: Vec<_> = ranking.rows().map(|row| (row.area(), row.peers(), row.volume())).collect();
    assert_eq!(told, [(Some("zone"), Some("centre"), 10), (None, None, 10)]);
    assert!(by_street_fails(&now, &Policy::by(crate::count()).area(Area::new("x", [["nowhere"]]))));
}

fn by_street_fails(now: &Snapshot, policy: &Policy) -> bool {
    policy.rank(now, &Query::zoom().level("district")).is_err()
}

#[test]
fn what_is_excluded_from_rates_stays_in_the_volume() {
    let store = store(street("甲", [10, 10, 0, 5, 0, 0]));
    let mut commit = store.begin();
    commit.patch("甲-9", Patch::new().outcome("parked", "yes"));
    commit.patch("甲-8", Patch::new().outcome("parked", "yes"));
    commit.patch("甲-0", Patch::new().outcome("removed", "yes"));
    commit.finish().unwrap();
    let policy = Policy::new("p", "effective")
        .term("solution", "1", [("solved", "1")])
        .excluded_from_rates(is("parked", "yes"))
        .excluded_from_volume(is("removed", "yes"));
    let now = store.snapshot();
    let counts = |policy: &Policy| {
        let ranking = by_street(&now, policy);
        let row = ranking.rows().next().unwrap();
        (row.volume(), row.judged(), format!("{:.1}", row.score().unwrap()))
    };
    assert_eq!(counts(&policy), (9, 8, "62.5".to_owned()));
    assert_eq!(counts(&policy.without_exclusions()), (10, 10, "50.0".to_owned()));
}

/// Without orders in the volume, a unit comes from the second query alone.
#[test]
fn units_without_a_rank_stand_in_tree_order_whichever_query_gives_them() {
    let store = store([street("甲", [2, 2, 0, 1, 0, 0]), street("乙", [2, 2, 0, 1, 0, 0])].concat());
    let mut commit = store.begin();
    for id in ["甲-0", "甲-1"] {
        commit.patch(id, Patch::new().outcome("removed", "yes"));
    }
    commit.finish().unwrap();
    let policy = Policy::new("p", "effective")
        .term("solution", "1", [("solved", "1")])
        .excluded_from_volume(is("removed", "yes"))
        .minimum(3);
    let ranking = by_street(&store.snapshot(), &policy);
    assert_eq!(ranks(&ranking), named(&[("甲", 0), ("乙", 0)]));
    assert_eq!(ranking.rows().map(|row| (row.volume(), row.judged())).collect::<Vec<_>>(), [(0, 2), (2, 2)]);
}

#[test]
fn an_exclusion_changes_the_ranking_from_the_day_it_was_known() {
    let solved = |name, s| street(name, [4, 4, 0, s, 0, 0]);
    let store = Store::in_memory(schema()).unwrap();
    let at = |day: &str| schema().calendar().parse(day).unwrap();
    let mut commit = store.begin();
    [solved("甲", 2), solved("乙", 3)].concat().into_iter().for_each(|order| commit.upsert(order));
    commit.known_at(at("2025-06-01")).finish().unwrap();
    let mut commit = store.begin();
    for id in ["甲-2", "甲-3"] {
        commit.patch(id, Patch::new().outcome("parked", "yes"));
    }
    commit.known_at(at("2025-06-05")).finish().unwrap();
    let policy = Policy::by(rate("solved", "effective")).excluded_from_rates(is("parked", "yes"));
    let known = |day: &str| by_street(&store.snapshot_at_time(at(day)).unwrap(), &policy);
    assert_eq!(ranks(&known("2025-06-04")), named(&[("乙", 1), ("甲", 2)]));
    assert_eq!(ranks(&known("2025-06-06")), named(&[("甲", 1), ("乙", 2)]));
    let (before, after) = (known("2025-06-04"), known("2025-06-06"));
    let moved = after.against(&before);
    assert_eq!(moved.iter().map(Movement::places).collect::<Vec<_>>(), [Some(1), Some(-1)]);
    assert!(moved.iter().all(Movement::is_changed));
    assert!(!before.against(&known("2025-06-01")).iter().any(Movement::is_changed));
}

#[test]
fn metrics_rank_in_both_directions() {
    let took = |name: &str, days: &[i64]| -> Vec<Order> {
        let order = |(at, days): (usize, &i64)| {
            Order::new(format!("{name}{at}"), "2025-05-01").place(["城", name]).measure("days", *days)
        };
        days.iter().enumerate().map(order).collect()
    };
    let store = store([took("甲", &[1, 2]), took("乙", &[1, 1, 1]), took("丙", &[9])].concat());
    let now = store.snapshot();
    let quick = by_street(&now, &Policy::by(mean("days")).ascending());
    assert_eq!(ranks(&quick), named(&[("乙", 1), ("甲", 2), ("丙", 3)]));
    assert_eq!(*quick.pooled().score().unwrap(), "5/2".parse().unwrap());
    let many = by_street(&now, &Policy::by(crate::count()));
    assert_eq!(ranks(&many), named(&[("乙", 1), ("甲", 2), ("丙", 3)]));
}

#[test]
fn gaps_lead_to_the_orders_behind_them() {
    let store = store(street("甲", [10, 8, 0, 3, 6, 1]));
    let now = store.snapshot();
    let gap = |credited, uncredited| {
        let query = three_rates().gap(now.schema(), Query::zoom(), credited, uncredited).unwrap();
        now.run(&query).unwrap().rows().map(|row| row.count()).sum::<u64>()
    };
    assert_eq!((gap("satisfaction", "solution"), gap("solution", "satisfaction")), (4, 0));
    assert!(three_rates().gap(now.schema(), Query::zoom(), "satisfaction", "solved").is_err());
}

#[test]
fn the_policy_of_a_date_is_found_by_the_date() {
    let policies = [
        Policy::new("old", "effective").valid("2024-01-01", "2025-01-01"),
        Policy::new("new", "effective").valid("2025-01-01", "2026-01-01"),
    ];
    let schema = schema();
    let at = |date: &str| Policy::at(&policies, schema.calendar(), schema.calendar().parse(date).unwrap());
    assert_eq!(at("2024-12-31T23:59:59").unwrap().name(), "old");
    assert_eq!(at("2025-01-01").unwrap().name(), "new");
    assert!(at("2023-12-31").is_err() && at("2026-01-01").is_err());
}

#[test]
fn policies_that_make_no_sense_are_refused() {
    let store = store(street("甲", [1; 6]));
    let now = store.snapshot();
    let query = Query::zoom().level("district");
    let refused = |policy: Policy| policy.rank(&now, &query).unwrap_err().to_string();
    assert!(refused(Policy::new("empty", "effective")).contains("no terms"));
    let weight = Policy::new("p", "effective").term("solution", "0,5", [("solved", "1")]);
    assert!(refused(weight).contains("0,5"));
    let counter = Policy::new("p", "effective").term("solution", "1", [("solve", "1")]);
    assert!(refused(counter).contains("solved"));
    assert!(three_rates().rank(&now, &query.clone().grain(crate::Grain::Day)).is_err());
    assert!(three_rates().rank(&now, &query.top(1)).is_err());
}

#[test]
fn wilson_intervals_are_the_published_ones() {
    // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for (share, of, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let store = store(street("甲", [of, of, 0, share, 0, 0]));
        let policy = Policy::new("p", "effective").term("solution", "1", [("solved", "1")]);
        let ranking = by_street(&store.snapshot(), &policy);
        let (least, most) = ranking.pooled().interval("solution").unwrap();
        assert!((least - low).abs() < 5e-5 && (most - high).abs() < 5e-5, "{share} of {of}: {least} {most}");
    }
}
