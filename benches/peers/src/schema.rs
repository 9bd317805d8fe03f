//! The orders of the benchmark, as zonal keeps them. Units, topics and values are named by their numbers, so that
//! answers compare cell by cell with the numbers that the other engines have.

use zonal::{Query, Schema, Unit, counter, is};

/// Counted ahead in every cell; the rates of the questions are made of them.
pub(crate) const RATES: [&str; 5] = ["effective", "contacted", "solved", "satisfied", "basically"];

/// The labels of an outcome stand where its number in the files says.
pub(crate) const ANSWERS: [&str; 2] = ["no", "yes"];
pub(crate) const SATISFACTION: [&str; 3] = ["yes", "basically", "no"];

pub(crate) const CITY: &str = "city";
pub(crate) const DEPARTMENTS: u32 = 90;
pub(crate) const CHANNELS: u32 = 7;
pub(crate) const KINDS: u32 = 5;

pub(crate) fn schema() -> zonal::Result<Schema> {
    Schema::builder("UTC") // the times in the files have no zone
        .place(["city", "district", "street", "community", "building"])
        .tree("topic", ["topic1", "topic2", "topic3"])
        .category("department")
        .category("channel")
        .category("kind")
        .outcome("callback", ["effective"])
        .outcome("contacted", ANSWERS)
        .outcome("solved", ANSWERS)
        .outcome("satisfaction", SATISFACTION)
        .counter("effective", is("callback", "effective"))
        .counter("contacted", is("contacted", "yes"))
        .counter("solved", is("solved", "yes"))
        .counter("satisfied", is("satisfaction", "yes"))
        .counter("basically", is("satisfaction", "basically"))
        .clock("closed")
        .measure_between("seconds", "created", "closed", Unit::Seconds)
        .key("caller")
        .build()
}

pub(crate) fn rates(query: Query) -> Query {
    RATES.into_iter().map(counter).fold(query, Query::metric)
}
