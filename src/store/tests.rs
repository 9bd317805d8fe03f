mod backup;
mod crash;
mod growth;
mod nodes;
mod patches;
mod power;
mod reader;
mod threads;
mod upkeep;

use std::sync::Arc;

use super::*;
use crate::{Error, Figure, NodeRef, Order, Paths, Query, RowKind, counter, is, rate};

fn schema() -> Schema {
    Schema::builder("Asia/Shanghai")
        .place(["city", "district", "street"])
        .category("channel")
        .outcome("solved", ["yes", "no"])
        .counter("solved", is("solved", "yes"))
        .build()
        .unwrap()
}

fn order(id: u32, day: u32, path: &[&str], solved: &str) -> Order {
    Order::new(id.to_string(), format!("2026-03-{day:02}T09:00:00").as_str())
        .place(path.iter().copied())
        .category("channel", if id.is_multiple_of(2) { "phone" } else { "web" })
        .outcome("solved", solved)
}

fn filled(storage: &Memory) -> Store {
    let store = Store::create_on(Arc::new(storage.clone()), schema()).unwrap();
    let mut load = store.load().unwrap();
    load.push(order(1, 1, &["B", "C", "W"], "yes")).unwrap();
    load.push(order(2, 2, &["B", "C", "W"], "no")).unwrap();
    load.push(order(3, 3, &["B", "C", "Z"], "yes")).unwrap();
    load.push(order(4, 4, &["B", "H"], "yes")).unwrap();
    load.push(order(5, 5, &[], "no")).unwrap();
    assert_eq!(load.finish().unwrap().orders, 5);
    store
}

#[test]
fn a_loaded_store_answers_and_opens_again() {
    let storage = Memory::default();
    let store = filled(&storage);
    drop(store);
    let store = Store::open_on(Arc::new(storage)).unwrap();
    let now = store.snapshot();
    let query = Query::zoom().level("street").metric(counter("solved")).metric(rate("solved", "count"));
    let answer = now.run(&query).unwrap();
    let rows: Vec<(String, RowKind, u64)> =
        answer.rows().map(|row| (row.path().to_string(), row.kind(), row.count())).collect();
    assert_eq!(
        rows,
        [
            (String::new(), RowKind::Remainder, 1),
            ("B/C/W".to_owned(), RowKind::Target, 2),
            ("B/C/Z".to_owned(), RowKind::Target, 1),
            ("B/H".to_owned(), RowKind::Remainder, 1),
        ]
    );
    assert_eq!(
        serde_json::to_string(&answer.rows().nth(1).unwrap()).unwrap(),
        r#"{"path":["B","C","W"],"remainder":false,"values":{"solved":1,"rate:solved/count":{"num":1,"den":2}}}"#
    );
    assert_eq!(now.get("4").unwrap().unwrap().place_path().len(), 2);
    assert_eq!(now.get("6").unwrap(), None);
    assert_eq!(store.verify(|_| {}).unwrap().sealed_orders, 5);
}

/// A batch is joined with those that are not more than four times as long: five in a month need more than 400 orders.
#[test]
fn commits_of_single_orders_leave_few_batches() {
    let store = Store::in_memory(schema()).unwrap();
    for id in 0..200 {
        let mut commit = store.begin();
        commit.upsert(order(id, 1 + id % 28, &["B", "H"], "yes"));
        commit.finish().unwrap();
        assert!(store.snapshot().describe().segments <= 4, "after {id}");
    }
    assert_eq!(store.snapshot().describe().orders, 200);
}

#[test]
fn a_query_penetrates_from_a_unit() {
    let store = filled(&Memory::default());
    let now = store.snapshot();
    let query = Query::penetrate(NodeRef::from(["B"]), 2).between();
    let answer = now.run(&query).unwrap();
    let rows: Vec<String> =
        answer.rows().map(|row| format!("{} {:?} {}", row.path(), row.kind(), row.count())).collect();
    assert_eq!(
        rows,
        ["B/C Subtotal 3", "B/C/W Target 2", "B/C/Z Target 1", "B/H Subtotal 1", "B/H Remainder 1"]
    );
}

