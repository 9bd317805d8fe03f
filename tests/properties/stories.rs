//! The model itself, on cases small enough to be computed by hand; the store has to tell the same.

use zonal::RowKind::{Others, Remainder, Subtotal, Target};
use zonal::{Figure, Grain, Metric, Order, RowKind, Span, is};

use crate::model::{Ask, Fields, Model, Row, Targets, Wall};

/// Path, kind, groups and count of every row.
fn told(model: &Model, ask: &Ask) -> Vec<String> {
    let rows = model.answer(ask).expect("a question that makes sense");
    assert_eq!(crate::answers::ask_store(model, ask), rows, "the store tells it another way");
    rows.iter().map(tell).collect()
}

fn tell(row: &Row) -> String {
    let kind = match row.kind {
        RowKind::Target => "",
        RowKind::Remainder => " rest",
        RowKind::Subtotal => " sum",
        _ => " others",
    };
    let groups: String = row
        .groups
        .iter()
        .map(|group| format!(" [{}{}]", group.names.join("/"), if group.remainder { "…" } else { "" }))
        .collect();
    format!("{}{kind}{groups} {}", row.path.join("/"), row.count)
}

fn city() -> Model {
    let mut fields = Fields::new("America/New_York", &["city", "district", "street"]);
    fields.trees.push(("topic".to_owned(), vec!["theme".to_owned(), "item".to_owned()]));
    fields.tags.push("tags".to_owned());
    fields.stored.push("cost".to_owned());
    fields.outcomes.push(("solved".to_owned(), vec!["yes".to_owned(), "no".to_owned()]));
    fields.counters.push(("solved".to_owned(), is("solved", "yes")));
    fields.clocks.push("closed".to_owned());
    fields.keys.push("caller".to_owned());
    Model::new(fields)
}

fn load(model: &mut Model, orders: Vec<Order>) {
    let load = model.load(&orders);
    assert!(!load.refused.contains(&true), "{load:?}");
}

#[test]
fn targets_remainders_and_subtotals_of_a_ragged_tree() {
    let mut model = city();
    load(
        &mut model,
        vec![
            Order::new("1", 0).place(["X", "South", "s1"]),
            Order::new("2", 0).place(["X", "South"]),
            Order::new("3", 0).place(["X", "North", "n1"]),
            Order::new("4", 0).place(["X", "South", "s2"]),
            Order::new("5", 0),
            Order::new("6", 0).place(["X"]),
            Order::new("7", 0).place(["X", "South", "s1"]),
        ],
    );
    let mut ask = Ask { targets: Targets::Level("street".to_owned()), ..Ask::zoom() };
    let streets = ["X/South/s1 2", "X/South/s2 1", "X/North/n1 1"];
    let [s1, s2, n1] = streets;
    assert_eq!(told(&model, &ask), [" rest 1", "X rest 1", "X/South rest 1", s1, s2, n1]);
    ask.between = true;
    let all =
        [" rest 1", "X sum 6", "X rest 1", "X/South sum 4", "X/South rest 1", s1, s2, "X/North sum 1", n1];
    assert_eq!(told(&model, &ask), all);
    // Of two bases the lower one adds nothing; what lies above them is not asked for.
    ask.within = vec![["X", "South", "s1"].into(), ["X", "South"].into()];
    assert_eq!(told(&model, &ask), ["X/South rest 1", s1, s2]);
    ask.within = vec![["X"].into()];
    ask.targets = Targets::Depth(1);
    assert_eq!(told(&model, &ask), ["X rest 1", "X/South 4", "X/North 1"]);
    ask.within.clear();
    assert_eq!(told(&model, &ask), [" rest 1", "X rest 1", "X/South 4", "X/North 1"]);
    ask.targets = Targets::Bases;
    assert_eq!(told(&model, &ask), [" 7"]);
}

