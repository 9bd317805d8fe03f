//! Reading answers: as a service does, to the last value, which is timed; and as rows of numbers, to be compared.

use std::collections::BTreeMap;
use std::hint::black_box;

use zonal::{Answer, Figure, Node, Order, Row, RowKind, Snapshot, Value};

use crate::Result;
use crate::question::Asked;
use crate::schema::{ANSWERS, SATISFACTION};

/// Reads every value, and keeps none.
pub(crate) fn touch(asked: &Asked<'_>) {
    match asked {
        Asked::Answers(answers) => {
            for row in answers.iter().flat_map(Answer::rows) {
                black_box((row.node(), row.time(), row.count()));
                for (_, group) in row.groups() {
                    black_box(group.value());
                }
                for figure in row.figures() {
                    black_box(figure);
                }
            }
        }
        Asked::Repeating(groups) => {
            black_box(groups);
        }
        Asked::Analysed(analysis) => analysis.each(|unit, topic, numbers| {
            black_box((unit, topic, numbers));
        }),
        Asked::Listed(orders) => {
            for order in orders {
                black_box((order.id(), order.created(), order.place_path()));
                for value in order.values() {
                    black_box(value);
                }
            }
        }
    }
}

/// An answer as rows of numbers: what it is grouped by, then the figures. Groups without orders are left out, for
/// nobody else lists them.
pub(crate) fn rows(now: &Snapshot, question: &str, asked: &Asked<'_>) -> Result<Vec<Vec<i64>>> {
    match asked {
        Asked::Analysed(analysis) => {
            let mut rows = Vec::new();
            analysis
                .each(|unit, topic, numbers| rows.push((unit, topic.map(str::to_owned), numbers.to_vec())));
            let numbers = |(unit, topic, numbers): (Option<Node>, Option<String>, Vec<i64>)| {
                let unit = unit.map(|unit| now.place().name_of(unit).parse()).transpose()?;
                let topic = topic.map(|topic| topic.parse()).transpose()?;
                Ok(unit.into_iter().chain(topic).chain(numbers).collect())
            };
            rows.into_iter().map(numbers).collect()
        }
        Asked::Repeating(groups) => Ok(vec![vec![i64::try_from(*groups)?]]),
        Asked::Listed(orders) if question == "L1" => {
            orders.iter().map(|order| Ok(vec![order.id().parse()?])).collect()
        }
        Asked::Listed(orders) => orders.iter().map(whole).collect(),
        Asked::Answers(answers) if question == "C1" => compared(now, answers),
        Asked::Answers(answers) => {
            let rows = answers.iter().flat_map(Answer::rows);
            let kept = rows.filter(|row| row.count() > 0 && row.kind() != RowKind::Others);
            kept.map(|row| numbers(now, question, &row)).collect()
        }
    }
}

fn numbers(now: &Snapshot, question: &str, row: &Row<'_>) -> Result<Vec<i64>> {
    let mut numbers = Vec::new();
    for (_, group) in row.groups() {
        numbers.push(group.value().ok_or("an order without a value")?.parse()?);
    }
    if question != "Z3" && question != "empty" {
        numbers.push(unit(now, row)?);
    }
    numbers.extend(row.time());
    match question {
        "M1" => {}
        "U1" => {}
        _ => numbers.push(row.count().try_into()?),
    }
    // The first metric of P3 is the count, which ranks.
    for figure in row.figures().filter(|_| question != "P3") {
        match figure {
            Figure::Count(count) => numbers.push(count.try_into()?),
            Figure::Mean { sum, count } => numbers.extend([i64::try_from(sum)?, i64::try_from(count)?]),
            other => return Err(format!("no figure of this benchmark: {other:?}").into()),
        }
    }
    Ok(numbers)
}

/// The number of a row's unit, which is its name.
fn unit(now: &Snapshot, row: &Row<'_>) -> Result<i64> {
    let node = row.node().ok_or("an order without a place")?;
    Ok(now.place().name_of(node).parse()?)
}

/// A unit and its orders in each of the spans.
fn compared(now: &Snapshot, answers: &[Answer]) -> Result<Vec<Vec<i64>>> {
    let mut found: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (position, answer) in answers.iter().enumerate() {
        for row in answer.rows() {
            let counts = found.entry(unit(now, &row)?).or_insert_with(|| vec![0; answers.len()]);
            counts[position] = row.count().try_into()?;
        }
    }
    Ok(found.into_iter().map(|(unit, counts)| [vec![unit], counts].concat()).collect())
}

/// An order in the columns of the files.
fn whole(order: &Order) -> Result<Vec<i64>> {
    let missing = || format!("order {} lacks a field", order.id());
    let mut numbers = vec![order.id().parse()?, order.created().seconds().ok_or_else(missing)?];
    for step in order.place_path().iter().skip(1) {
        numbers.push(step.name.parse()?);
    }
    if let Some(Value::Tree(path)) = order.value("topic") {
        for step in path {
            numbers.push(step.name.parse()?);
        }
    }
    for category in ["department", "channel", "kind"] {
        match order.value(category) {
            Some(Value::Category(value)) => numbers.push(value.parse()?),
            _ => return Err(missing().into()),
        }
    }
    numbers.push(order.value("callback").is_some().into());
    let outcomes: [(&str, &[&str]); 3] =
        [("contacted", &ANSWERS), ("solved", &ANSWERS), ("satisfaction", &SATISFACTION)];
    for (outcome, labels) in outcomes {
        let position = match order.value(outcome) {
            Some(Value::Outcome(given)) => labels.iter().position(|label| label == given),
            _ => None,
        };
        numbers.push(position.map_or(Ok(-1), i64::try_from)?);
    }
    match (order.value("closed"), order.value("caller")) {
        (Some(Value::Clock(time)), Some(Value::Key(key))) => {
            numbers.extend([time.seconds().ok_or_else(missing)?, key.cast_signed()]);
        }
        _ => return Err(missing().into()),
    }
    Ok(numbers)
}
