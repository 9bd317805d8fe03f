use super::*;
use crate::{any_of, is};

fn builder() -> SchemaBuilder {
    Schema::builder("Asia/Shanghai")
        .place(["city", "district"])
        .tree("topic", ["theme", "item"])
        .category("channel")
        .tags("tags")
        .outcome("solved", ["yes", "no"])
        .counter("solved", is("solved", "yes").and(!any_of("channel", ["a \"quoted\" | name", "b"])))
        .clock("closed")
        .measure("calls")
        .measure_between("hours", "created", "closed", Unit::Hours)
        .key("caller")
        .location()
        .text("note")
}

#[test]
fn a_schema_comes_back_from_json_and_toml_as_it_was() {
    let schema = builder().build().unwrap();
    let json = serde_json::to_string(&schema).unwrap();
    assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), schema);
    assert_eq!(Schema::from_toml(&schema.to_toml().unwrap()).unwrap(), schema);
}

#[test]
fn what_makes_no_sense_is_refused_and_named() {
    let refused = |builder: SchemaBuilder, says: &str| {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    refused(Schema::builder("Asia/Shangai").place(["city"]), "Asia/Shanghai");
    refused(Schema::builder("UTC"), "has 0 levels, it can have 1 to 8");
    refused(Schema::builder("UTC").place(["a", "b", "c", "d", "e", "f", "g", "h", "i"]), "has 9 levels");
    refused(builder().category("channel"), "\"channel\" is declared twice");
    refused(builder().category("place"), "zonal uses itself");
    refused(builder().category("all"), "zonal uses itself");
    refused(builder().outcome("x", ["a", "a"]), "\"a\" is declared twice");
    refused(builder().outcome("x", (0..16).map(|label| label.to_string())), "has 16 labels");
    refused(builder().measure_between("days", "created", "close", Unit::Days), "the nearest are closed");
    refused(builder().counter("theme", crate::under("topic", ["x"])), "outcomes and categories only");
    refused(builder().counter("open", is("solved", "open")), "\"open\"");
    refused(builder().clock("a/b"), "no slash");
}

#[test]
fn another_schema_is_refused_with_the_first_difference() {
    let store = builder().build().unwrap();
    let differs = |other: SchemaBuilder, says: &str| {
        let error = store.require_same(&other.build().unwrap()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    assert!(store.require_same(&builder().build().unwrap()).is_ok());
    differs(builder().category("kind"), "the schema given has category \"kind\", the store has not");
    differs(builder().place(["city"]), "place");
    differs(builder().partition(PartitionGrain::Year), "partition");
    differs(Schema::builder("UTC").place(["city", "district"]), "time zone is Asia/Shanghai");
}
