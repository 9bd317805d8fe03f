//! The questions, as a service would put them to zonal.

use serde::Deserialize;
use zonal::{
    Answer, Attributes, Grain, Order, Query, Repeats, Snapshot, Sort, Span, any_of, count, distinct, is,
    mean, under,
};

use crate::schema::rates;
use crate::{Result, analyses};

/// What a template is filled with; what it does not speak of is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Constants {
    /// Seconds since 1970: from the first up to the second.
    pub(crate) spans: Vec<(i64, i64)>,
    /// Names from the city down.
    pub(crate) unit: Vec<String>,
    pub(crate) topic: Vec<String>,
    pub(crate) channels: Vec<String>,
    pub(crate) kind: String,
    pub(crate) departments: Vec<String>,
    pub(crate) id: String,
}

/// What a question gives.
pub(crate) enum Asked<'a> {
    Answers(Vec<Answer>),
    Listed(Vec<Order>),
    /// How many groups repeat.
    Repeating(u64),
    Analysed(Box<analyses::Analysis<'a>>),
}

/// Builds the query and runs it.
pub(crate) fn put<'a>(
    now: &'a Snapshot,
    residents: &Attributes,
    question: &str,
    given: &Constants,
) -> Result<Asked<'a>> {
    let unit = || now.unit(&given.unit);
    let topic = || under("topic", given.topic.as_slice());
    let span = |at: usize| match given.spans.get(at) {
        Some(&(begin, end)) => Span::new(begin, end),
        None => Ok(Span::ALL),
    };
    let zoom = Query::zoom().during(span(0)?);
    let query = match question {
        "empty" => zoom,
        "Z1" => zoom.level("district"),
        "Z2" => rates(Query::penetrate(unit()?, 1).during(span(0)?)),
        "Z3" => zoom.grain(Grain::Day).filter(topic()),
        "Z4" => rates(zoom.level("district").grain(Grain::Month)),
        "P1" => rates(zoom.level("street")),
        "P2" => Query::penetrate(unit()?, 2).during(span(0)?).filter(topic()),
        "P3" => zoom.level("building").filter(topic()).metric(count()).top(20),
        "P4" => rates(zoom.level("community")),
        "C1" => {
            let street = |at| now.run(&Query::zoom().level("street").during(span(at)?));
            return Ok(Asked::Answers(vec![street(0)?, street(1)?, street(2)?]));
        }
        "F1" => rates(
            zoom.level("street")
                .filter(topic())
                .filter(any_of("channel", &given.channels))
                .filter(is("kind", &given.kind))
                .filter(any_of("department", &given.departments)),
        ),
        "F2" => zoom.level("district"),
        "F3" => zoom.level("street").by("department").filter(is("solved", "no")),
        "M1" => zoom.level("street").metric(mean("seconds")),
        "R1" => {
            let query = Query::zoom().within(unit()?).during(span(0)?);
            let repeats = Repeats::of("caller").within("topic", "topic2");
            return Ok(Asked::Repeating(now.repeats(&query, &repeats)?.groups));
        }
        "U1" => zoom.level("district").metric(distinct("caller")),
        "L1" => {
            return Ok(Asked::Listed(now.orders(&Query::zoom().within(unit()?), Sort::Newest, 50)?));
        }
        "K1" => return Ok(Asked::Listed(now.get(&given.id)?.into_iter().collect())),
        "A1" | "A2" | "A3" | "A4" | "A5" => {
            return Ok(Asked::Analysed(Box::new(analyses::put(now, residents, question, given, span(0)?)?)));
        }
        _ => return Err(format!("{question:?} is no question of this benchmark").into()),
    };
    Ok(Asked::Answers(vec![now.run(&query)?]))
}
