//! What is computed from answers, against the model's own answers put together the plain way.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use zonal::{Backlog, Figure, Grain, Metric, Policy, RowKind, Snapshot, Span};

use crate::answers::config;
use crate::generate::{Case, cases};
use crate::model::{Ask, Group, Kind, Model, Targets};
use crate::store;

type Checked = Result<(), TestCaseError>;

/// Runs a check on random cities, and sees that it has rows to compare: one in ten cases, at the very least.
pub(crate) fn check(cases_run: u32, check: impl Fn(&Snapshot, &Model, &Ask) -> Result<usize, TestCaseError>) {
    let compared = std::cell::Cell::new(0);
    let config = config(cases_run);
    let least = config.cases as usize / 10;
    let checked = TestRunner::new(config).run(&cases(4), |case: Case| {
        let (store, model) = store::build(&case);
        let snapshot = store.snapshot();
        for ask in &case.asks {
            // What is asked for makes sense, and is cut into units alone.
            let ask = Ask { by: Vec::new(), top: None, between: false, limit: 20_000, ..ask.clone() };
            let sense = model.faults(&Ask { metrics: Vec::new(), ..ask.clone() }).is_empty();
            if sense && units_differ_by_name(&model) {
                compared.set(compared.get() + check(&snapshot, &model, &ask)?);
            }
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    assert!(compared.get() >= least, "only {} rows were compared", compared.get());
}

/// Whether names alone tell units apart, as rows do here; codes might.
fn units_differ_by_name(model: &Model) -> bool {
    let paths: BTreeSet<_> = (0..model.place.nodes.len()).map(|node| model.place.path(node)).collect();
    paths.len() == model.place.nodes.len()
}

/// What makes two rows of different periods the same group: the step by its order.
type Key = (Vec<String>, RowKind, Vec<Group>, Option<usize>);

/// The model's rows: path, kind and time, with count and figures.
type Rows = BTreeMap<(Vec<String>, bool, Option<i64>), (u64, Vec<Figure>)>;

fn rows(model: &Model, ask: &Ask) -> Rows {
    let answer = model.answer(ask).expect("a question that makes sense");
    let key = |path, kind, time| (path, kind == RowKind::Remainder, time);
    answer.into_iter().map(|row| (key(row.path, row.kind, row.time), (row.count, row.figures))).collect()
}

#[test]
fn ranks_are_those_of_a_count_of_the_better() {
    check(150, |snapshot, model, ask| {
        let counters: Vec<String> = model.fields.counters.iter().map(|(name, _)| name.clone()).collect();
        let Some(judged) = counters.first() else { return Ok(0) };
        let (first, second) = (&counters[counters.len() / 2], &counters[counters.len() - 1]);
        let level = model.place.levels[1.min(model.place.levels.len() - 1)].clone();
        let ask = Ask { grain: None, within: Vec::new(), targets: Targets::Level(level), ..ask.clone() };
        let minimum = 1;
        let policy = Policy::new("p", judged)
            .term("first", "0.4", [(first, "1"), (second, "0.9")])
            .term_over("count", "second", "3/5", [(second, "1")])
            .minimum(minimum);
        let ranking = policy.rank(snapshot, &ask.query()).expect("a ranking that makes sense");
        // What decides, over one denominator: 40·(first + 0.9·second)/judged + 60·second/orders.
        let counter = |name: &String| Metric::Counter(name.clone());
        let metrics = vec![counter(judged), counter(first), counter(second)];
        let expected = rows(model, &Ask { metrics, ..ask.clone() });
        let figures = |figures: &[Figure]| -> Vec<i128> {
            figures
                .iter()
                .map(|figure| if let Figure::Count(count) = figure { i128::from(*count) } else { 0 })
                .collect()
        };
        struct Unit {
            path: Vec<String>,
            volume: i128,
            score: Option<(i128, i128)>,
        }
        let mut units = Vec::new();
        for ((path, remainder, _), (count, found)) in &expected {
            let [v, a, b] = figures(found)[..] else { continue };
            let n = i128::from(*count);
            let score =
                (v >= i128::from(minimum) && n > 0).then_some((4 * (10 * a + 9 * b) * n + 60 * b * v, v * n));
            if !remainder && !path.is_empty() {
                units.push(Unit { path: path.clone(), volume: n, score });
            }
        }
        let better = |a: &Unit, b: &Unit| {
            let (Some((p, q)), Some((r, s))) = (a.score, b.score) else { return false };
            (p * s).cmp(&(r * q)).then(a.volume.cmp(&b.volume)) == Ordering::Greater
        };
        prop_assert_eq!(ranking.rows().len(), units.len());
        for row in ranking.rows() {
            let unit =
                units.iter().find(|unit| unit.path == row.path().names()).expect("a unit of the model");
            let rank =
                unit.score.map(|_| units.iter().filter(|other| better(other, unit)).count() as u64 + 1);
            prop_assert_eq!(row.rank(), rank, "{:?} in {:#?}", unit.path, ask);
            prop_assert_eq!(i128::from(row.volume()), unit.volume);
            if let (Some(score), Some((p, q))) = (row.score(), unit.score) {
                prop_assert_eq!(
                    score.clone(),
                    zonal::Fraction::new(p, q).expect("orders"),
                    "{:?}",
                    unit.path
                );
            }
        }
        let orders: u64 = expected.values().map(|(count, _)| count).sum();
        prop_assert_eq!(ranking.pooled().volume(), orders);
        Ok(units.len())
    });
}

#[test]
fn a_backlog_is_what_was_created_less_what_was_closed() {
    check(150, |snapshot, model, ask| {
        let Some(closed) = model.fields.of_kind(Kind::Clock).into_iter().find(|clock| clock != "created")
        else {
            return Ok(0);
        };
        let ask = Ask { metrics: Vec::new(), all_units: false, ..ask.clone() };
        let at = model.asked(&ask).first().map_or(0, |fact| fact.created + 1);
        check_pending(snapshot, model, &ask, &closed, at)?;
        let open_end = ask.span.start() == Span::ALL.start() || ask.span.end() == Span::ALL.end();
        if open_end && ask.grain.is_some() {
            prop_assert!(Backlog::new(&closed).curve(snapshot, &ask.query()).is_err());
        }
        let ask = match ask.grain {
            Some(_) if !open_end => ask,
            // Some weeks around what was created first.
            _ => {
                let month = Span::new(
                    (at - 2_600_000).max(Span::ALL.start() + 1),
                    (at + 2_600_000).min(Span::ALL.end() - 1),
                );
                Ask { span: month.expect("in range"), grain: Some(Grain::Week), ..ask }
            }
        };
        let steps =
            ask.grain.clone().map(|grain| snapshot.calendar().steps(grain, ask.span)).unwrap_or_default();
        // A span up to the end of all time is none at all: it has the orders that were never closed, too.
        if steps.len() > 40 || steps.last() == Some(&Span::ALL.end()) {
            return Ok(0);
        }
        let curve = Backlog::new(&closed).curve(snapshot, &ask.query()).expect("a curve that makes sense");
        let by = |clock: &str, until: i64| -> BTreeMap<(Vec<String>, bool), i64> {
            let span = Span::until(until).expect("in range");
            let rows = rows(model, &Ask { grain: None, clock: clock.to_owned(), span, ..ask.clone() });
            rows.into_iter()
                .map(|((path, remainder, _), (count, _))| ((path, remainder), count as i64))
                .collect()
        };
        for row in &curve {
            let names: Vec<String> = row.path().names().into_iter().map(str::to_owned).collect();
            let key = (names, row.kind == RowKind::Remainder);
            let count = |clock: &str, until| by(clock, until).get(&key).copied().unwrap_or(0);
            let (start, end) = (row.step.start(), row.step.end());
            prop_assert_eq!(row.open, count("created", end) - count(&closed, end), "{:?} of {:#?}", key, ask);
            prop_assert_eq!(row.opened as i64, count("created", end) - count("created", start));
            prop_assert_eq!(row.closed as i64, count(&closed, end) - count(&closed, start));
        }
        // No unit is left out.
        let units = [by("created", *steps.last().unwrap_or(&at)), by(&closed, *steps.last().unwrap_or(&at))];
        let units: BTreeSet<_> = units.iter().flat_map(BTreeMap::keys).cloned().collect();
        prop_assert_eq!(curve.len(), if steps.is_empty() { 0 } else { units.len() * (steps.len() - 1) });
        Ok(curve.len())
    });
}

fn check_pending(snapshot: &Snapshot, model: &Model, ask: &Ask, closed: &str, at: i64) -> Checked {
    let ask = Ask { grain: None, ..ask.clone() };
    let backlog = Backlog::new(closed).due(closed, 48).ages([1, 30]);
    let pending = backlog.at(snapshot, &ask.query(), at).expect("a question that makes sense");
    let open: Vec<_> = model
        .asked(&ask)
        .into_iter()
        .filter(|fact| fact.created < at && fact.clock(closed).is_none_or(|closed| closed >= at))
        .collect();
    prop_assert_eq!(pending.iter().map(|row| row.open).sum::<u64>(), open.len() as u64);
    // Due when it is closed, an open order is never overdue.
    prop_assert!(pending.iter().all(|row| row.overdue == 0));
    let soon = open.iter().filter(|fact| fact.clock(closed).is_some_and(|due| due < at + 48 * 3_600)).count();
    prop_assert_eq!(pending.iter().map(|row| row.due_soon).sum::<u64>(), soon as u64);
    let older = |days: i64| open.iter().filter(|fact| at - fact.created > days * 86_400).count() as u64;
    let ages = [open.len() as u64 - older(1), older(1) - older(30), older(30)];
    for (age, expected) in ages.into_iter().enumerate() {
        prop_assert_eq!(
            pending.iter().map(|row| row.ages[age]).sum::<u64>(),
            expected,
            "{} of {:#?}",
            age,
            ask
        );
    }
    Ok(())
}

#[test]
fn a_comparison_has_both_sides_figures() {
    check(200, |snapshot, model, ask| {
        let ask = Ask { metrics: ask.metrics.clone(), ..ask.clone() };
        if !model.faults(&ask).is_empty() {
            return Ok(0);
        }
        let length = (ask.span.end() - ask.span.start()).min(40 * 86_400);
        let before = Span::new((ask.span.start() - length).max(Span::ALL.start()), ask.span.start());
        let before = before.expect("in range");
        let comparison = match snapshot.compare(&ask.query(), ask.span, before) {
            Err(zonal::Error::TooManyGroups { .. }) if ask.grain.is_some() => return Ok(0),
            comparison => comparison.expect("a question that makes sense"),
        };
        let side = |span: Span| -> Vec<(Key, Vec<Figure>)> {
            let answer = model.answer(&Ask { span, ..ask.clone() }).expect("a question that makes sense");
            let mut times: Vec<i64> = answer.iter().filter_map(|row| row.time).collect();
            times.sort_unstable();
            times.dedup();
            let step = |time: Option<i64>| {
                time.map(|time| times.iter().position(|known| *known == time).expect("known"))
            };
            answer
                .into_iter()
                .map(|row| ((row.path, row.kind, row.groups, step(row.time)), row.figures))
                .collect()
        };
        let (now, earlier) = (side(ask.span), side(before));
        if now.len() > 500 {
            return Ok(0);
        }
        let both: Vec<_> =
            earlier.iter().filter(|(key, _)| now.iter().any(|(other, _)| other == key)).collect();
        let found: Vec<_> = comparison.rows().collect();
        prop_assert_eq!(found.len(), now.len() + earlier.len() - both.len());
        for (row, (key, figures)) in found.iter().zip(&now) {
            let counterpart = earlier.iter().find(|(other, _)| other == key).map(|(_, figures)| figures);
            for (at, metric) in ask.metrics.iter().enumerate() {
                let (left, right) = row.figures(metric);
                prop_assert_eq!(left, figures[at]);
                match counterpart {
                    Some(figures) => prop_assert_eq!(right, figures[at]),
                    None => prop_assert!(row.before().is_none()),
                }
                let none = matches!(right, Figure::Count(0) | Figure::Sum(0));
                prop_assert!(!none || row.growth(metric).is_none());
            }
        }
        Ok(found.len())
    });
}

#[test]
fn two_sets_of_units_are_counted_as_wholes() {
    check(60, |snapshot, model, ask| {
        let (these, those) = match &ask.within[..] {
            [] => return Ok(0),
            [one] => (vec![one.clone()], vec![one.clone()]),
            [one, rest @ ..] => (vec![one.clone()], rest.to_vec()),
        };
        let query = Ask {
            grain: None,
            within: Vec::new(),
            targets: Targets::Bases,
            metrics: Vec::new(),
            ..ask.clone()
        };
        let comparison =
            snapshot.compare_units(&query.query(), &these, &those).expect("a question that makes sense");
        let count = |within: &[zonal::NodeRef]| {
            model.asked(&Ask { within: within.to_vec(), ..query.clone() }).len() as u64
        };
        let sides = |row: zonal::Compared<'_>| {
            let count = |row: Option<zonal::Row<'_>>| row.map_or(0, |row| row.count());
            (count(row.now()), count(row.before()))
        };
        let found = comparison.rows().map(sides).fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        prop_assert_eq!(found, (count(&these), count(&those)));
        prop_assert!(snapshot.compare_units(&ask.query(), &these, &those).is_err());
        Ok(1)
    });
}
