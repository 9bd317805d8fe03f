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
fn another_schema_is_refused_with_all_differences() {
    let store = builder().build().unwrap();
    let differs = |other: SchemaBuilder, says: &[&str]| {
        let error = store.grown(&other.build().unwrap()).unwrap_err();
        let Error::SchemaDiffers { differences } = &error else { panic!("{error}") };
        assert_eq!(differences.len(), says.len(), "{error}");
        for (difference, says) in differences.iter().zip(says) {
            assert!(difference.contains(says), "{difference}");
        }
    };
    assert!(store.require_same(&builder().build().unwrap()).is_ok());
    assert!(store.grown(&builder().build().unwrap()).unwrap().is_none());
    differs(builder().place(["city"]), &["levels of place is [\"city\", \"district\"] in the store"]);
    differs(builder().place(["area", "city", "district"]), &["levels of place"]);
    differs(builder().partition(PartitionGrain::Year), &["partition"]);
    let bare = || Schema::builder("Asia/Shanghai").place(["city", "district"]);
    differs(
        Schema::builder("UTC").place(["city", "district"]),
        &[
            "the time zone is Asia/Shanghai",
            "a location",
            "tree \"topic\"",
            "category \"channel\"",
            "tags \"tags\"",
            "outcome \"solved\"",
            "clock \"closed\"",
            "measure \"calls\"",
            "measure \"hours\"",
            "key \"caller\"",
            "text \"note\"",
            "counter \"solved\"",
        ],
    );
    let small =
        bare().outcome("solved", ["yes", "no"]).counter("solved", is("solved", "yes")).build().unwrap();
    let changed = |other: SchemaBuilder| small.grown(&other.build().unwrap()).unwrap_err().to_string();
    let counter = changed(bare().outcome("solved", ["yes", "no"]).counter("solved", is("solved", "no")));
    assert!(counter.contains("counter \"solved\" is") && counter.contains("solved=no"), "{counter}");
    let labels = changed(bare().outcome("solved", ["no", "yes"]).counter("solved", is("solved", "yes")));
    assert!(labels.contains("labels of outcome \"solved\""), "{labels}");
}

#[test]
fn what_a_schema_adds_stands_behind_what_was_there() {
    let store = builder().build().unwrap();
    let given = Schema::builder("Asia/Shanghai")
        .place(["city", "district", "street"])
        .counter("late", is("solved", "late"))
        .counter("solved", is("solved", "yes").and(!any_of("channel", ["a \"quoted\" | name", "b"])))
        .category("kind")
        .category("channel")
        .tree("department", ["bureau"])
        .tree("topic", ["theme", "item", "detail"])
        .tags("tags")
        .outcome("solved", ["yes", "no", "late"])
        .clock("opened")
        .clock("closed")
        .measure_between("days", "opened", "closed", Unit::Days)
        .measure("calls")
        .measure_between("hours", "created", "closed", Unit::Hours)
        .key("caller")
        .location()
        .text("note")
        .build()
        .unwrap();
    let grown = store.grown(&given).unwrap().unwrap();
    assert_eq!(grown.categories, ["channel", "kind"]);
    assert_eq!(grown.clocks, ["closed", "opened"]);
    assert_eq!(grown.field("department"), Some(Field::Tree(1)));
    assert_eq!(grown.trees[0].levels, ["theme", "item", "detail"]);
    assert_eq!(grown.counters().collect::<Vec<_>>(), ["solved", "late"]);
    assert_eq!(
        grown.measures[2].source,
        MeasureSource::Between { from: Clock::Other(1), to: Clock::Other(0), unit: Unit::Days }
    );
    // The order of the fields is no difference.
    assert!(grown.grown(&given).unwrap().is_none());
    assert!(grown.require_same(&given).is_ok());
    let refused = store.require_same(&given).unwrap_err().to_string();
    assert!(refused.contains("the schema given has category \"kind\", the store has not"), "{refused}");
    assert!(matches!(grown.grown(&store), Err(Error::SchemaDiffers { .. })));
}
