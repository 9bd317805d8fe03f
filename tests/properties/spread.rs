//! Callers, circles, cells and levels, against orders looked at one by one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use zonal::Figure;

use crate::analysis::check;
use crate::model::{Ask, Targets};
use crate::watch::{by_units, unit};

#[test]
fn callers_are_the_orders_of_one_key() {
    check(200, |snapshot, model, ask| {
        let (ask, level) = by_units(model, ask);
        let Some(key) = model.fields.keys.first() else { return Ok(0) };
        let outcome = model.fields.outcomes.first().map(|(name, _)| name.clone());
        let query = outcome.iter().fold(ask.query(), |query, outcome| query.by(outcome));
        let callers = snapshot.callers(&query, key).expect("a question that makes sense");
        type Caller = (u64, BTreeSet<Vec<String>>, BTreeMap<String, u64>);
        let mut expected: BTreeMap<u64, Caller> = BTreeMap::new();
        for fact in model.asked(&Ask { targets: Targets::Bases, ..ask.clone() }) {
            let Some(key) = fact.key(key) else { continue };
            let (orders, units, values) = expected.entry(key).or_default();
            *orders += 1;
            units.extend(unit(model, fact, level));
            let value = outcome.as_ref().and_then(|outcome| fact.label(outcome));
            value.into_iter().for_each(|value| *values.entry(value.to_owned()).or_default() += 1);
        }
        let mut expected: Vec<_> = expected
            .into_values()
            .map(|(orders, units, values)| (orders, units.len() as u64, values))
            .collect();
        let mut found: Vec<_> = callers
            .rows()
            .map(|caller| {
                let values = outcome.as_ref().and_then(|outcome| caller.values(outcome)).unwrap_or_default();
                (caller.orders(), caller.units(), values.into_iter().collect::<BTreeMap<_, _>>())
            })
            .collect();
        prop_assert!(found.is_sorted_by(|a, b| a.0 >= b.0));
        let orders: u64 = expected.iter().map(|(orders, ..)| orders).sum();
        let busiest: u64 = found.iter().take(2).map(|(orders, ..)| orders).sum();
        prop_assert_eq!(callers.share(2), Figure::Ratio { numerator: busiest, denominator: orders });
        prop_assert_eq!(callers.times().into_iter().map(|(times, many)| times * many).sum::<u64>(), orders);
        found.sort();
        expected.sort();
        prop_assert_eq!(&found, &expected);
        Ok(found.len())
    });
}

/// Where a point lies on a sphere with radius 1.
fn on_sphere((longitude, latitude): (f64, f64)) -> [f64; 3] {
    let (east, north) = (longitude.to_radians(), latitude.to_radians());
    [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]
}

/// The great circle between two points, by the straight line through the Earth.
fn metres(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (a, b) = (on_sphere(a), on_sphere(b));
    let line: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    2.0 * 6_371_008.8 * (line.sqrt() / 2.0).min(1.0).asin()
}

