//! A small city with every kind of field: what the targets start from.

#![expect(clippy::panic, reason = "a city that cannot be built is a failure of the target")]

use std::sync::{Arc, LazyLock};

use super::Files;
use crate::calendar::{Grain, Span};
use crate::filter::{NodeRef, between, has_all, is, missing, under};
use crate::order::Order;
use crate::query::{Query, count, counter, distinct, max, mean, min, quantile, rate, sum};
use crate::schema::{Schema, Unit};
use crate::storage::Memory;
use crate::store::Store;

/// The name of the only segment.
pub(super) const SEGMENT: &str = "segments/2026-03-000001.segment";

/// The names that [`pack`] knows by their number.
const NAMES: [&str; 9] = [
    "MANIFEST",
    SEGMENT,
    "nodes/place.log",
    "nodes/tree-0.log",
    "nodes/category-0.log",
    "nodes/tags-0.log",
    "segments/2026-04-000002.segment",
    "MANIFEST.next",
    "COMMITS",
];

/// The city's store.
pub(super) fn store() -> &'static Store {
    &CITY.0
}

/// The files of the city's store.
pub(super) fn files() -> &'static Files {
    &CITY.1
}

static CITY: LazyLock<(Store, Files)> = LazyLock::new(|| build().unwrap_or_else(|error| panic!("{error}")));

fn build() -> crate::Result<(Store, Files)> {
    let storage = Memory::default();
    storage.set_now(1_775_000_000);
    let store = Store::create_on(Arc::new(storage.clone()), schema()?)?;
    let mut load = store.load()?;
    for id in 1..=20 {
        load.push(order(id))?;
    }
    load.finish()?;
    Ok((store, storage.files().into_iter().collect()))
}

fn schema() -> crate::Result<Schema> {
    Schema::builder("America/New_York")
        .place(["city", "district", "street"])
        .tree("topic", ["theme", "item"])
        .category("channel")
        .tags("marks")
        .outcome("solved", ["yes", "no"])
        .counter("solved", is("solved", "yes"))
        .counter("by_phone", is("channel", "phone"))
        .measure("minutes")
        .measure_between("hours_open", "created", "closed", Unit::Hours)
        .clock("closed")
        .key("caller")
        .location()
        .text("note")
        .build()
}

fn order(id: u32) -> Order {
    let name = if id % 5 == 4 { format!("A-{id}") } else { id.to_string() };
    let path = ["B", ["C", "H"][id as usize % 2], ["W", "X", "Z"][id as usize % 3]];
    let created = 1_773_000_000 + i64::from(id) * 90_000;
    let mut order = Order::new(name, created).place(path.into_iter().take(id as usize % 4));
    if !id.is_multiple_of(3) {
        order = order.tree("topic", ["Heating", "Cold"].into_iter().take(id as usize % 3));
        order =
            order.category("channel", ["web", "phone"][id as usize % 2]).measure("minutes", (id * 7).into());
    }
    if !id.is_multiple_of(4) {
        order = order.tags("marks", ["urgent", "again", "old"].into_iter().skip(id as usize % 4));
        order = order.outcome("solved", ["yes", "no"][id as usize / 2 % 2]).key("caller", (id % 6).into());
    }
    if !id.is_multiple_of(5) {
        order = order.clock("closed", created + 7_200).location(116.4 + f64::from(id) / 100.0, 39.9);
        order = order.text("note", format!("a note of order {id}"));
    }
    order
}

/// Orders for another load.
pub(super) fn more() -> impl Iterator<Item = Order> {
    (101..104).map(order)
}

/// Questions that reach every kind of section.
pub(super) fn questions() -> Vec<Query> {
    let all = Query::zoom();
    vec![
        all.clone()
            .level("district")
            .metric(count())
            .metric(counter("solved"))
            .metric(rate("by_phone", "count")),
        all.clone()
            .grain(Grain::Month)
            .metric(sum("minutes"))
            .metric(mean("minutes"))
            .metric(min("hours_open")),
        all.clone().by("channel").by("solved").metric(quantile("minutes", 50)).metric(distinct("caller")),
        all.clone().by_level("topic", "item").by("marks").metric(max("minutes")).top(2),
        all.clone().depth(1).all_units().during_on("closed", Span::ALL).grain(Grain::Year),
        Query::penetrate(NodeRef::from(["B"]), 2).between().filter(has_all("marks", ["again", "old"])),
        all.clone().filter(between("hours_open", 1, 3).or(under("topic", ["Heating"]))),
        all.clone().filter(missing("note").or(missing("marks")).or(!is("marks", "old"))),
        all.filter(missing("location").or(missing("caller")).and(!is("channel", "web"))),
    ]
}

/// Files as one run of bytes: each the number of its name, its length u24, its bytes.
#[cfg(test)]
pub(super) fn pack(files: &Files) -> Vec<u8> {
    let mut packed = Vec::new();
    for (number, name) in (0u8..).zip(NAMES) {
        if let Some(bytes) = files.get(name) {
            packed.push(number);
            packed.extend((bytes.len() as u32).to_le_bytes().iter().take(3));
            packed.extend(bytes);
        }
    }
    packed
}

/// The files that any bytes are.
pub(super) fn unpack(mut packed: &[u8]) -> Files {
    let mut files = Files::new();
    while let Some((&[number, a, b, c], rest)) = packed.split_first_chunk::<4>() {
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        let (bytes, rest) = rest.split_at(length.min(rest.len()));
        files.insert(NAMES[usize::from(number) % NAMES.len()].to_owned(), bytes.to_vec());
        packed = rest;
    }
    files
}
