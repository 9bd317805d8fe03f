//! What the people who run a hotline ask, computed from the answers of queries: scores, ranks, comparisons.
//!
//! Nothing here reads a segment: every figure comes out of [`Snapshot::run`](crate::Snapshot::run) and
//! [`Snapshot::orders`](crate::Snapshot::orders), or, where single orders decide, out of `Snapshot::visit`.

mod areas;
mod attributes;
mod backlog;
mod callers;
mod chance;
mod clusters;
mod comparison;
mod concentration;
mod farrington;
#[cfg(feature = "forecast")]
mod forecast;
#[cfg(feature = "import")]
mod form;
mod fraction;
mod hand_overs;
mod outside;
mod policy;
mod profile;
mod quadrants;
mod ranking;
mod repeats;
mod score;
#[cfg(feature = "import")]
mod sheet;
mod spread;
mod surges;
mod terms;
#[cfg(test)]
mod tests;

pub use areas::Area;
pub use attributes::{Attribute, Attributes};
pub use backlog::{Backlog, Open, Pending};
pub use callers::{Caller, Callers};
pub use clusters::{Cluster, Clusters};
pub use comparison::{Compared, Comparison};
pub use concentration::{Concentration, Turnover};
#[cfg(feature = "forecast")]
pub use forecast::{Expected, Forecast, Trial};
pub use fraction::Fraction;
pub use hand_overs::HandOver;
pub use outside::{Lag, Outside};
pub use policy::Policy;
pub use profile::{Cycle, Season};
pub use quadrants::{Cell, Placed, QuadrantMap, Quadrants, Threshold};
pub use ranking::{Movement, Ranked, Ranking};
pub use repeats::RepeatStep;
pub use spread::{HotCell, Ladder, Reach};
pub use surges::{Surge, Surges};
