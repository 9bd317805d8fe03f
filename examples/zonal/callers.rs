//! callers and correlate: who comes how often, and what goes together with a series from outside.

use std::path::PathBuf;

use clap::Args;
use zonal::{Caller, Grain, Metric, Outside, Query};

use super::args::{Cut, Scope};
use super::ask::{cut, scoped, within};
use super::output::{Output, table};
use super::rank::or_none;
use super::{Result, files};

#[derive(Args)]
pub(crate) struct Callers {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// The key that orders of one caller share
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Count units of this level
    #[arg(long, value_name = "NAME")]
    level: Option<String>,
    /// Count values of a dimension, or nodes of a tree's level
    #[arg(long, value_name = "DIM[:LEVEL]")]
    by: Vec<String>,
    /// How many of the busiest
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// The busiest by units, or by how many values of a dimension, rather than by orders
    #[arg(long, value_name = "units|DIM")]
    most: Option<String>,
}

#[derive(Args)]
pub(crate) struct Correlate {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit
    #[arg(long, value_name = "PATH")]
    within: Option<String>,
    /// A CSV file with the columns time and value
    #[arg(long, value_name = "FILE")]
    series: PathBuf,
    /// The steps of the series
    #[arg(long, value_name = "G", default_value_t = Grain::Day)]
    grain: Grain,
    /// What of the orders is beside it; count if not said
    #[arg(long, value_name = "M")]
    metric: Option<Metric>,
    /// Up to so many steps before the orders
    #[arg(long, value_name = "N", default_value_t = 7)]
    lags: i32,
}

pub(crate) fn callers(args: &Callers) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let mut query = scoped(within(Query::zoom(), &args.within), &args.scope, &now)?;
    if let Some(level) = &args.level {
        query = query.level(level);
    }
    let callers = now.callers(&cut(query, &Cut { grain: None, by: args.by.clone() }), &args.key)?;
    let fields: Vec<&str> = args.by.iter().map(|by| by.split(':').next().unwrap_or(by)).collect();
    let different =
        |caller: &Caller<'_>, field: &str| caller.values(field).map_or(0, |values| values.len() as u64);
    let mut busiest: Vec<Caller<'_>> = callers.rows().collect();
    if let Some(most) = &args.most {
        busiest.sort_by_key(|caller| {
            std::cmp::Reverse(if most == "units" { caller.units() } else { different(caller, most) })
        });
    }
    busiest.truncate(args.top);
    let mut output = Output::new();
    if args.scope.reading.store.json {
        busiest.iter().try_for_each(|caller| output.json(caller))?;
        return output.end();
    }
    let mut table = table(["orders", "units"].into_iter().chain(fields.iter().copied()), 0);
    for caller in &busiest {
        let numbers = [caller.orders(), caller.units()];
        let numbers = numbers.into_iter().chain(fields.iter().map(|field| different(caller, field)));
        table.add_row(numbers.map(|number| number.to_string()));
    }
    output.table(&table)?;
    output.line(format!(
        "\n{} callers have {} orders; the {} busiest {} of them.",
        callers.rows().len(),
        callers.orders(),
        args.top,
        callers.share(args.top)
    ))?;
    output.end()
}

pub(crate) fn correlate(args: &Correlate) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let mut query = scoped(within(Query::zoom(), args.within.as_slice()), &args.scope, &now)?;
    if let Some(metric) = &args.metric {
        query = query.metric(metric);
    }
    let series = Outside::from_csv(now.calendar(), args.grain.clone(), files::open(&args.series)?)?;
    let lags = now.correlate(&query, &series, 0..=args.lags)?;
    let mut output = Output::new();
    if args.scope.reading.store.json {
        lags.iter().try_for_each(|lag| output.json(lag))?;
        return output.end();
    }
    let mut table = table(["steps before", "Pearson", "Spearman", "pairs", "missing"], 0);
    for lag in lags {
        let three = |number: Option<f64>| or_none(number.map(|number| format!("{number:.3}")));
        let counts = [lag.pairs.to_string(), lag.missing.to_string()];
        table.add_row(
            [lag.lag.to_string(), three(lag.pearson), three(lag.spearman)].into_iter().chain(counts),
        );
    }
    output.table(&table)?;
    output.end()
}
