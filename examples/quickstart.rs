//! A first look: makes a small synthetic city in a temporary folder, then zooms, penetrates and compares two
//! months.
//!
//! `cargo run --release --example quickstart` takes no arguments and needs no data. The city's figures come
//! from a small generator with a fixed seed, so everybody sees the same.

use std::error::Error;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use zonal::{
    Answer, Figure, Load, Metric, Order, Query, Row, RowKind, Schema, Snapshot, Sort, Store, Unit, Value,
    any_of, count, is, quantile, rate, under,
};

fn main() -> Result<(), Box<dyn Error>> {
    // What an order carries. Counters are filters with a name, counted ahead; two of them make a rate.
    let schema = Schema::builder("Europe/Lisbon")
        .place(["city", "district", "street", "block"])
        .tree("topic", ["theme", "topic"])
        .category("channel")
        .outcome("solved", ["yes", "no"])
        .counter("asked", any_of("solved", ["yes", "no"]))
        .counter("solved", is("solved", "yes"))
        .clock("closed")
        .measure_between("hours_to_close", "created", "closed", Unit::Hours)
        .build()?;

    let folder = tempfile::tempdir()?;
    let store = Store::create(folder.path(), schema)?;
    let mut load = store.load()?;
    fill(&mut load)?;
    let loaded = load.finish()?; // durable, and visible all at once
    println!(
        "Riverton is a city that does not exist. Its hotline took {} orders in May and June.",
        loaded.orders
    );

    let now = store.snapshot();
    zoom(&now)?;
    penetrate(&now)?;
    topics(&now)?;
    compare(&now)?;
    orders(&now)?;
    Ok(())
}

fn zoom(now: &Snapshot) -> zonal::Result<()> {
    println!("\nZoom. How many orders did each district get, how often was it solved when");
    println!("the caller was asked, and after how many hours was half of the orders closed?\n");
    let (solved, half) = (rate("solved", "asked"), quantile("hours_to_close", 50));
    let query = Query::zoom().level("district").metric(count()).metric(&solved).metric(&half);
    print(&now.run(&query)?, ["unit", "orders", "solved", "hours"]);
    println!("\n(Some callers did not say where they were: these orders are the city's own, its remainder.");
    println!("Every order is in exactly one row.)");
    Ok(())
}

fn penetrate(now: &Snapshot) -> zonal::Result<()> {
    println!("\nPenetrate. What lies two levels under the district of Harbour, in June?\n");
    let query = Query::penetrate(now.unit(["Riverton", "Harbour"])?, 2)
        .between()
        .during(now.calendar().month(2026, 6)?)
        .metric(count())
        .metric(rate("solved", "asked"));
    print(&now.run(&query)?, ["unit", "orders", "solved"]);
    println!(
        "\n(A subtotal holds the blocks under it; a remainder is what came for a street without a block.)"
    );
    Ok(())
}

fn topics(now: &Snapshot) -> zonal::Result<()> {
    println!("\nTop. Which three topics were the most frequent in June, and what of the others?\n");
    let query = Query::zoom()
        .by_level("topic", "topic")
        .during(now.calendar().month(2026, 6)?)
        .top(3)
        .metric(count())
        .metric(rate("solved", "asked"));
    print(&now.run(&query)?, ["unit", "topic", "orders", "solved"]);
    Ok(())
}

