//! Attributes, quadrants and concentration.

use super::*;
use crate::{Figure, Node};

/// A city of streets, each with orders as in [`street`].
fn city(streets: &[(&str, [usize; 6])]) -> Store {
    store(streets.iter().flat_map(|(name, counts)| street(name, *counts)))
}

fn node(now: &Snapshot, name: &str) -> Node {
    now.unit(["城", name]).unwrap()
}

#[test]
fn complaints_are_counted_for_each_ten_thousand() {
    let rate = Attribute { value: 38_410, since: 0 }.rate(379, 10_000).unwrap();
    assert_eq!(format!("{rate:.2}"), "98.67");
    assert_eq!(Attribute { value: 0, since: 0 }.rate(379, 10_000), None);
}

#[test]
fn attributes_hold_from_their_date_and_add_up_where_all_are_known() {
    let store = city(&[("甲", [1; 6]), ("乙", [1; 6])]);
    let now = store.snapshot();
    let (top, a, b) = (now.unit(["城"]).unwrap(), node(&now, "甲"), node(&now, "乙"));
    let mut attributes = Attributes::new(&now);
    attributes.set("residents", a, 100, 7);
    attributes.set("residents", a, 200, 8);
    let get = |attributes: &Attributes, unit, at| {
        attributes.get("residents", unit, at).map(|found| (found.value, found.since))
    };
    assert_eq!(
        [99, 100, 199, 200].map(|at| get(&attributes, a, at)),
        [None, Some((7, 100)), Some((7, 100)), Some((8, 200))]
    );
    assert_eq!(get(&attributes, top, 300), None);
    attributes.set("residents", b, 150, 5);
    assert_eq!([149, 150, 300].map(|at| get(&attributes, top, at)), [None, Some((12, 100)), Some((13, 150))]);
    attributes.set("residents", top, 250, 99);
    assert_eq!(get(&attributes, top, 300), Some((99, 250)));
    attributes.set("residents", a, 200, 9);
    assert_eq!(get(&attributes, a, 300), Some((9, 200)));
    assert!(attributes.get("households", a, 300).is_none());
}

