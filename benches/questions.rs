//! How long the everyday questions take, and that they cost the groups in the answer and not the orders behind
//! them: over 100 thousand, 1 million and 10 million orders in the same sixty months.
//!
//! `cargo bench --bench questions`; `ZONAL_BENCH_ORDERS=100000` (a list, with commas) changes the sizes.

#![expect(clippy::expect_used, reason = "a benchmark stops at the first surprise")]

mod workload;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use workload::{Chance, City};
use zonal::{Grain, NodeRef, Query, Snapshot, Store, counter, distinct, is, mean, quantile, rate, under};

/// A question, with constants that change from one asking to the next.
type Question = (&'static str, fn(&Snapshot, &mut Chance) -> Query);

fn month(now: &Snapshot, chance: &mut Chance) -> zonal::Span {
    let month = chance.below(12) as u32 + 1;
    now.calendar().month(2019 + chance.below(5) as i32, month).expect("a month")
}

fn year(now: &Snapshot, chance: &mut Chance) -> zonal::Span {
    now.calendar().year(2019 + chance.below(5) as i32).expect("a year")
}

fn district(now: &Snapshot, chance: &mut Chance) -> NodeRef {
    let all: Vec<_> = now.place().children(None).collect();
    all[chance.below(all.len() as u64) as usize].into()
}

fn topic(chance: &mut Chance) -> zonal::Filter {
    under("topic", [format!("theme {}", chance.below(17))])
}

fn rates(query: Query) -> Query {
    ["effective", "contacted", "solved", "satisfied", "basically"]
        .into_iter()
        .map(counter)
        .fold(query, Query::metric)
}

/// Answered from what was summed when the segments were sealed.
const SUMMED: [Question; 6] = [
    ("city by district, a month", |now, chance| Query::zoom().level("district").during(month(now, chance))),
    ("city to streets, a month, rates", |now, chance| {
        rates(Query::zoom().level("street").during(month(now, chance)))
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
];

/// Answered from rows.
const COUNTED: [Question; 6] = [
    ("district by street, a year, a theme", |now, chance| {
        Query::penetrate(district(now, chance), 1).during(year(now, chance)).filter(topic(chance))
    }),
    ("city by day, a year, a theme", |now, chance| {
        Query::zoom().during(year(now, chance)).grain(Grain::Day).filter(topic(chance))
    }),
    ("streets by department, a year, unsolved", |now, chance| {
        Query::zoom().level("street").by("department").during(year(now, chance)).filter(is("solved", "no"))
    }),
    ("streets, a month, mean hours to close", |now, chance| {
        Query::zoom().level("street").during(month(now, chance)).metric(mean("hours"))
    }),
    ("district by month, a year, 90 % closed within", |now, chance| {
        Query::zoom()
            .within(district(now, chance))
            .during(year(now, chance))
            .grain(Grain::Month)
            .metric(quantile("hours", 90))
    }),
    ("districts, a month, distinct callers", |now, chance| {
        Query::zoom().level("district").during(month(now, chance)).metric(distinct("caller"))
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
        for (kind, questions) in [("summed", SUMMED), ("counted", COUNTED)] {
            let mut group = criterion.benchmark_group(kind);
            group.sample_size(20);
            for (name, question) in questions {
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
    }
}

criterion_group!(benches, questions);
criterion_main!(benches);
