//! What a hotline asks, by zonal's operations: rankings, backlogs, surges, clusters, repeats.

use std::collections::HashMap;

use zonal::{
    Attributes, Backlog, Cell, Grain, Movement, Node, Placed, Policy, Quadrants, Query, Repeats, Snapshot,
    Span,
};

use crate::Result;
use crate::question::Constants;

/// Stands where there is no movement, and no C2.
const NONE: i64 = -9_999;
const NO_C2: i64 = -1_000_000;

/// Rows of numbers, one after the other.
#[derive(Default)]
pub(crate) struct Numbers {
    numbers: Vec<i64>,
    width: usize,
}

impl Numbers {
    fn push<const N: usize>(&mut self, row: [i64; N]) {
        self.width = N;
        self.numbers.extend(row);
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[i64]> {
        self.numbers.chunks(self.width.max(1))
    }
}

/// The answer to an analysis.
pub(crate) fn put(now: &Snapshot, name: &str, given: &Constants, span: Span) -> Result<Numbers> {
    let zoom = Query::zoom().during(span);
    let number = |node: Option<Node>| -> Result<i64> {
        Ok(now.place().name_of(node.ok_or("an order without a place")?).parse()?)
    };
    let mut rows = Numbers::default();
    match name {
        "A1" => rows = rank(now, given, span)?,
        "A2" => {
            let query = zoom.within(now.unit(&given.unit)?).grain(Grain::Day);
            for day in Backlog::new("closed").curve(now, &query)? {
                rows.push([day.step.start(), day.opened.cast_signed(), day.closed.cast_signed(), day.open]);
            }
        }
        "A3" => {
            let groups = Query::zoom().level("street").by_level("topic", "topic2");
            let surges = now.surges(&groups, span.start(), 2)?;
            for surge in surges.rows() {
                let topic = surge.row().group("topic").and_then(|topic| topic.value()).ok_or("no topic")?;
                let expected = (surge.expected() * 16.0).round() as i64;
                let c2 = surge.c2().map_or(NO_C2, |c2| (c2 * 1_000.0).round() as i64);
                let unit = number(surge.row().node())?;
                rows.push([unit, topic.parse()?, surge.observed().cast_signed(), expected, c2]);
            }
        }
        "A4" => {
            let groups = Query::zoom().level("building").by_level("topic", "topic2");
            let clusters = now.clusters(&groups, span.end(), 7, 2)?;
            for cluster in clusters.rows() {
                let topic = cluster.groups().next().and_then(|(_, topic)| topic.value()).ok_or("no topic")?;
                rows.push([number(cluster.node())?, topic.parse()?, cluster.size().cast_signed()]);
            }
        }
        _ => {
            let report = now.repeats(&zoom, &Repeats::of("caller").within("topic", "topic2"))?;
            rows.push([report.groups.cast_signed(), report.orders.cast_signed()]);
        }
    }
    Ok(rows)
}

/// Streets by a policy of three rates in a month and the one before, with movement and quadrants.
fn rank(now: &Snapshot, given: &Constants, span: Span) -> Result<Numbers> {
    let policy = Policy::new("three rates", "effective")
        .term("response", "0.10", [("contacted", "1")])
        .term("satisfaction", "0.40", [("satisfied", "1"), ("basically", "0.9")])
        .term("solution", "0.50", [("solved", "1")]);
    let &(begin, end) = given.spans.get(1).ok_or("no month before")?;
    let streets = Query::zoom().level("street");
    let (later, earlier) = (
        policy.rank(now, &streets.clone().during(span))?,
        policy.rank(now, &streets.during(Span::new(begin, end)?))?,
    );
    let mut residents = Attributes::new(now);
    for street in now.place().descendants(None, 2) {
        let number: u64 = now.place().name_of(street).parse()?;
        residents.set("residents", street, Span::ALL.start(), 1_000 + 37 * number);
    }
    let quadrants = Quadrants::new("satisfaction", "residents");
    let before = quadrants.map(&earlier, &residents, span.start())?;
    let map = quadrants.map(&later, &residents, span.start())?.after(&before);
    let cells: HashMap<Node, Placed<'_>> = map.rows().map(|placed| (placed.node(), placed)).collect();
    let cell =
        |cell: Option<Cell>| cell.map_or(-1, |cell| i64::from(cell.satisfied) * 2 + i64::from(cell.busy));
    let mut rows = Numbers::default();
    for moved in later.against(&earlier) {
        let Movement { now: Some(row), .. } = moved else { continue };
        let unit = row.node().ok_or("no unit")?;
        let placed = cells.get(&unit);
        rows.push([
            now.place().name_of(unit).parse()?,
            row.volume().cast_signed(),
            row.judged().cast_signed(),
            row.rank().unwrap_or(0).cast_signed(),
            moved.places().unwrap_or(NONE),
            cell(placed.and_then(|placed| placed.cell())),
            cell(placed.and_then(|placed| placed.previous())),
        ]);
    }
    Ok(rows)
}