#[test]
fn a_load_that_is_dropped_leaves_the_store_as_it_was() {
    let storage = Memory::default();
    let store = filled(&storage);
    let before = storage.files();
    let mut load = store.load().unwrap().buffer(1);
    load.push(order(9, 9, &["X"], "yes")).unwrap();
    assert!(matches!(store.load(), Err(Error::Invalid { .. })));
    drop(load);
    assert_eq!(storage.files(), before);
    assert!(store.load().is_ok());
}

#[test]
fn a_load_supersedes_the_orders_that_the_store_has() {
    let store = filled(&Memory::default());
    let mut load = store.load().unwrap();
    load.push(order(3, 9, &["X"], "no")).unwrap();
    load.push(order(6, 9, &["X"], "no")).unwrap();
    let report = load.finish().unwrap();
    assert_eq!((report.orders, report.superseded), (2, 1));
    let now = store.snapshot();
    assert_eq!(now.describe().orders, 6);
    assert_eq!(now.get("3").unwrap().unwrap().place_path()[0].name, "X");
}

#[test]
fn the_last_of_a_repeated_id_wins_across_runs_and_partitions() {
    let store = Store::in_memory(schema()).unwrap();
    let mut load = store.load().unwrap().buffer(2);
    load.push(order(1, 1, &["B"], "no")).unwrap();
    load.push(order(1, 2, &["B"], "no")).unwrap();
    load.push(order(2, 2, &["B"], "no")).unwrap();
    load.push(Order::new("1", "2026-05-01").place(["C"]).outcome("solved", "yes")).unwrap();
    let report = load.finish().unwrap();
    assert_eq!((report.orders, report.repeated.len()), (2, 2));
    let now = store.snapshot();
    assert_eq!(now.get("1").unwrap().unwrap().place_path()[0].name, "C");
    assert_eq!(now.describe().orders, 2);
}

#[test]
fn an_order_that_does_not_fit_leaves_the_trees_as_they_were() {
    let store = Store::in_memory(schema()).unwrap();
    let mut load = store.load().unwrap();
    let wrong = order(1, 1, &["B", "C"], "maybe");
    assert!(load.push(wrong).unwrap_err().to_string().contains("maybe"));
    let deep = order(2, 1, &["B", "C", "D", "E"], "yes").category("channel", "fax");
    assert!(load.push(deep).is_err());
    load.push(order(3, 1, &["Q"], "yes")).unwrap();
    load.finish().unwrap();
    let now = store.snapshot();
    assert_eq!(now.place().len(), 1);
    assert_eq!(now.describe().trees[1].nodes, [1]);
}