fn compare(now: &Snapshot) -> zonal::Result<()> {
    println!("\nCompare. Which streets got more orders about noise in June than in May?\n");
    let (may, june) = (now.calendar().month(2026, 5)?, now.calendar().month(2026, 6)?);
    let noise = |span| {
        let query = Query::zoom().level("street").all_units().during(span);
        now.run(&query.filter(under("topic", ["Neighbours", "Noise"])))
    };
    let (may, june) = (noise(may)?, noise(june)?);
    // Both answers have a row for every street, in the same order.
    let is_street = |row: &Row<'_>| row.kind() == RowKind::Target;
    let mut pairs: Vec<_> = may.rows().filter(is_street).zip(june.rows().filter(is_street)).collect();
    pairs.sort_by_key(|(may, june)| (may.count() as i64 - june.count() as i64, may.path().to_string()));
    let mut table = table(["street", "May", "June", "change"], 1);
    for (may, june) in pairs.iter().take(5) {
        let change = june.count() as i64 - may.count() as i64;
        table.add_row([
            may.path().to_string(),
            may.count().to_string(),
            june.count().to_string(),
            format!("{change:+}"),
        ]);
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

fn orders(now: &Snapshot) -> zonal::Result<()> {
    println!("\nOrders. Which ones are behind the first of these figures? The newest three:\n");
    let query = Query::zoom()
        .within(["Riverton", "Harbour", "Quay Street"])
        .during(now.calendar().month(2026, 6)?)
        .filter(under("topic", ["Neighbours", "Noise"]));
    let mut table = table(["id", "created", "unit", "channel", "solved"], 5);
    for order in now.orders(&query, Sort::Newest, 3)? {
        let created = order.created().seconds().map(|time| now.calendar().format(time)).unwrap_or_default();
        let unit: Vec<&str> = order.place_path().iter().map(|step| step.name.as_str()).collect();
        let text = |field| match order.value(field) {
            Some(Value::Category(text) | Value::Outcome(text)) => text.clone(),
            _ => "–".to_owned(),
        };
        table.add_row([order.id().to_owned(), created, unit.join("/"), text("channel"), text("solved")]);
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

/// Prints an answer: the unit, the dimensions it was grouped by, the metrics.
fn print<const N: usize>(answer: &Answer, header: [&str; N]) {
    let numbers = N - answer.metrics().len();
    let mut table = table(header, numbers);
    for row in answer {
        let unit = match row.kind() {
            RowKind::Target if row.node().is_none() => "the whole city".to_owned(),
            RowKind::Remainder if row.node().is_none() => "no place".to_owned(),
            RowKind::Remainder => format!("{} (remainder)", row.path()),
            RowKind::Subtotal => format!("{} (subtotal)", row.path()),
            RowKind::Others => "all others".to_owned(),
            _ => row.path().to_string(),
        };
        let groups = row.groups().map(|(_, group)| group.to_string());
        let figures = answer.metrics().iter().map(|metric| figure(&row, metric));
        table.add_row(std::iter::once(unit).chain(groups).chain(figures));
    }
    println!("{}", table.trim_fmt());
}

/// A rate says how many orders it is made of.
fn figure(row: &Row<'_>, metric: &Metric) -> String {
    match row.get(metric) {
        figure @ Figure::Ratio { denominator, .. } => format!("{figure} of {denominator}"),
        figure => figure.to_string(),
    }
}

/// A table without rows; columns from `numbers` on are aligned to the right.
fn table<const N: usize>(header: [&str; N], numbers: usize) -> Table {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(line)).set_header(header);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The districts and their streets; every street has four blocks.
const CITY: [(&str, &[&str]); 3] = [
    ("Harbour", &["Quay Street", "Mill Lane", "Station Road"]),
    ("Old Town", &["Market Square", "Church Street", "Castle Street", "Bridge Street"]),
    ("Hillside", &["Orchard Road", "School Lane", "Park Avenue"]),
];

/// The topics, by theme, and how many of a hundred orders are about each.
const TOPICS: [(&str, &str, u64); 7] = [
    ("Streets", "Pothole", 22),
    ("Streets", "Street light", 18),
    ("Waste", "Missed collection", 20),
    ("Waste", "Illegal dumping", 12),
    ("Neighbours", "Noise", 10),
    ("Water", "No water", 10),
    ("Water", "Leak", 8),
];

const MAY_1: i64 = 1_777_590_000; // 2026-05-01T00:00:00+01:00
const DAY: i64 = 86_400;

/// Two months of orders. In June a building site opens on Quay Street.
fn fill(load: &mut Load) -> zonal::Result<()> {
    let mut dice = Dice(2026);
    for number in 1..=12_000 {
        let day = dice.roll(61) as i64;
        let created = MAY_1 + day * DAY + dice.roll(DAY as u64) as i64;
        let building_site = day >= 31 && dice.roll(100) < 4;
        let (district, streets) = CITY[if building_site { 0 } else { dice.roll(3) as usize }];
        let street = streets[if building_site { 0 } else { dice.roll(streets.len() as u64) as usize }];
        let block = ["A", "B", "C", "D"][dice.roll(4) as usize];
        let path = ["Riverton", district, street, block];
        let depth = match dice.roll(100) {
            0..2 => 1,
            2..8 => 3,
            _ => 4,
        };
        let share = if building_site { 80 } else { dice.roll(100) };
        let (theme, topic) = topic(share);
        let channel = ["phone", "phone", "app", "web"][dice.roll(4) as usize];
        let mut order = Order::new(format!("R-{number:05}"), created)
            .place(path[..depth].iter().copied())
            .tree("topic", [theme, topic])
            .category("channel", channel);
        // Nine of ten are closed, each district at its own pace; of these, half are asked whether it was
        // solved.
        if dice.roll(10) > 0 {
            let hours = (dice.roll(24) + 1) * (dice.roll(6) + 1) * if district == "Hillside" { 2 } else { 1 };
            order = order.clock("closed", created + hours as i64 * 3_600);
            if dice.roll(2) == 0 {
                let content = dice.roll(100) < if topic == "Noise" { 45 } else { 82 };
                order = order.outcome("solved", if content { "yes" } else { "no" });
            }
        }
        load.push(order)?;
    }
    Ok(())
}

/// The topic at a share of a hundred.
fn topic(mut share: u64) -> (&'static str, &'static str) {
    for (theme, topic, width) in TOPICS {
        if share < width {
            return (theme, topic);
        }
        share -= width;
    }
    ("Other", "Other")
}

/// A linear congruential generator: the same city on every machine.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
