//! zonal's side of the benchmark: it loads the Parquet files that all engines load and asks what all are asked.
//!
//! ```text
//! zonal-peers load DATA STORE                     makes the store; prints seconds and bytes
//! zonal-peers ask STORE QUESTIONS OUT REPEATS     asks; writes OUT.json (times) and OUT.bin (answers)
//! zonal-peers open STORE BEGIN END                opens the store, zooms once; prints nanoseconds
//! zonal-peers supersede STORE CHANGES COMMIT      writes new versions in commits of so many orders
//! zonal-peers flush STORE                         seals what the log holds
//! ```

mod analyses;
mod ask;
mod load;
mod memory;
mod orders;
mod question;
mod read;
mod schema;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use zonal::{Durability, Query, Span, Store};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = match words.as_slice() {
        ["load", data, store] => load(data.as_ref(), store.as_ref()),
        ["ask", store, questions, out, repeats] => {
            ask::ask(store.as_ref(), questions.as_ref(), out.as_ref(), repeats.parse()?)
        }
        ["open", store, begin, end] => open(store.as_ref(), Span::new(begin.parse()?, end.parse()?)?),
        ["supersede", store, changes, commit] => supersede(store.as_ref(), changes.as_ref(), commit.parse()?),
        ["flush", store] => flush(store.as_ref()),
        _ => Err("usage: zonal-peers load|ask|open|supersede|flush …; src/main.rs tells the rest".into()),
    }?;
    println!("{told}");
    Ok(())
}

fn load(data: &Path, folder: &Path) -> Result<serde_json::Value> {
    let begun = Instant::now();
    let store = Store::create(folder, schema::schema()?)?;
    let orders = load::load(&store, data)?;
    drop(store);
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({ "orders": orders, "seconds": seconds, "memory": memory::told() }))
}

/// From opening to the last figure of a zoom read: districts in a span.
fn open(folder: &Path, span: Span) -> Result<serde_json::Value> {
    let begun = Instant::now();
    let store = Store::open(folder)?;
    let opened = begun.elapsed();
    let answer = store.snapshot().run(&Query::zoom().level("district").during(span))?;
    let orders: u64 = answer.rows().map(|row| row.count()).sum();
    let answered = begun.elapsed();
    Ok(json!({ "open_ns": opened.as_nanos(), "zoom_ns": answered.as_nanos(), "orders": orders }))
}

fn supersede(folder: &Path, changes: &Path, commit: usize) -> Result<serde_json::Value> {
    let store = Store::open(folder)?;
    let cities = load::Cities::read(changes.parent().ok_or("the changes lie beside the trees")?)?;
    let begun = Instant::now();
    let mut written = 0;
    for orders in orders::batches(changes)? {
        let orders = orders?;
        let rows: Vec<usize> = (0..orders.len()).collect();
        for rows in rows.chunks(commit.max(1)) {
            let mut changes = store.begin().durability(Durability::Buffered);
            for &row in rows {
                changes.upsert(cities.order(&orders, row));
            }
            written += changes.len();
            changes.finish()?;
        }
    }
    Ok(json!({ "orders": written, "seconds": begun.elapsed().as_secs_f64() }))
}

fn flush(folder: &Path) -> Result<serde_json::Value> {
    let store = Store::open(folder)?;
    let begun = Instant::now();
    store.flush()?;
    Ok(json!({ "seconds": begun.elapsed().as_secs_f64() }))
}
