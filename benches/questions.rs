//! How long the everyday questions take, those of `benches/peers` among them, and that they cost the groups in the answer and
//! not the orders behind them: over 100 thousand, 1 million and 10 million orders in the same sixty months.
//!
//! Each keeps one way to the orders busy, which its group names: sums made when sealing, rows that a filter keeps, single orders.
//!
//! `cargo bench --bench questions`; `ZONAL_BENCH_ORDERS=100000` (a list, with commas) changes the sizes.

#![expect(clippy::expect_used, reason = "a benchmark stops at the first surprise")]

mod workload;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use workload::{Chance, City};
use zonal::{
    Filter, Grain, Node, Query, Repeats, Result, Snapshot, Sort, Span, Store, any_of, count, counter,
    distinct, is, mean, quantile, rate, under,
};

/// A question, with constants that change from one asking to the next.
type Question = (&'static str, fn(&Snapshot, &mut Chance) -> Query);

/// A question about single orders, and how many things it finds.
type Search = (&'static str, fn(&Snapshot, &mut Chance) -> Result<usize>);

fn month(now: &Snapshot, chance: &mut Chance) -> Span {
    let month = chance.below(12) as u32 + 1;
    now.calendar().month(2019 + chance.below(5) as i32, month).expect("a month")
}

fn quarter(now: &Snapshot, chance: &mut Chance) -> Span {
    now.calendar().quarter(2019 + chance.below(5) as i32, chance.below(4) as u32 + 1).expect("a quarter")
}

fn year(now: &Snapshot, chance: &mut Chance) -> Span {
    now.calendar().year(2019 + chance.below(5) as i32).expect("a year")
}

/// Two weeks, from one odd second to another.
fn odd_hours(now: &Snapshot, chance: &mut Chance) -> Span {
    let start = month(now, chance).start() + 40_000 + chance.below(900_000) as i64;
    Span::new(start, start + 14 * 86_400 + 12_345).expect("two weeks")
}

/// One of a unit's children; without a unit, a district.
fn child(now: &Snapshot, parent: Option<Node>, chance: &mut Chance) -> Node {
    let all: Vec<_> = now.place().children(parent).collect();
    all[chance.below(all.len() as u64) as usize]
}

fn district(now: &Snapshot, chance: &mut Chance) -> Node {
    child(now, None, chance)
}

fn theme(chance: &mut Chance) -> Filter {
    under("topic", [format!("theme {}", chance.below(17))])
}

/// A topic of some theme.
fn topic(now: &Snapshot, chance: &mut Chance) -> Filter {
    let topics = now.tree("topic").expect("a tree");
    let all: Vec<_> = topics.children(None).flat_map(|theme| topics.children(Some(theme))).collect();
    under("topic", all[chance.below(all.len() as u64) as usize])
}

fn rates(query: Query) -> Query {
    ["effective", "contacted", "solved", "satisfied", "basically"]
        .into_iter()
        .map(counter)
        .fold(query, Query::metric)
}

/// Answered from what was summed when the segments were sealed.
const SUMMED: [Question; 10] = [
    ("city by district, a month", |now, chance| Query::zoom().level("district").during(month(now, chance))),
    ("a street by community, a quarter, rates", |now, chance| {
        let district = district(now, chance);
        rates(Query::penetrate(child(now, Some(district), chance), 1).during(quarter(now, chance)))
    }),
    ("city to streets, a month, rates", |now, chance| {
        rates(Query::zoom().level("street").during(month(now, chance)))
    }),
    ("city by day, five years, a theme", |_, chance| Query::zoom().grain(Grain::Day).filter(theme(chance))),
    ("districts by month, five years, rates", |_, _| {
        rates(Query::zoom().level("district").grain(Grain::Month))
    }),
    ("district by month, five years, rates", |now, chance| {
        rates(Query::zoom().within(district(now, chance)).grain(Grain::Month))
    }),
    ("district by quarter, five years", |now, chance| {
        Query::zoom().within(district(now, chance)).grain(Grain::Quarter)
    }),
    ("district to communities, a year, rate", |now, chance| {
        Query::penetrate(district(now, chance), 2)
            .during(year(now, chance))
            .metric(rate("solved", "effective"))
    }),
    ("city to communities, five years, rates", |_, _| rates(Query::zoom().level("community"))),
    ("streets, a year, mean hours to close", |now, chance| {
        Query::zoom().level("street").during(year(now, chance)).metric(mean("hours"))
    }),
];

/// Answered from rows.
const COUNTED: [Question; 8] = [
    ("district by street, a year, a theme", |now, chance| {
        Query::penetrate(district(now, chance), 1).during(year(now, chance)).filter(theme(chance))
    }),
    ("district to communities, a year, a topic", |now, chance| {
        Query::penetrate(district(now, chance), 2).during(year(now, chance)).filter(topic(now, chance))
    }),
    ("city to buildings, five years, a topic, top 20", |now, chance| {
        Query::zoom().level("building").filter(topic(now, chance)).metric(count()).top(20)
    }),
    ("streets, a year, four conditions, rates", |now, chance| {
        let filter = theme(chance).and(any_of("channel", ["0", "1"])).and(is("kind", "1"));
        let departments = (0..30).map(|_| chance.below(90).to_string());
        let filter = filter.and(any_of("department", departments));
        rates(Query::zoom().level("street").during(year(now, chance)).filter(filter))
    }),
    ("districts, odd hours", |now, chance| Query::zoom().level("district").during(odd_hours(now, chance))),
    ("streets by department, five years, unsolved", |_, _| {
        Query::zoom().level("street").by("department").filter(is("solved", "no"))
    }),
    ("district by month, a year, 90 % closed within", |now, chance| {
        Query::zoom()
            .within(district(now, chance))
            .during(year(now, chance))
            .grain(Grain::Month)
            .metric(quantile("hours", 90))
    }),
    ("districts, a year, distinct callers", |now, chance| {
        Query::zoom().level("district").during(year(now, chance)).metric(distinct("caller"))
    }),
];

/// About orders one by one.
const SEARCHED: [Search; 3] = [
    ("a district's callers again, a quarter", |now, chance| {
        let query = Query::zoom().within(district(now, chance)).during(quarter(now, chance));
        Ok(now.repeats(&query, &Repeats::of("caller").within("topic", "topic"))?.groups as usize)
    }),
    ("the latest 50 orders of a building", |now, chance| {
        let mut unit = district(now, chance);
        while now.place().children(Some(unit)).next().is_some() {
            unit = child(now, Some(unit), chance);
        }
        Ok(now.orders(&Query::zoom().within(unit), Sort::Newest, 50)?.len())
    }),
    ("an order by its id", |now, chance| {
        Ok(usize::from(now.get(&chance.below(100_000).to_string())?.is_some()))
    }),
];

fn sizes() -> Vec<usize> {
    let given = std::env::var("ZONAL_BENCH_ORDERS").unwrap_or_else(|_| "100000,1000000,10000000".to_owned());
    given
        .split(',')
        .map(|size| size.trim().parse().expect("ZONAL_BENCH_ORDERS is a list of numbers"))
        .collect()
}

fn questions(criterion: &mut Criterion) {
    let city = City::new(1);
    for orders in sizes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::create(folder.path().join("city.zonal"), workload::schema().expect("a schema"))
            .expect("a store");
        let mut load = store.load().expect("a load");
        for columns in workload::slices(&city, orders) {
            load.push_columns(columns).expect("columns that fit");
        }
        let report = load.finish().expect("a load");
        println!("{orders} orders: {:.1} bytes an order", report.bytes as f64 / orders as f64);
        let now = store.snapshot();
        for (kind, questions) in [("summed", &SUMMED[..]), ("counted", &COUNTED[..])] {
            let mut group = criterion.benchmark_group(kind);
            group.sample_size(20);
            for &(name, question) in questions {
                let mut chance = Chance::new(7);
                group.bench_function(BenchmarkId::new(name, orders), |bencher| {
                    bencher.iter(|| {
                        let query = question(&now, &mut chance);
                        let answer = now.run(&query).expect("an answer");
                        answer
                            .rows()
                            .map(|row| black_box(row.figures()).len() as u64 + row.count())
                            .sum::<u64>()
                    });
                });
            }
            group.finish();
        }
        let mut group = criterion.benchmark_group("searched");
        group.sample_size(20);
        for (name, search) in SEARCHED {
            let mut chance = Chance::new(7);
            group.bench_function(BenchmarkId::new(name, orders), |bencher| {
                bencher.iter(|| black_box(search(&now, &mut chance).expect("an answer")));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, questions);
criterion_main!(benches);
