//! Every question gets the model's answer, on every way to the orders.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use zonal::{Access, Query, Snapshot, Sort};

use crate::generate::cases;
use crate::model::{Ask, Fault, Kind, Model, Row, Targets};
use crate::store::{self, answer, fault};

pub(crate) const WAYS: [Option<Access>; 4] =
    [None, Some(Access::Views), Some(Access::Bitmaps), Some(Access::Scan)];

/// So many cases; with `PROPTEST_CASES`, that many for each 300. Nothing is written down: a failure becomes a
/// test with a name of its own.
pub(crate) fn config(cases: u32) -> Config {
    let default = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").map_or(300, |_| default.cases);
    let cases = (u64::from(cases) * u64::from(asked)).div_ceil(300);
    Config {
        cases: u32::try_from(cases).expect("not that many"),
        failure_persistence: None,
        max_shrink_iters: 100_000,
        max_shrink_time: 60_000,
        ..default
    }
}

/// The rows that a store with the orders of the model gives, checked to be the same on every way to them.
pub(crate) fn ask_store(model: &Model, ask: &Ask) -> Vec<Row> {
    let store = store::of(model);
    let snapshot = store.snapshot();
    let answers =
        WAYS.map(|way| answer(&snapshot, &by_way(ask.query(), way)).expect("a question that makes sense"));
    let [first, others @ ..] = answers;
    others.iter().for_each(|other| assert_eq!(*other, first));
    first
}

pub(crate) fn by_way(query: Query, way: Option<Access>) -> Query {
    match way {
        Some(access) => query.access(access),
        None => query,
    }
}

pub(crate) type Checked = Result<(), TestCaseError>;

/// How often segments were read in each way, a question was answered or refused, and a kind of row was given.
pub(crate) type Taken = BTreeMap<String, usize>;

pub(crate) fn take(taken: &mut Taken, what: String) {
    *taken.entry(what).or_default() += 1;
}

