//! What the parts of an answer add up to.
//!
//! The first law: targets and remainders together are the asked set, each order exactly once. These tests need no
//! model: they ask one store twice, cut and whole.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use zonal::{Answer, Figure, Grain, Metric, Row, RowKind, Snapshot, Span};

use crate::answers::config;
use crate::generate::{Case, cases};
use crate::model::{Ask, Fields, Kind, Targets};
use crate::store;

/// Every metric that adds up.
fn additive(fields: &Fields) -> Vec<Metric> {
    let counters = || fields.counters.iter().map(|(name, _)| name.clone());
    let measures = fields.of_kind(Kind::Measure);
    let mut metrics = vec![Metric::Count];
    metrics.extend(counters().map(Metric::Counter));
    metrics.extend(counters().map(|counter| Metric::Rate(counter, "count".to_owned())));
    metrics.extend(measures.iter().cloned().map(Metric::Sum));
    metrics.extend(measures.iter().cloned().map(Metric::Mean));
    metrics
}

/// The parts of which a figure is made.
fn parts(figure: Figure) -> [i128; 2] {
    match figure {
        Figure::Count(count) => [count.into(), 0],
        Figure::Sum(sum) => [sum, 0],
        Figure::Ratio { numerator, denominator } => [numerator.into(), denominator.into()],
        Figure::Mean { sum, count } => [sum, count.into()],
        other => panic!("{other:?} does not add up"),
    }
}

/// Orders and figures of some rows, added up.
fn total<'a>(rows: impl Iterator<Item = Row<'a>>, metrics: usize) -> Vec<[i128; 2]> {
    rows.fold(vec![[0; 2]; metrics + 1], |mut total, row| {
        let orders = Figure::Count(row.count());
        for (total, figure) in total.iter_mut().zip(std::iter::once(orders).chain(row.figures())) {
            let [first, second] = parts(figure);
            *total = [total[0] + first, total[1] + second];
        }
        total
    })
}

/// Targets, remainders and others.
fn disjoint(answer: &Answer) -> impl Iterator<Item = Row<'_>> {
    answer.rows().filter(|row| row.kind() != RowKind::Subtotal)
}

