//! Saying how a query is answered.

use std::fmt;

use serde::Serialize;

use crate::store::{Live, Snapshot, Stage};

use super::Access;
use super::execute::SegmentPlan;

/// How a query is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Segment by segment, in the order of time.
    pub segments: Vec<SegmentExplanation>,
}

/// How a segment is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SegmentExplanation {
    /// The segment's file.
    pub segment: String,
    /// The way to its orders; none where none of them is asked for.
    pub access: Option<Access>,
    /// The view that sums are read from: `street`, `street by day`, `theme of topic by day`. None where row numbers tell, or
    /// orders are read.
    pub view: Option<String>,
    /// Whether the sums are those of the ledger, in which segments are added up, less what has ended.
    pub ledger: bool,
    /// Whether it is a batch of commits in memory, rather than a file.
    pub batch: bool,
    /// Versions between the bounds that the asked units have in the segment.
    pub orders: u64,
    /// How many of these have ended, and are taken out of sums or left out.
    pub ended: u64,
    /// Whether some may not have lived at the snapshot's commit, so that each is looked at.
    pub partly: bool,
}

/// How a segment is read of which something is asked for.
pub(super) struct Way<'p> {
    pub(super) chosen: SegmentPlan<'p>,
    pub(super) access: Access,
    /// The name of the view that sums are read from.
    pub(super) view: Option<String>,
}

pub(super) fn explain(
    snapshot: &Snapshot,
    ways: &[Option<Way<'_>>],
    in_ledger: impl Fn(&Live) -> bool,
) -> Explanation {
    let explained = snapshot.lives().iter().zip(ways).map(|(live, way)| {
        let ledger = way.is_some() && in_ledger(live);
        let ranges = way.iter().flat_map(|way| &way.chosen.ranges).map(|(_, range)| range);
        SegmentExplanation {
            segment: live.segment.name().to_owned(),
            access: way.as_ref().map(|way| if ledger { Access::Views } else { way.access }),
            view: way.as_ref().and_then(|way| way.view.clone()),
            ledger,
            batch: live.stage != Stage::Sealed,
            orders: ranges.clone().map(|range| u64::from(range.end - range.start)).sum(),
            ended: ranges.map(|range| live.dead(range.clone())).sum(),
            partly: live.visibility().is_some(),
        }
    });
    Explanation { segments: explained.collect() }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways = [
            (true, Some(Access::Views), "from the ledger"),
            (false, Some(Access::Views), "from sums"),
            (false, Some(Access::Bitmaps), "through bitmaps"),
            (false, Some(Access::Scan), "row by row"),
            (false, None, "left out"),
        ];
        for (ledger, access, name) in ways {
            let way = |segment: &&SegmentExplanation| segment.ledger == ledger && segment.access == access;
            let these = || self.segments.iter().filter(way);
            if these().next().is_some() {
                let orders: u64 = these().map(|segment| segment.orders).sum();
                writeln!(f, "{:>6} segments {name}, {orders} orders", these().count())?;
            }
        }
        Ok(())
    }
}