#[test]
fn a_circle_holds_what_is_near_and_a_cell_what_lies_in_it() {
    check(200, |snapshot, model, ask| {
        let ask = Ask {
            grain: None,
            metrics: Vec::new(),
            all_units: false,
            targets: Targets::Bases,
            ..ask.clone()
        };
        if !model.fields.location {
            prop_assert!(snapshot.hot_cells(&ask.query(), (1, 1), 1).is_err());
            return Ok(0);
        }
        let facts = model.asked(&ask);
        let points: Vec<(&str, (i32, i32))> =
            facts.iter().filter_map(|fact| Some((fact.order.id(), fact.order.point()?))).collect();
        let degrees =
            |(longitude, latitude): (i32, i32)| (f64::from(longitude) / 1e7, f64::from(latitude) / 1e7);
        let Some((_, centre)) = points.first() else { return Ok(0) };
        for radius in [0.0, 1.0, 40.0, 5_000.0, 3e6, 3e7] {
            let away = |point: (i32, i32)| metres(degrees(*centre), degrees(point));
            // What lies on the edge may fall to either side.
            if points
                .iter()
                .any(|(_, point)| (away(*point) - radius).abs() < 1e-2 + radius * 1e-9 && radius > 0.0)
            {
                continue;
            }
            let found = snapshot.nearest(&ask.query(), degrees(*centre), radius).expect("makes sense");
            let ids: BTreeSet<&str> = found.iter().map(|(_, order)| order.id()).collect();
            let near = |(_, point): &&(&str, (i32, i32))| {
                if radius > 0.0 { away(*point) <= radius } else { point == centre }
            };
            let expected: BTreeSet<&str> = points.iter().filter(near).map(|(id, _)| *id).collect();
            prop_assert_eq!(ids, expected, "{} metres", radius);
            prop_assert!(found.is_sorted_by(|a, b| a.0 <= b.0));
            for (distance, order) in &found {
                let exact = away(order.point().expect("a point"));
                prop_assert!((distance - exact).abs() < 1e-2 + exact * 1e-7, "{distance} {exact}");
            }
        }
        let mut cells: BTreeMap<(i64, i64), u64> = BTreeMap::new();
        for (_, (longitude, latitude)) in &points {
            let edge = |value: i32, size: f64| (f64::from(value) / size).floor() as i64 * size as i64;
            *cells.entry((edge(*latitude, 30_000.0), edge(*longitude, 70_000.0))).or_default() += 1;
        }
        let mut expected: Vec<_> =
            cells.into_iter().map(|((south, west), orders)| (orders, south, west)).collect();
        expected.sort_by(|a, b| b.0.cmp(&a.0).then(a.cmp(b)));
        let found = snapshot.hot_cells(&ask.query(), (70_000, 30_000), 3).expect("makes sense");
        let found: Vec<_> = found.iter().map(|cell| (cell.orders, cell.south, cell.west)).collect();
        prop_assert_eq!(&found, &expected[..expected.len().min(3)]);
        Ok(points.len())
    });
}

#[test]
fn a_problem_reaches_as_many_units_as_have_orders() {
    check(200, |snapshot, model, ask| {
        let (ask, _) = by_units(model, ask);
        let query = Ask { targets: Targets::Bases, ..ask.clone() }.query();
        let facts = model.asked(&Ask { targets: Targets::Bases, ..ask.clone() });
        for (level, reach) in snapshot.reach(&query).expect("makes sense").into_iter().enumerate() {
            let mut units: BTreeMap<Vec<String>, u64> = BTreeMap::new();
            facts
                .iter()
                .filter_map(|fact| unit(model, fact, level))
                .for_each(|unit| *units.entry(unit).or_default() += 1);
            let orders = units.values().sum();
            let largest =
                Figure::Ratio { numerator: units.values().max().copied().unwrap_or(0), denominator: orders };
            prop_assert_eq!(
                (reach.units, reach.orders, reach.largest),
                (units.len() as u64, orders, largest)
            );
            prop_assert_eq!(&reach.level, &model.place.levels[level]);
        }
        let Some((outcome, labels)) = model.fields.outcomes.first() else { return Ok(facts.len()) };
        let steps: Vec<&str> = labels.iter().map(String::as_str).rev().skip(1).collect();
        let ladder = snapshot.ladder(&query, outcome, None, &steps).expect("makes sense");
        let count =
            |label: Option<&str>| facts.iter().filter(|fact| fact.label(outcome) == label).count() as u64;
        let expected: Vec<u64> = steps.iter().map(|step| count(Some(step))).collect();
        prop_assert_eq!(ladder.none, facts.len() as u64 - expected.iter().sum::<u64>());
        let weighed: u64 = expected.iter().zip(1..).map(|(orders, step)| orders * step).sum();
        let mean = zonal::Fraction::new(weighed.into(), expected.iter().sum::<u64>().into());
        prop_assert_eq!((&ladder.steps, ladder.mean), (&expected, mean));
        Ok(facts.len())
    });
}