#[test]
fn others_count_an_order_with_several_tags_once() {
    let mut model = city();
    load(
        &mut model,
        vec![
            Order::new("1", 0).tags("tags", ["a", "b"]).key("caller", 1).measure("cost", 5),
            Order::new("2", 0).tags("tags", ["a", "c", "b"]).key("caller", 1).measure("cost", 7),
            Order::new("3", 0).tags("tags", ["a"]).key("caller", 2),
            Order::new("4", 0).measure("cost", 1),
        ],
    );
    let by = vec![("tags".to_owned(), None)];
    let mut ask = Ask { by, top: Some(1), ..Ask::zoom() };
    ask.metrics =
        ["count", "distinct:caller", "sum:cost", "p50:cost"].map(|metric| metric.parse().unwrap()).to_vec();
    // b (1, 2), c (2) and none (4) are three orders, of two of which 1 is the caller.
    assert_eq!(told(&model, &ask), [" [a] 3", " others [] 3"]);
    let figures = [Figure::Count(3), Figure::Count(1), Figure::Sum(13), Figure::Value(5)];
    assert_eq!(model.answer(&ask).unwrap()[1].figures, figures);
    ask.top = None;
    assert_eq!(told(&model, &ask), [" [a] 3", " [b] 2", " [c] 1", " [] 1"]);
    // Ties stand in the order of the rows: c came before none.
    ask.top = Some(3);
    assert_eq!(told(&model, &ask), [" [a] 3", " [b] 2", " [c] 1", " others [] 1"]);
}

#[test]
fn a_tree_to_group_by_has_remainders_of_its_own() {
    let mut model = city();
    load(
        &mut model,
        vec![
            Order::new("1", 0).tree("topic", ["heat", "cold"]),
            Order::new("2", 0).tree("topic", ["heat"]),
            Order::new("3", 0),
            Order::new("4", 0).tree("topic", ["heat", "loud"]),
        ],
    );
    let mut ask = Ask { by: vec![("topic".to_owned(), Some("item".to_owned()))], ..Ask::zoom() };
    assert_eq!(told(&model, &ask), [" […] 1", " [heat…] 1", " [heat/cold] 1", " [heat/loud] 1"]);
    ask.by = vec![("topic".to_owned(), None)];
    assert_eq!(told(&model, &ask), [" […] 1", " [heat] 3"]);
}

#[test]
fn rates_rank_as_fractions_and_no_rate_comes_last() {
    let mut model = city();
    let order = |id: &str, unit: &str, solved: Option<&str>| {
        let order = Order::new(id, 0).place([unit]);
        solved.map_or(order.clone(), |label| order.outcome("solved", label))
    };
    load(
        &mut model,
        vec![
            order("1", "none", None),
            order("2", "half", Some("yes")),
            order("3", "half", Some("no")),
            order("4", "full", Some("yes")),
            order("5", "nothing", Some("no")),
        ],
    );
    model.fields.counters.push(("judged".to_owned(), !zonal::missing("solved")));
    let rate = Metric::Rate("solved".to_owned(), "judged".to_owned());
    let city = Targets::Level("city".to_owned());
    let ask = Ask { targets: city, metrics: vec![rate], top: Some(9), ..Ask::zoom() };
    assert_eq!(told(&model, &ask), ["full 1", "half 2", "nothing 1", "none 1"]);
}

#[test]
fn time_is_dense_and_an_hour_shown_twice_is_two() {
    let wall = Wall::new("America/New_York");
    // Clocks go back at 2:00 on November 6th 2011.
    let midnight = wall.first_second(jiff::civil::date(2011, 11, 6));
    let mut model = city();
    let order = |id: &str, hours: i64| Order::new(id, midnight + hours * 3_600 + 1);
    load(&mut model, vec![order("1", 0), order("2", 2), order("3", 4), order("4", 25)]);
    let mut ask = Ask {
        grain: Some(Grain::Hour),
        span: Span::new(midnight, midnight + 5 * 3_600).unwrap(),
        ..Ask::zoom()
    };
    assert_eq!(told(&model, &ask), [" 1", " 0", " 1", " 0", " 1"]);
    ask.grain = Some(Grain::Day);
    assert_eq!(told(&model, &ask), [" 3"]);
    ask.span = Span::ALL;
    assert_eq!(told(&model, &ask), [" 3", " 1"], "the day has 25 hours");
    assert_eq!(model.answer(&ask).unwrap()[1].time, Some(midnight + 25 * 3_600));
}

