//! What comes again: repeats within steps of time, clusters in windows that slide.

use std::collections::BTreeMap;

use proptest::prelude::*;
use zonal::{Alignment, Figure, Grain, Order, Repeats, Sort, Span};

use crate::analysis::check;
use crate::model::{Ask, Fact};
use crate::watch::{by_units, unit};

/// Time enough on either side that windows stay within the calendar.
fn inside(time: i64) -> bool {
    (-2_000_000_000..7_000_000_000).contains(&time)
}

#[test]
fn clusters_during_a_span_are_those_of_some_moment() {
    check(200, |snapshot, model, ask| {
        let (ask, level) = by_units(model, ask);
        let facts = model.asked(&ask);
        let timed: Vec<(&Fact, i64)> =
            facts.iter().filter_map(|fact| Some((*fact, fact.clock(&ask.clock)?))).collect();
        if !timed.iter().all(|(_, time)| inside(*time)) {
            return Ok(0);
        }
        let outcome = model.fields.outcomes.first().map(|(name, _)| name.clone());
        let query = outcome.iter().fold(ask.query(), |query, outcome| query.by(outcome));
        let (days, least) = (1 + facts.len() as u32 % 4 * 5, 2 + facts.len() as u64 % 3);
        let clusters = snapshot.clusters_during(&query, days, least).expect("a question that makes sense");

        // Every order is in a cluster that is in one as of some moment: just after one of its group's orders.
        let mut groups: BTreeMap<(Vec<String>, Option<String>), Vec<i64>> = BTreeMap::new();
        for (fact, time) in &timed {
            let value = outcome.as_ref().and_then(|outcome| fact.label(outcome)).map(str::to_owned);
            if let Some(unit) = unit(model, fact, level) {
                groups.entry((unit, value)).or_default().push(*time);
            }
        }
        let mut expected = BTreeMap::new();
        for (group, times) in groups {
            let window = |moment: i64| {
                let instant = Span::new(moment, moment).expect("in range");
                let since = snapshot.calendar().earlier(instant, days, Grain::Day, Alignment::SameDates);
                let since = since.expect("in range").start();
                times.iter().copied().filter(|time| (since..moment).contains(time)).collect::<Vec<_>>()
            };
            let found = |time: &&i64| {
                let moments = times.iter().map(|last| last + 1);
                moments.map(window).any(|window| window.len() as u64 >= least && window.contains(time))
            };
            let in_some: Vec<i64> = times.iter().filter(found).copied().collect();
            if !in_some.is_empty() {
                expected.insert(group, in_some.len() as u64);
            }
        }
        let mut found: BTreeMap<(Vec<String>, Option<String>), u64> = BTreeMap::new();
        let mut spans: BTreeMap<(Vec<String>, Option<String>), Vec<Span>> = BTreeMap::new();
        for cluster in clusters.rows() {
            let names: Vec<String> = cluster.path().names().into_iter().map(str::to_owned).collect();
            let value = cluster.groups().next().and_then(|(_, group)| group.value()).map(str::to_owned);
            let behind = snapshot.orders(&cluster.query(), Sort::Newest, usize::MAX).expect("makes sense");
            prop_assert_eq!(behind.len() as u64, cluster.size());
            prop_assert!(cluster.size() >= least);
            *found.entry((names.clone(), value.clone())).or_default() += cluster.size();
            spans.entry((names, value)).or_default().push(cluster.span());
        }
        for spans in spans.values_mut() {
            spans.sort_by_key(|span| span.start());
            prop_assert!(spans.is_sorted_by(|a, b| a.end() <= b.start()));
        }
        let share = Figure::Ratio { numerator: expected.values().sum(), denominator: timed.len() as u64 };
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(clusters.share(), share);
        Ok(expected.len())
    });
}

#[test]
fn repeats_start_anew_with_every_step() {
    check(200, |snapshot, model, ask| {
        let ask = Ask { metrics: Vec::new(), all_units: false, ..ask.clone() };
        let (Some(key), Some(grain)) = (model.fields.keys.first(), ask.grain.clone()) else { return Ok(0) };
        let query = ask.query();
        let Ok(steps) = snapshot.repeats_each(&query, &Repeats::of(key).list(usize::MAX)) else {
            return Ok(0);
        };
        let mut volumes: BTreeMap<i64, u64> = BTreeMap::new();
        let mut groups: BTreeMap<(i64, u64), Vec<&Order>> = BTreeMap::new();
        for fact in model.asked(&ask) {
            let Some(time) = fact.clock(&ask.clock) else { continue };
            let step = model.wall.start(&grain, time);
            *volumes.entry(step).or_default() += 1;
            if let Some(key) = fact.key(key) {
                groups.entry((step, key)).or_default().push(&fact.order);
            }
        }
        groups.retain(|_, orders| orders.len() > 1);
        let mut listed = 0;
        for step in &steps {
            let start = model.wall.start(&grain, step.span.start());
            prop_assert_eq!(step.volume, volumes.remove(&start).unwrap_or_default());
            let behind = step.orders().expect("an undamaged store");
            prop_assert_eq!(behind.len() as u64, step.report.groups);
            for (repeat, orders) in step.report.listed.iter().zip(behind) {
                let expected = groups.remove(&(start, repeat.key)).unwrap_or_default();
                let ids = |orders: Vec<&Order>| {
                    let mut ids: Vec<String> = orders.iter().map(|order| order.id().to_owned()).collect();
                    ids.sort();
                    ids
                };
                prop_assert!(orders.is_sorted_by(|a, b| a.created().seconds() >= b.created().seconds()));
                prop_assert_eq!(ids(orders.iter().collect()), ids(expected));
                listed += 1;
            }
        }
        prop_assert!(groups.is_empty() && volumes.is_empty(), "{groups:?} {volumes:?}");
        Ok(listed)
    });
}
