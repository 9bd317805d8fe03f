//! profile and concentration: how orders are spread over time and over units.

use clap::Args;
use serde_json::json;
use zonal::{Concentration as Spread, Cycle, Metric, Query, count};

use super::args::Scope;
use super::ask::{scoped, within};
use super::output::{Output, table};
use super::rank::or_none;
use super::{Result, files};

#[derive(Args)]
pub(crate) struct Profile {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// hour-of-day, day-of-week or month-of-year
    #[arg(long, value_name = "CYCLE", value_parser = cycle)]
    cycle: Cycle,
}

#[derive(Args)]
pub(crate) struct Concentration {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// The units of this level
    #[arg(long, value_name = "NAME")]
    level: String,
    /// What is spread: count if not said, or a counter
    #[arg(long, value_name = "M")]
    metric: Option<Metric>,
    /// The share of the N largest
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Units without orders as well
    #[arg(long)]
    all_units: bool,
}

fn cycle(text: &str) -> std::result::Result<Cycle, String> {
    match text {
        "hour-of-day" => Ok(Cycle::HourOfDay),
        "day-of-week" => Ok(Cycle::DayOfWeek),
        "month-of-year" => Ok(Cycle::MonthOfYear),
        _ => Err("write hour-of-day, day-of-week or month-of-year".to_owned()),
    }
}

pub(crate) fn profile(args: &Profile) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let query = scoped(within(Query::zoom(), &args.within), &args.scope, &now)?;
    let seasons = now.profile(&query, args.cycle)?;
    let mut output = Output::new();
    if args.scope.reading.store.json {
        seasons.iter().try_for_each(|season| output.json(season))?;
        return output.end();
    }
    let mut table = table(["", "orders", "times", "mean"], 0);
    for season in &seasons {
        let mean = or_none(season.mean.as_ref().map(|mean| format!("{mean:.1}")));
        table.add_row([season.part.to_string(), season.orders.to_string(), season.times.to_string(), mean]);
    }
    output.table(&table)?;
    output.end()
}

pub(crate) fn concentration(args: &Concentration) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let metric = args.metric.clone().unwrap_or_else(count);
    let mut query = scoped(within(Query::zoom(), &args.within), &args.scope, &now)?.level(&args.level);
    if args.all_units {
        query = query.all_units();
    }
    let spread = Spread::of(&now.run(&query.metric(&metric))?, &metric);
    let (top, hhi, gini) = (spread.top_share(args.top), spread.hhi(), spread.gini());
    let mut output = Output::new();
    if args.scope.reading.store.json {
        output.json(&json!({ "top_share": top, "hhi": hhi, "gini": gini }))?;
        return output.end();
    }
    let three =
        |number: &Option<zonal::Fraction>| or_none(number.as_ref().map(|number| format!("{number:.3}")));
    let mut table = table(["share", "value"], 1);
    table.add_row([format!("the {} largest", args.top), top.to_string()]);
    table.add_row(["HHI".to_owned(), three(&hhi)]);
    table.add_row(["Gini".to_owned(), three(&gini)]);
    output.table(&table)?;
    output.end()
}
