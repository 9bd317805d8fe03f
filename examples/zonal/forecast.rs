//! forecast: how many orders are to come.

use clap::Args;
use serde_json::json;
use zonal::{Grain, Query};

use super::args::Scope;
use super::ask::{scoped, within};
use super::output::{Output, table};
use super::{Result, files};

#[derive(Args)]
pub(crate) struct Forecast {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// The steps of the series and of the forecast
    #[arg(long, value_name = "G", default_value_t = Grain::Day)]
    grain: Grain,
    /// So many steps, from where the span ends
    #[arg(long, value_name = "N", default_value_t = 7)]
    steps: u32,
    /// How many of a hundred the interval should hold
    #[arg(long, value_name = "PERCENT", default_value_t = 80)]
    interval: u8,
}

pub(crate) fn forecast(args: &Forecast) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let query = scoped(within(Query::zoom(), &args.within), &args.scope, &now)?.grain(args.grain.clone());
    let forecast = now.forecast(&query, args.steps, args.interval)?;
    let mut output = Output::new();
    if args.scope.reading.store.json {
        forecast.steps().iter().try_for_each(|step| output.json(step))?;
        output.json(&json!({ "trial": forecast.trial() }))?;
        return output.end();
    }
    let mut table = table([args.grain.to_string().as_str(), "orders", "low", "high"], 1);
    for step in forecast.steps() {
        let name = now.calendar().name(&args.grain, step.step.start());
        let numbers = [step.orders, step.low, step.high].map(|number| format!("{number:.0}"));
        table.add_row([name].into_iter().chain(numbers));
    }
    output.table(&table)?;
    if let Some(trial) = forecast.trial() {
        output.line(format!(
            "\nForecast in the same way, the last {} known were off by {:.1} orders in the mean; as many as one season before, by {:.1}. \
             The interval held {} of them.",
            trial.steps, trial.error, trial.naive_error, trial.within
        ))?;
    }
    output.end()
}
