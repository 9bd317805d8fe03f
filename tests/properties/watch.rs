//! What stands out, against counts made order by order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use zonal::{Alignment, Concentration, Cycle, Figure, Grain, Sort, Span, count};

use crate::analysis::check;
use crate::model::{Ask, Fact, Model, Targets};

/// The unit of an order at a level; none for one that lies above it.
pub(crate) fn unit(model: &Model, fact: &Fact, level: usize) -> Option<Vec<String>> {
    let node = model.place.at_level(fact.node("place")?, level)?;
    Some(model.place.path(node))
}

/// The question, cut into the units of the second level where there is one.
pub(crate) fn by_units(model: &Model, ask: &Ask) -> (Ask, usize) {
    let level = 1.min(model.place.levels.len() - 1);
    let targets = Targets::Level(model.place.levels[level].clone());
    (
        Ask {
            grain: None,
            within: Vec::new(),
            metrics: Vec::new(),
            all_units: false,
            targets,
            ..ask.clone()
        },
        level,
    )
}

/// How many orders each unit has in a span.
fn counts(model: &Model, ask: &Ask, level: usize, span: Span) -> BTreeMap<Vec<String>, u64> {
    let mut counts = BTreeMap::new();
    for fact in model.asked(&Ask { span, targets: Targets::Bases, ..ask.clone() }) {
        if let Some(unit) = unit(model, fact, level) {
            *counts.entry(unit).or_default() += 1;
        }
    }
    counts
}

/// A moment at which something has just happened.
fn moment(model: &Model, ask: &Ask) -> Option<i64> {
    let all = Ask { span: Span::ALL, targets: Targets::Bases, within: Vec::new(), ..ask.clone() };
    let times = model.asked(&all).into_iter().filter_map(|fact| fact.clock(&ask.clock));
    times.filter(|time| (-2_000_000_000..7_000_000_000).contains(time)).max().map(|time| time + 1)
}

#[test]
fn clusters_are_the_groups_with_enough_orders_in_the_window() {
    check(200, |snapshot, model, ask| {
        let (ask, level) = by_units(model, ask);
        let Some(at) = moment(model, &ask) else { return Ok(0) };
        let outcome = model.fields.outcomes.first().map(|(name, _)| name.clone());
        let query = outcome.iter().fold(ask.query(), |query, outcome| query.by(outcome));
        let clusters = snapshot.clusters(&query, at, 7, 2).expect("a question that makes sense");
        let instant = Span::new(at, at).expect("in range");
        let since =
            snapshot.calendar().earlier(instant, 7, Grain::Day, Alignment::SameDates).expect("in range");
        let asked = Ask {
            span: Span::new(since.start(), at).expect("in range"),
            targets: Targets::Bases,
            ..ask.clone()
        };
        let mut expected: BTreeMap<(Vec<String>, Option<String>), u64> = BTreeMap::new();
        let facts = model.asked(&asked);
        for fact in &facts {
            let value = outcome.as_ref().and_then(|outcome| fact.label(outcome)).map(str::to_owned);
            if let Some(unit) = unit(model, fact, level) {
                *expected.entry((unit, value)).or_default() += 1;
            }
        }
        expected.retain(|_, size| *size >= 2);
        let mut found = BTreeMap::new();
        for cluster in clusters.rows() {
            let names: Vec<String> = cluster.path().names().into_iter().map(str::to_owned).collect();
            let value = cluster.groups().next().and_then(|(_, group)| group.value()).map(str::to_owned);
            let behind = snapshot
                .orders(&cluster.query(), Sort::Newest, usize::MAX)
                .expect("a question that makes sense");
            prop_assert_eq!(behind.len() as u64, cluster.size());
            found.insert((names, value), cluster.size());
        }
        let share = Figure::Ratio { numerator: expected.values().sum(), denominator: facts.len() as u64 };
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(clusters.share(), share);
        prop_assert!(clusters.rows().map(|cluster| cluster.size()).is_sorted_by(|a, b| a >= b));
        Ok(facts.len())
    });
}

#[test]
fn what_a_surge_expects_is_the_mean_of_eight_weeks() {
    check(200, |snapshot, model, ask| {
        let (ask, level) = by_units(model, ask);
        let Some(at) = moment(model, &ask) else { return Ok(0) };
        let surges = snapshot.surges(&ask.query(), at, 1).expect("a question that makes sense");
        let day = snapshot.calendar().step(Grain::Day, at);
        let back = |steps: u32, grain| {
            snapshot.calendar().earlier(day, steps, grain, Alignment::SameDates).expect("in range")
        };
        let of = |span| counts(model, &ask, level, span);
        let observed = of(day);
        prop_assert_eq!(surges.rows().len(), observed.len());
        let weeks: Vec<_> = (1..=8).map(|weeks| of(back(weeks, Grain::Week))).collect();
        for surge in surges.rows() {
            let names: Vec<String> = surge.path().names().into_iter().map(str::to_owned).collect();
            prop_assert_eq!(Some(surge.observed()), observed.get(&names).copied());
            let past: u64 = weeks.iter().filter_map(|week| week.get(&names)).sum();
            prop_assert!((surge.expected() - (past as f64 / 8.0).max(1.0 / 16.0)).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&surge.probability()));
        }
        prop_assert!(surges.rows().map(|surge| surge.probability()).is_sorted());
        Ok(observed.len())
    });
}

#[test]
fn concentration_is_that_of_all_pairs() {
    check(200, |snapshot, model, ask| {
        let (ask, level) = by_units(model, ask);
        let counts: Vec<f64> =
            counts(model, &ask, level, ask.span).into_values().map(|count| count as f64).collect();
        let spread =
            Concentration::of(&snapshot.run(&ask.query().metric(count())).expect("makes sense"), &count());
        let (many, total) = (counts.len() as f64, counts.iter().sum::<f64>());
        if counts.is_empty() {
            prop_assert_eq!((spread.hhi(), spread.gini()), (None, None));
            return Ok(0);
        }
        let pairs: f64 = counts.iter().flat_map(|a| counts.iter().map(move |b| (a - b).abs())).sum();
        let gini = spread.gini().expect("there are orders").to_f64();
        prop_assert!((gini - pairs / (2.0 * many * total)).abs() < 1e-12);
        let hhi: f64 = counts.iter().map(|count| (count / total).powi(2)).sum();
        prop_assert!((spread.hhi().expect("there are orders").to_f64() - hhi).abs() < 1e-12);
        Ok(counts.len())
    });
}

#[test]
fn a_profile_has_every_order_in_its_hour() {
    check(100, |snapshot, model, ask| {
        let ask = Ask { grain: None, metrics: Vec::new(), all_units: false, ..ask.clone() };
        let Ok(seasons) = snapshot.profile(&ask.query(), Cycle::HourOfDay) else { return Ok(0) };
        let mut expected = [0; 24];
        let facts = model.asked(&ask);
        for time in facts.iter().filter_map(|fact| fact.clock(&ask.clock)) {
            expected[usize::from(model.wall.local(time).hour().unsigned_abs())] += 1;
        }
        let found: Vec<u64> = seasons.iter().map(|season| season.orders).collect();
        prop_assert_eq!(found, expected.to_vec());
        let hours = snapshot.run(&ask.query().grain(Grain::Hour)).expect("as before");
        let steps: std::collections::BTreeSet<i64> = hours.rows().filter_map(|row| row.time()).collect();
        prop_assert_eq!(seasons.iter().map(|season| season.times).sum::<u64>(), steps.len() as u64);
        Ok(facts.len())
    });
}
