//! Which earlier period a period is laid beside.

use clap::Args;
use zonal::{Alignment, Grain, Snapshot, Span};

use super::{Failure, Result};

#[derive(Args)]
pub(crate) struct Against {
    /// The earlier period: month or year, 2:week for two weeks back, or T..T
    #[arg(long = "against", value_name = "PERIOD")]
    period: Option<String>,
    /// How it is laid beside the later one: same-dates, same-length or same-weekdays
    #[arg(long, value_name = "HOW", default_value = "same-dates", value_parser = alignment)]
    align: Alignment,
}

fn alignment(text: &str) -> std::result::Result<Alignment, String> {
    match text {
        "same-dates" => Ok(Alignment::SameDates),
        "same-length" => Ok(Alignment::SameLength),
        "same-weekdays" => Ok(Alignment::SameWeekdays),
        _ => Err("write same-dates, same-length or same-weekdays".to_owned()),
    }
}

impl Against {
    /// The earlier period; none where none was asked for.
    pub(crate) fn span(&self, now: &Snapshot, later: Span) -> Result<Option<Span>> {
        let Some(period) = &self.period else { return Ok(None) };
        if let Some((from, to)) = period.split_once("..") {
            return Ok(Some(Span::new(now.calendar().parse(from)?, now.calendar().parse(to)?)?));
        }
        if later.start() == Span::ALL.start() || later.end() == Span::ALL.end() {
            return Err(Failure::Input("--against needs the period itself: give --from and --to".to_owned()));
        }
        let (back, grain) = period.split_once(':').unwrap_or(("1", period));
        let wrong = |_| Failure::Input(format!("--against {period:?}: write month, year, 2:week or T..T"));
        let grain: Grain = grain.parse()?;
        Ok(Some(now.calendar().earlier(later, back.parse().map_err(wrong)?, grain, self.align)?))
    }
}
