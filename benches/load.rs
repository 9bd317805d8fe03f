//! A bulk load from columns: orders a second, bytes an order, the most memory resident, and how long it takes to
//! open the store and answer a first question.
//!
//! `cargo bench --bench load`; `ZONAL_BENCH_ORDERS=1000000` changes the size from 20 million.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and the system's memory figures")]

mod workload;

use std::time::{Duration, Instant};

use workload::City;
use zonal::{Query, Store};

/// The most memory that was resident, anonymous and mapped together, in MiB; where the system tells.
fn peak_resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes / 1_024)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let orders: usize = std::env::var("ZONAL_BENCH_ORDERS").map_or(Ok(20_000_000), |given| given.parse())?;
    let city = City::new(1);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("city.zonal");
    let store = Store::create(&path, workload::schema()?)?;
    let mut load = store.load()?;
    let mut loading = Duration::ZERO;
    for columns in workload::slices(&city, orders) {
        let begun = Instant::now();
        load.push_columns(columns)?;
        loading += begun.elapsed();
    }
    let begun = Instant::now();
    let report = load.finish()?;
    loading += begun.elapsed();
    println!(
        "{} orders in {:.1} s: {:.0} a second",
        report.orders,
        loading.as_secs_f64(),
        report.orders as f64 / loading.as_secs_f64()
    );
    println!(
        "{:.1} bytes an order, {:.0} MB",
        report.bytes as f64 / report.orders as f64,
        report.bytes as f64 / 1e6
    );
    if let Some(peak) = peak_resident() {
        println!("at most {peak} MiB resident");
    }
    drop(store);
    let begun = Instant::now();
    let store = Store::open(&path)?;
    let opened = begun.elapsed();
    let now = store.snapshot();
    let answer = now.run(&Query::zoom().level("district").during(now.calendar().month(2023, 3)?))?;
    println!(
        "opened in {:.1} ms, first zoom ({} rows) after {:.1} ms",
        opened.as_secs_f64() * 1e3,
        answer.len(),
        begun.elapsed().as_secs_f64() * 1e3
    );
    let begun = Instant::now();
    let verified = store.verify(|_| {})?;
    println!("verified {:.0} MB in {:.1} s", verified.bytes as f64 / 1e6, begun.elapsed().as_secs_f64());
    Ok(())
}
