//! How long the loops take that questions spend their time in, each by itself, and how many steps a second that is: which of them a
//! change has made slower, where `questions` says only that something has.
//!
//! `cargo bench --bench kernels`; `-- masks` measures those whose names begin so.

#![expect(clippy::expect_used, reason = "a benchmark stops at the first surprise")]

mod workload;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use workload::City;
use zonal::{Store, kernels};

const ORDERS: usize = 1_000_000;

/// Columns whose codes lie in planes, in a byte each, packed, and in halves.
const COLUMNS: [&str; 4] = ["kind", "department", "caller", "created"];

fn measured(criterion: &mut Criterion) {
    let store = Store::in_memory(workload::schema().expect("a schema")).expect("a store");
    let mut load = store.load().expect("a load");
    for columns in workload::slices(&City::new(1), ORDERS) {
        load.push_columns(columns).expect("columns that fit");
    }
    load.finish().expect("a load");
    let mut group = criterion.benchmark_group("kernels");
    kernels(&store.snapshot(), &COLUMNS, &mut |name, steps, kernel| {
        group.throughput(Throughput::Elements(steps));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(kernel())));
    })
    .expect("kernels");
    group.finish();
}

criterion_group!(benches, measured);
criterion_main!(benches);