#[test]
fn orders_without_the_clock_have_a_row_without_time() {
    let mut model = city();
    load(
        &mut model,
        vec![
            Order::new("1", 0).place(["a"]).clock("closed", 100),
            Order::new("2", 0).place(["a"]),
            Order::new("3", 0).place(["b"]).clock("closed", 2 * 86_400),
        ],
    );
    let mut ask = Ask { grain: Some(Grain::Day), clock: "closed".to_owned(), ..Ask::zoom() };
    ask.targets = Targets::Level("city".to_owned());
    assert_eq!(told(&model, &ask), ["a 1", "a 0", "a 0", "a 1", "b 0", "b 0", "b 1"]);
    ask.span = Span::since(1).unwrap();
    assert_eq!(told(&model, &ask), ["a 1", "a 0", "a 0", "b 0", "b 0", "b 1"]);
}

#[test]
fn units_without_orders_are_listed_when_asked_for() {
    let mut model = city();
    load(
        &mut model,
        vec![
            Order::new("1", 0).place(["a", "x"]).tags("tags", ["t"]),
            Order::new("2", 0).place(["a", "y"]).tags("tags", ["u"]),
            Order::new("3", 50).place(["b", "z"]),
        ],
    );
    let district = Targets::Level("district".to_owned());
    let mut ask = Ask { targets: district, span: Span::until(50).unwrap(), all_units: true, ..Ask::zoom() };
    assert_eq!(told(&model, &ask), ["a/x 1", "a/y 1", "b/z 0"]);
    ask.by = vec![("tags".to_owned(), None)];
    assert_eq!(
        told(&model, &ask),
        ["a/x [t] 1", "a/x [u] 0", "a/y [t] 0", "a/y [u] 1", "b/z [t] 0", "b/z [u] 0"]
    );
}

#[test]
fn quantiles_are_values_whose_share_is_reached() {
    let mut model = city();
    load(&mut model, (1..=4i64).map(|n| Order::new(n.to_string(), 0).measure("cost", n * 10)).collect());
    let figure = |metric: &str| {
        let ask = Ask { metrics: vec![metric.parse().unwrap()], ..Ask::zoom() };
        told(&model, &ask);
        model.answer(&ask).unwrap()[0].figures[0]
    };
    let quantiles = ["p0:cost", "p25:cost", "p26:cost", "p50:cost", "p100:cost"].map(figure);
    assert_eq!(quantiles, [10, 10, 20, 20, 40].map(Figure::Value));
    assert_eq!(figure("mean:cost"), Figure::Mean { sum: 100, count: 4 });
}

#[test]
fn of_two_orders_with_one_id_the_later_stays_and_a_known_id_gets_a_new_version() {
    let mut model = city();
    load(&mut model, vec![Order::new("7", 1).place(["early"]), Order::new("7", 2)]);
    assert_eq!(model.facts.len(), 1);
    assert_eq!(model.get("7").unwrap().created().seconds(), Some(2));
    assert_eq!(model.place.nodes.len(), 1, "a unit stays, though no order has it");
    assert_eq!(model.load(&[Order::new("8", 0), Order::new("7", 0)]).loaded.superseded, 1);
    assert_eq!(model.facts.len(), 2);
    assert_eq!(model.get("7").unwrap().created().seconds(), Some(0));
    // Numbers stand before texts.
    load(&mut model, ["b", "007", "10", "9"].map(|id| Order::new(id, 2)).to_vec());
    let ids: Vec<String> =
        model.orders(&Ask::zoom(), None).iter().map(|order| order.id().to_owned()).collect();
    assert_eq!(ids, ["9", "10", "007", "b", "7", "8"]);
}

#[test]
fn kinds_of_rows_are_told_apart() {
    let kinds = [Target, Remainder, Subtotal, Others];
    assert_eq!(kinds.map(|kind| kinds.iter().filter(|other| **other == kind).count()), [1; 4]);
}
