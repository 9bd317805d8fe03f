//! describe and verify.

use indicatif::{ProgressBar, ProgressStyle};
use zonal::{Description, Progress};

use super::output::{NONE, Output, table};
use super::{Result, args, files};

pub(crate) fn describe(args: &args::Reading) -> Result<()> {
    let description = files::snapshot(args)?.describe();
    let mut output = Output::new();
    if args.store.json {
        output.json(&description)?;
    } else {
        print(&mut output, &description)?;
    }
    output.end()
}

fn print(output: &mut Output, store: &Description) -> Result<()> {
    let mut facts = table(["store", ""], 2);
    let none = || NONE.to_owned();
    facts.add_rows([
        ["orders".to_owned(), store.orders.to_string()],
        ["first created".to_owned(), store.first.clone().unwrap_or_else(none)],
        ["last created".to_owned(), store.last.clone().unwrap_or_else(none)],
        ["time zone".to_owned(), store.time_zone.clone()],
        ["bytes".to_owned(), store.bytes.to_string()],
        ["segments".to_owned(), store.segments.to_string()],
        [
            "last commit".to_owned(),
            store.committed.as_ref().map_or("none".to_owned(), |time| format!("{} at {time}", store.commit)),
        ],
    ]);
    output.table(&facts)?;
    output.line("")?;
    let mut trees = table(["field", "level", "nodes"], 2);
    for tree in &store.trees {
        for (level, nodes) in tree.levels.iter().zip(&tree.nodes) {
            trees.add_row([tree.name.clone(), level.clone(), nodes.to_string()]);
        }
    }
    output.table(&trees)?;
    output.line("")?;
    let heads = ["partition", "orders", "segments", "bytes", "ended", "of history: segments", "bytes"];
    let mut partitions = table(heads, 1);
    for partition in &store.partitions {
        let numbers = [
            partition.orders,
            partition.segments,
            partition.bytes,
            partition.ended,
            partition.history_segments,
            partition.history_bytes,
        ]
        .map(|number| number.to_string());
        partitions.add_row(std::iter::once(partition.name.clone()).chain(numbers));
    }
    output.table(&partitions)
}

pub(crate) fn verify(args: &args::Store) -> Result<()> {
    let store = files::reader(args)?;
    let bar = bar();
    let verified = store.verify(|progress| show(&bar, progress))?;
    bar.finish_and_clear();
    let mut output = Output::new();
    if args.json {
        output.json(&verified)?;
    } else {
        let (files, bytes, orders) = (verified.files, verified.bytes, verified.sealed_orders);
        output.line(format!("All {files} files are whole: {bytes} bytes, {orders} orders in segments."))?;
    }
    output.end()
}

/// A progress bar, which shows on a terminal only.
pub(crate) fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:12} {wide_bar} {percent:>3} % {eta:>4}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Shows how far a long call has come.
pub(crate) fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(progress.stage);
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}