#[test]
fn columns_that_do_not_fit_leave_the_trees_as_they_were() {
    let store = Store::in_memory(schema()).unwrap();
    let mut load = store.load().unwrap();
    let columns =
        || Columns::numbered(vec![1, 2], vec![0, 60]).category("channel", ["fax"], vec![Some(0), None]);
    let mut refused = |columns: Columns, says: &str| {
        let error = load.push_columns(columns).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    refused(columns().place([["X"]], vec![]), "\"place\" has 0 entries for 2 ids");
    refused(columns().place([["X"]], vec![Some(0), Some(1)]), "one order names number 1");
    refused(
        columns().place([vec!["X"], vec!["a", "b", "c", "d"]], vec![Some(0), None]),
        "deeper than the levels",
    );
    refused(columns().outcome("solved", ["maybe"], vec![None, None]), "maybe");
    refused(columns().place([["X"]], vec![None, None]).tree("topic", [["t"]], vec![None, None]), "topic");
    let shared = Paths::new([["Q"]]);
    refused(columns().place(&shared, vec![Some(0), None]).tree("topic", [["t"]], vec![None, None]), "topic");
    load.push_columns(columns().place(&shared, vec![Some(0), None])).unwrap();
    assert_eq!(load.finish().unwrap().orders, 2);
    let now = store.snapshot();
    assert_eq!((now.place().len(), now.place().find(["Q"]).is_ok()), (1, true));
    assert_eq!(now.describe().trees[1].nodes, [1]);
}

#[test]
fn columns_that_share_their_paths_name_the_same_units() {
    let paths = [vec!["B", "C"], vec!["B"], vec![], vec!["B", "H"], vec!["B", "C", "W"]];
    let shared = Paths::new(paths.clone());
    let store = Store::in_memory(schema()).unwrap();
    let mut load = store.load().unwrap().buffer(3);
    let rows = || (0..5).map(Some).collect();
    for first in [0, 10, 20] {
        let columns = || Columns::numbered((first..first + 5).collect(), vec![first as i64; 5]);
        load.push_columns(columns().place(&shared, rows())).unwrap();
        let other = Columns::numbered(vec![first + 5], vec![0]).place([["Q"]], vec![Some(0)]);
        load.push_columns(other).unwrap();
    }
    load.finish().unwrap();
    let now = store.snapshot();
    assert_eq!(now.place().len(), 5);
    for first in [0, 10, 20] {
        for (id, path) in (first..).zip(paths.iter().chain([&vec!["Q"]])) {
            let order = now.get(&id.to_string()).unwrap().unwrap();
            let names: Vec<&str> = order.place_path().iter().map(|step| step.name.as_str()).collect();
            assert_eq!(&names, path);
        }
    }
}

#[test]
fn what_every_order_has_is_not_set_as_a_field() {
    let store = Store::in_memory(schema()).unwrap();
    let mut load = store.load().unwrap();
    for order in [Order::new("1", 0).clock("created", 1), Order::new("1", 0).tree("place", ["B"])] {
        let error = load.push(order).unwrap_err().to_string();
        assert!(error.contains("Order::new, place and location"), "{error}");
    }
}

#[test]
fn an_unknown_value_is_named_and_a_counter_of_one_counts_nothing() {
    let schema =
        Schema::builder("UTC").place(["city"]).category("channel").counter("web", is("channel", "web"));
    let store = Store::in_memory(schema.build().unwrap()).unwrap();
    let mut load = store.load().unwrap();
    load.push(Order::new("1", 0).category("channel", "phone")).unwrap();
    load.finish().unwrap();
    let now = store.snapshot();
    let error = now.run(&Query::zoom().filter(is("channel", "phon"))).unwrap_err().to_string();
    assert_eq!(error, "there is no value of channel \"phon\"; the nearest are phone");
    let answer = now.run(&Query::zoom().metric(counter("web"))).unwrap();
    assert_eq!(answer.rows().next().unwrap().get(&counter("web")), Figure::Count(0));
}

#[test]
fn bases_under_others_add_nothing() {
    let store = filled(&Memory::default());
    let now = store.snapshot();
    let rows = |query: &Query| -> Vec<String> {
        now.run(query).unwrap().rows().map(|row| format!("{} {}", row.path(), row.count())).collect()
    };
    let bases =
        Query::zoom().within(["B", "C", "W"]).within(["B", "H"]).within(["B", "C"]).within(["B", "H"]);
    assert_eq!(rows(&bases), ["B/C 3", "B/H 1"]);
    assert_eq!(rows(&bases.clone().level("street")), ["B/C/W 2", "B/C/Z 1", "B/H 1"]);
    assert_eq!(rows(&bases.within(["B"])), ["B 4"]);
}

#[test]
fn opening_reads_footers_and_not_data() {
    let storage = Memory::default();
    let store = Store::create_on(Arc::new(storage.clone()), schema()).unwrap();
    let mut load = store.load().unwrap();
    for id in 0..20_000 {
        load.push(order(id, id % 28 + 1, &["B", "C", "W"], "yes")).unwrap();
    }
    let bytes = load.finish().unwrap().bytes;
    drop(store);
    let before = storage.bytes_read();
    let _store = Store::open_on(Arc::new(storage.clone())).unwrap();
    let read = storage.bytes_read() - before;
    assert!(bytes > 50_000, "{bytes} bytes of segments");
    assert!(read < 6_000, "{read} bytes read of {bytes}");
}