#[test]
fn every_question_gets_the_answer_of_the_model() {
    let taken = RefCell::new(Taken::new());
    let config = config(300);
    let cases_run = config.cases as usize;
    let checked = TestRunner::new(config).run(&cases(6), |case| {
        let (store, model) = store::build(&case);
        let snapshot = store.snapshot();
        for ask in &case.asks {
            check_answer(&snapshot, &model, ask, &mut taken.borrow_mut())?;
            check_filter_text(&model, ask)?;
            check_orders(&snapshot, &model, ask)?;
        }
        check_whole_orders(&snapshot, &model)
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    let taken = taken.into_inner();
    println!("{taken:#?}");
    let ways = ["views", "bitmaps", "scan", "pruned", "answered", "refused"];
    let rows = ["Target", "Remainder", "Subtotal", "Others", "without orders", "undated"];
    for way in ways.into_iter().chain(rows) {
        let times = taken.get(way).copied().unwrap_or(0);
        assert!(times * 10 >= cases_run, "{way} was taken {times} times only, of {taken:#?}");
    }
}

fn check_answer(snapshot: &Snapshot, model: &Model, ask: &Ask, taken: &mut Taken) -> Checked {
    let expected = model.answer(ask);
    for way in WAYS {
        let query = by_way(ask.query(), way);
        let found = answer(snapshot, &query);
        compare(model, ask, way, &found, &expected)?;
        let Ok(explained) = snapshot.explain(&query) else {
            prop_assert!(expected.is_err());
            continue;
        };
        for segment in explained.segments {
            let way =
                segment.access.map_or("pruned".to_owned(), |access| format!("{access:?}").to_lowercase());
            take(taken, way);
        }
    }
    let query = ask.query();
    let json = serde_json::to_string(&query).expect("a query is plain data");
    prop_assert_eq!(
        serde_json::from_str::<Query>(&json).expect("what was written can be read"),
        query,
        "{}",
        json
    );
    take(taken, if expected.is_ok() { "answered" } else { "refused" }.to_owned());
    for row in expected.iter().flatten() {
        take(taken, format!("{:?}", row.kind));
        if row.count == 0 {
            take(taken, "without orders".to_owned());
        }
        if ask.grain.is_some() && row.time.is_none() {
            take(taken, "undated".to_owned());
        }
    }
    Ok(())
}

pub(crate) fn compare(
    model: &Model,
    ask: &Ask,
    way: Option<Access>,
    found: &Result<Vec<Row>, Fault>,
    expected: &Result<Vec<Row>, Vec<Fault>>,
) -> Checked {
    let wrong = match (found, expected) {
        (Ok(found), Ok(expected)) if found == expected => return Ok(()),
        (Err(found), Err(expected)) if expected.contains(found) => return Ok(()),
        (Err(Fault::TooManyGroups), Ok(_)) if model.may_refuse(ask) => return Ok(()),
        (Ok(found), Ok(expected)) => {
            let at = (0..).find(|at| found.get(*at) != expected.get(*at)).unwrap_or(0);
            let row = |rows: &[Row]| format!("{:?}, one of {}", rows.get(at), rows.len());
            format!("row {at} is\n  {}\nand should be\n  {}", row(found), row(expected))
        }
        _ => format!("found {found:?}\nand should be {expected:?}"),
    };
    Err(TestCaseError::fail(format!("by {way:?}, {ask:#?}\n{wrong}")))
}

/// The text form says the same as the filter.
fn check_filter_text(model: &Model, ask: &Ask) -> Checked {
    let text = ask.filter.to_string();
    let read = match model.fields.schema().filter(&text) {
        Ok(read) => read,
        Err(error) => {
            // A name that the schema does not have is found when the text is read.
            let expected = model.faults(ask).contains(&fault(&error));
            prop_assert!(expected, "{}, when reading {} of {:?}", error, text, ask.filter);
            return Ok(());
        }
    };
    if model.faults(ask).is_empty() {
        let again = Ask { filter: read.clone(), ..ask.clone() };
        prop_assert_eq!(model.faults(&again), vec![], "{} of {:?}", text, ask.filter);
        let kept = |ask: &Ask| model.orders(ask, None);
        prop_assert_eq!(kept(&again), kept(ask), "{} of {:?} is {:?}", text, ask.filter, read);
    }
    Ok(())
}

pub(crate) fn check_orders(snapshot: &Snapshot, model: &Model, ask: &Ask) -> Checked {
    let measures = model.fields.of_kind(Kind::Measure);
    let sorts = std::iter::once(None).chain(measures.iter().map(|measure| Some(measure.as_str())));
    // How the asked set is cut does not matter here.
    let listed = Ask { targets: Targets::Bases, by: Vec::new(), metrics: Vec::new(), ..ask.clone() };
    let faults = model.faults(&listed);
    for largest in sorts {
        let sort = largest.map_or(Sort::Newest, |measure| Sort::Largest(measure.to_owned()));
        for (limit, way) in [usize::MAX, 3, 0, 1].into_iter().zip(WAYS) {
            match snapshot.orders(&by_way(ask.query(), way), sort.clone(), limit) {
                Ok(found) => {
                    prop_assert!(faults.is_empty(), "{:?} for {:#?}", faults, ask);
                    let mut expected = model.orders(ask, largest);
                    expected.truncate(limit);
                    prop_assert_eq!(found, expected, "{:?} {} of {:#?}", sort, limit, ask);
                }
                Err(error) => prop_assert!(faults.contains(&fault(&error)), "{} for {:#?}", error, ask),
            }
        }
    }
    Ok(())
}

/// Every order comes back whole, and no other.
fn check_whole_orders(snapshot: &Snapshot, model: &Model) -> Checked {
    let given = model.facts.iter().map(|fact| fact.order.id());
    let others = ["nothing", "0", "00", "7", "18446744073709551615", "18446744073709551616", "a", "A"];
    for id in given.chain(others) {
        let found = snapshot.get(id).expect("a store that is whole");
        prop_assert_eq!(found.as_ref(), model.get(id), "{}", id);
    }
    prop_assert_eq!(snapshot.describe().orders, model.facts.len() as u64);
    Ok(())
}