#[cfg(feature = "import")]
#[test]
fn attributes_are_read_from_csv() {
    let store = city(&[("甲", [1; 6])]);
    let now = store.snapshot();
    let read = |text: &str| Attributes::from_csv(&now, text.as_bytes());
    let csv = "\u{feff}unit,since,residents,households\n城/甲,2020-11-01,10,\n城/甲, 2021-11-01 ,12,4\n";
    let attributes = read(csv).unwrap();
    let at = |name, date: &str| {
        attributes.get(name, node(&now, "甲"), now.calendar().parse(date).unwrap()).map(|found| found.value)
    };
    assert_eq!((at("residents", "2021-01-01"), at("residents", "2022-01-01")), (Some(10), Some(12)));
    assert_eq!((at("households", "2021-01-01"), at("households", "2022-01-01")), (None, Some(4)));
    for (csv, says) in [
        ("unit,residents\n", "since"),
        ("unit,since,residents\n城/丙,2020-01-01,1\n", "line 2"),
        ("unit,since,residents\n城/甲,2020-01-01,1\n城/甲,x,1\n", "line 3"),
        ("unit,since,residents\n城/甲,2020-01-01,1.5\n", "1.5"),
        ("unit,since,residents\n城/甲,2020-01-01\n", "line 2"),
    ] {
        let error = read(csv).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// Satisfaction 0.9 and 0.1, complaints 100 and 10 for each 10,000; and units that have no cell.
fn four_cells(minimum: u64, threshold: Threshold) -> Vec<(String, Option<Cell>, Option<String>)> {
    let street = |volume: usize, satisfied: usize| [volume, volume, 0, 0, satisfied, 0];
    let store = city(&[
        ("好静", street(40, 36)),
        ("好闹", street(40, 36)),
        ("差静", street(40, 4)),
        ("差闹", street(40, 4)),
        ("少", street(29, 29)),
        ("无", street(40, 20)),
    ]);
    let now = store.snapshot();
    let mut attributes = Attributes::new(&now);
    for (name, residents) in
        [("好静", 40_000), ("好闹", 4_000), ("差静", 40_000), ("差闹", 4_000), ("少", 29_000)]
    {
        attributes.set("residents", node(&now, name), 0, residents);
    }
    let ranking = by_street(&now, &three_rates());
    let question = Quadrants::new("satisfaction", "residents").threshold(threshold).minimum(minimum);
    let map =
        question.label(Cell { satisfied: true, busy: false }, "model").map(&ranking, &attributes, 1).unwrap();
    let shown =
        |row: Placed<'_>| (row.path().names()[1].to_owned(), row.cell(), row.label().map(str::to_owned));
    let mut rows: Vec<_> = map.rows().map(shown).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

#[test]
fn units_fall_into_four_cells() {
    let cell = |satisfied, busy| Some(Cell { satisfied, busy });
    let fixed = Threshold::Fixed { satisfaction: "0.9".parse().unwrap(), complaints: 100.into() };
    for threshold in [Threshold::Pooled, Threshold::Median, fixed] {
        let rows = four_cells(30, threshold);
        let find =
            |name: &str| rows.iter().find(|row| row.0 == name).map(|row| (row.1, row.2.as_deref())).unwrap();
        assert_eq!(find("好静"), (cell(true, false), Some("model")));
        assert_eq!(find("好闹"), (cell(true, true), Some("拐点")));
        assert_eq!(find("差静"), (cell(false, false), Some("堵点")));
        assert_eq!(find("差闹"), (cell(false, true), Some("难点")));
        assert_eq!([find("少"), find("无")], [(None, None); 2]);
    }
    let rows = four_cells(29, Threshold::Pooled);
    assert_eq!(rows.iter().filter(|row| row.1.is_some()).count(), 5);
}

#[test]
fn cells_are_followed_from_period_to_period() {
    let map = |satisfied: usize| {
        let store = city(&[("甲", [10, 10, 0, 0, satisfied, 0]), ("乙", [10, 10, 0, 0, 5, 0])]);
        let now = store.snapshot();
        let mut attributes = Attributes::new(&now);
        ["甲", "乙"].into_iter().for_each(|name| attributes.set("residents", node(&now, name), 0, 100));
        let ranking = by_street(&now, &three_rates());
        Quadrants::new("satisfaction", "residents").minimum(1).map(&ranking, &attributes, 0).unwrap()
    };
    let last = map(9).after(&map(9).after(&map(9).after(&map(1))));
    let first = last.rows().next().unwrap();
    assert_eq!((first.path().names()[1], first.periods()), ("甲", 3));
    assert_eq!(first.previous(), first.cell());
    let turned = map(9).after(&map(1));
    let turned = turned.rows().next().unwrap();
    assert_eq!((turned.periods(), turned.previous().map(|cell| cell.satisfied)), (1, Some(false)));
    assert_eq!(turned.cell().unwrap().to_string(), "high satisfaction, high complaints");
}

#[test]
fn what_quadrants_do_not_know_is_told() {
    let store = city(&[("甲", [1; 6])]);
    let now = store.snapshot();
    let ranking = by_street(&now, &three_rates());
    let mut attributes = Attributes::new(&now);
    assert!(Quadrants::new("satisfaction", "residents").map(&ranking, &attributes, 0).is_err());
    attributes.set("residents", node(&now, "甲"), 0, 1);
    assert!(Quadrants::new("happiness", "residents").map(&ranking, &attributes, 0).is_err());
    assert!(Quadrants::new("satisfaction", "residents").map(&ranking, &attributes, 0).is_ok());
}

#[test]
fn concentration_goes_from_even_to_one_has_all() {
    let of = |counts: &[usize]| {
        let names = ["甲", "乙", "丙", "丁"];
        let orders: Vec<_> = counts.iter().zip(names).map(|(n, name)| (name, [*n, 0, 0, 0, 0, 0])).collect();
        let store = city(&orders);
        let query = Query::zoom().level("district").metric(crate::count());
        Concentration::of(&store.snapshot().run(&query).unwrap(), &crate::count())
    };
    let even = of(&[2, 2, 2, 2]);
    assert_eq!((even.hhi(), even.gini()), ("1/4".parse().ok(), Some(0.into())));
    // Shares 40, 30, 20 and 10 %: HHI 0.30; Gini 0.25.
    let steps = of(&[1, 4, 2, 3]);
    assert_eq!((steps.hhi(), steps.gini()), ("0.3".parse().ok(), "0.25".parse().ok()));
    assert_eq!(steps.top_share(2), Figure::Ratio { numerator: 7, denominator: 10 });
    assert_eq!(steps.top_share(9), Figure::Ratio { numerator: 10, denominator: 10 });
    let none = of(&[]);
    assert_eq!(
        (none.hhi(), none.gini(), none.top_share(1)),
        (None, None, Figure::Ratio { numerator: 0, denominator: 0 })
    );
}
