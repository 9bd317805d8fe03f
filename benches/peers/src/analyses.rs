//! What a hotline asks, by zonal's operations: rankings, backlogs, surges, clusters, repeats.

use zonal::{
    Attributes, Backlog, Cell, Clusters, Grain, Movement, Node, Open, Policy, QuadrantMap, Quadrants, Query,
    Ranking, RepeatReport, Repeats, Snapshot, Span, Surges,
};

use crate::Result;
use crate::question::Constants;

/// Stands where there is no movement, and no C2.
const NONE: i64 = -9_999;
const NO_C2: i64 = -1_000_000;

/// What an analysis gives.
pub(crate) enum Analysis<'a> {
    /// Streets in a month and in the one before, and the quadrants of both.
    Ranked(Box<(Ranking, Ranking, QuadrantMap)>),
    Backlog(Vec<Open<'a>>),
    Surges(Surges),
    Clusters(Box<Clusters>),
    Repeats(RepeatReport),
}

/// The residents of streets, which are made up of their numbers.
pub(crate) fn residents(now: &Snapshot) -> Result<Attributes> {
    let mut residents = Attributes::new(now);
    for street in now.place().descendants(None, 2) {
        let number: u64 = now.place().name_of(street).parse()?;
        residents.set("residents", street, Span::ALL.start(), 1_000 + 37 * number);
    }
    Ok(residents)
}

/// Asks for an analysis.
pub(crate) fn put<'a>(
    now: &'a Snapshot,
    residents: &Attributes,
    name: &str,
    given: &Constants,
    span: Span,
) -> Result<Analysis<'a>> {
    let zoom = Query::zoom().during(span);
    Ok(match name {
        "A1" => Analysis::Ranked(Box::new(rank(now, residents, given, span)?)),
        "A2" => {
            let query = zoom.within(now.unit(&given.unit)?).grain(Grain::Day);
            Analysis::Backlog(Backlog::new("closed").curve(now, &query)?)
        }
        "A3" => {
            let groups = Query::zoom().level("street").by_level("topic", "topic2");
            Analysis::Surges(now.surges(&groups, span.start(), 2)?)
        }
        "A4" => {
            let groups = Query::zoom().level("building").by_level("topic", "topic2");
            Analysis::Clusters(Box::new(now.clusters(&groups, span.end(), 7, 2)?))
        }
        _ => Analysis::Repeats(now.repeats(&zoom, &Repeats::of("caller").within("topic", "topic2"))?),
    })
}

/// Streets by a policy of three rates in a month and the one before, with quadrants.
fn rank(
    now: &Snapshot,
    residents: &Attributes,
    given: &Constants,
    span: Span,
) -> Result<(Ranking, Ranking, QuadrantMap)> {
    let policy = Policy::new("three rates", "effective")
        .term("response", "0.10", [("contacted", "1")])
        .term("satisfaction", "0.40", [("satisfied", "1"), ("basically", "0.9")])
        .term("solution", "0.50", [("solved", "1")]);
    let &(begin, _) = given.spans.get(1).ok_or("no month before")?;
    let streets = Query::zoom().level("street").grain(Grain::Month);
    let mut months = policy.rank_each(now, &streets.during(Span::new(begin, span.end())?))?;
    let (Some(later), Some(earlier)) = (months.pop(), months.pop()) else {
        return Err("no two months".into());
    };
    let quadrants = Quadrants::new("satisfaction", "residents");
    let before = quadrants.map(&earlier, residents, span.start())?;
    let map = quadrants.map(&later, residents, span.start())?.after(&before);
    Ok((later, earlier, map))
}

impl Analysis<'_> {
    /// Calls `each` with every row: its unit and its topic, where it has them, and its numbers.
    pub(crate) fn each(&self, mut each: impl FnMut(Option<Node>, Option<&str>, &[i64])) {
        match self {
            Self::Ranked(ranked) => {
                let (later, earlier, map) = ranked.as_ref();
                let cell = |cell: Option<Cell>| {
                    cell.map_or(-1, |cell| i64::from(cell.satisfied) * 2 + i64::from(cell.busy))
                };
                // A map is in the order of its ranking, and units that only the earlier one has come last.
                for (moved, placed) in later.against(earlier).into_iter().zip(map.rows()) {
                    let Movement { now: Some(row), .. } = moved else { continue };
                    let numbers = [
                        row.volume().cast_signed(),
                        row.judged().cast_signed(),
                        row.rank().unwrap_or(0).cast_signed(),
                        moved.places().unwrap_or(NONE),
                        cell(placed.cell()),
                        cell(placed.previous()),
                    ];
                    each(row.node(), None, &numbers);
                }
            }
            Self::Backlog(days) => {
                for day in days {
                    let flows = [day.opened.cast_signed(), day.closed.cast_signed()];
                    each(None, None, &[day.step.start(), flows[0], flows[1], day.open]);
                }
            }
            Self::Surges(surges) => {
                for surge in surges.rows() {
                    let topic = surge.row().group("topic").and_then(|topic| topic.value());
                    let expected = (surge.expected() * 16.0).round() as i64;
                    let c2 = surge.c2().map_or(NO_C2, |c2| (c2 * 1_000.0).round() as i64);
                    each(surge.row().node(), topic, &[surge.observed().cast_signed(), expected, c2]);
                }
            }
            Self::Clusters(clusters) => {
                for cluster in clusters.rows() {
                    let topic = cluster.groups().next().and_then(|(_, topic)| topic.value());
                    each(cluster.node(), topic, &[cluster.size().cast_signed()]);
                }
            }
            Self::Repeats(report) => {
                each(None, None, &[report.groups.cast_signed(), report.orders.cast_signed()]);
            }
        }
    }
}