/// Runs a check on the answerable questions of random cases, asked for every metric that adds up and grouped by what
/// adds up: an order has several tags, but one of everything else.
fn check(check: impl Fn(&Snapshot, &Ask) -> Result<(), TestCaseError>) {
    let checked = TestRunner::new(config(150)).run(&cases(5), |case: Case| {
        let (store, model) = store::build(&case);
        let snapshot = store.snapshot();
        for ask in &case.asks {
            let mut ask = Ask { metrics: additive(&case.fields), limit: 10_000, ..ask.clone() };
            ask.by.retain(|(field, _)| !case.fields.tags.contains(field));
            if model.faults(&ask).is_empty() {
                check(&snapshot, &ask)?;
            }
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}

fn groups<'a>(row: &Row<'a>) -> Vec<Vec<&'a str>> {
    row.groups().map(|(_, group)| group.names()).collect()
}

fn run(snapshot: &Snapshot, ask: &Ask) -> Option<Answer> {
    match snapshot.run(&ask.query()) {
        Ok(answer) => Some(answer),
        Err(zonal::Error::TooManyGroups { .. }) => None,
        Err(error) => panic!("{error} for {ask:#?}"),
    }
}

#[test]
fn targets_remainders_and_others_are_the_asked_set() {
    check(|snapshot, ask| {
        let metrics = ask.metrics.len();
        let whole = Ask { targets: Targets::Bases, grain: None, by: Vec::new(), top: None, ..ask.clone() };
        let (Some(whole), Some(cut)) = (run(snapshot, &whole), run(snapshot, ask)) else { return Ok(()) };
        prop_assert_eq!(total(disjoint(&cut), metrics), total(whole.rows(), metrics), "{:#?}", ask);
        Ok(())
    });
}

#[test]
fn a_subtotal_is_the_sum_of_what_lies_under_it() {
    check(|snapshot, ask| {
        let ask = Ask { between: true, top: None, ..ask.clone() };
        let Some(answer) = run(snapshot, &ask) else { return Ok(()) };
        let metrics = ask.metrics.len();
        // Nodes that only their codes tell apart have one path, and so one key here.
        let mut sums: BTreeMap<_, Vec<Row<'_>>> = BTreeMap::new();
        for row in answer.rows().filter(|row| row.kind() == RowKind::Subtotal) {
            sums.entry((row.node(), row.time(), groups(&row))).or_default().push(row);
        }
        for ((base, time, by), sums) in sums {
            let base = base.expect("a unit");
            let under = disjoint(&answer).filter(|row| {
                let inside = row.node().is_some_and(|unit| snapshot.place().is_under(unit, base));
                inside && row.time() == time && groups(row) == by
            });
            let expected = total(sums.into_iter(), metrics);
            prop_assert_eq!(total(under, metrics), expected, "{:?} {:?} of {:#?}", base, by, ask);
        }
        Ok(())
    });
}

#[test]
fn coarse_steps_are_the_sums_of_fine_ones() {
    use Grain::{Day, HalfYear, Hour, Month, Quarter, Week, Year};
    let pairs =
        [(Hour, Day), (Day, Week), (Day, Month), (Month, Quarter), (Quarter, HalfYear), (Month, Year)];
    check(|snapshot, ask| {
        let metrics = ask.metrics.len();
        for (fine, coarse) in pairs.clone() {
            let by_step = |grain| {
                run(
                    snapshot,
                    &Ask { grain: Some(grain), by: Vec::new(), targets: Targets::Bases, ..ask.clone() },
                )
            };
            // A fine grain over centuries says nothing that one over days does not.
            let Some(whole) = by_step(coarse.clone()).filter(|whole| whole.len() < 200) else { continue };
            let Some(parts) = by_step(fine) else { continue };
            let step = |row: &Row<'_>| row.time().map(|time| snapshot.calendar().start(&coarse, time));
            let key = |row: &Row<'_>| (row.node(), row.kind() == RowKind::Others, step(row));
            let mut sums: BTreeMap<_, Vec<Row<'_>>> = BTreeMap::new();
            disjoint(&parts).for_each(|row| sums.entry(key(&row)).or_default().push(row));
            for row in whole.rows() {
                let parts = sums.remove(&key(&row)).unwrap_or_default();
                let expected = total(std::iter::once(row), metrics);
                prop_assert_eq!(total(parts.into_iter(), metrics), expected, "{:?} {:#?}", key(&row), ask);
            }
            prop_assert!(sums.is_empty(), "steps out of nowhere for {:#?}", ask);
        }
        Ok(())
    });
}

#[test]
fn two_spans_and_two_sides_of_a_filter_are_the_whole() {
    check(|snapshot, ask| {
        let whole = Ask {
            grain: None,
            by: Vec::new(),
            targets: Targets::Bases,
            all_units: true,
            top: None,
            ..ask.clone()
        };
        let metrics = ask.metrics.len();
        let count = |ask: &Ask| total(run(snapshot, ask).expect("few rows").rows(), metrics);
        let both = |one: &Ask, other: &Ask| -> Vec<[i128; 2]> {
            let add = |(a, b): ([i128; 2], [i128; 2])| [a[0] + b[0], a[1] + b[1]];
            count(one).into_iter().zip(count(other)).map(add).collect()
        };
        let rest = Ask { filter: !ask.filter.clone(), ..whole.clone() };
        let all = Ask { filter: zonal::Filter::All, ..whole.clone() };
        prop_assert_eq!(both(&whole, &rest), count(&all), "{:#?}", ask);
        // Orders without the clock are in neither span.
        let middle = ask.span.start().midpoint(ask.span.end());
        let span = |start, end| Span::new(start, end).expect("a span in order");
        let dated = Ask { filter: whole.filter.clone().and(!zonal::missing(&ask.clock)), ..whole };
        let dated = if ask.clock == "created" { Ask { filter: ask.filter.clone(), ..dated } } else { dated };
        let before = Ask { span: span(ask.span.start(), middle), ..dated.clone() };
        let after = Ask { span: span(middle, ask.span.end()), ..dated.clone() };
        prop_assert_eq!(both(&before, &after), count(&dated), "{:#?}", ask);
        Ok(())
    });
}
