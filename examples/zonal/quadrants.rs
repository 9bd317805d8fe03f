//! quadrants: satisfaction against complaints.

use std::path::PathBuf;

use clap::Args;
use zonal::{Attributes, Grain, QuadrantMap, Quadrants as Question, Threshold};

use super::args::Scope;
use super::ask::{scoped, span};
use super::output::{Output, table};
use super::rank::{Judge, or_none, percent};
use super::{Result, files};

#[derive(Args)]
pub(crate) struct Quadrants {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    judge: Judge,
    /// The policy's term that stands for satisfaction
    #[arg(long, value_name = "TERM", default_value = "satisfaction")]
    term: String,
    /// A CSV file with the columns unit, since and one for each attribute
    #[arg(long, value_name = "FILE")]
    attributes: PathBuf,
    /// Complaints are counted for each 10,000 of this attribute
    #[arg(long, value_name = "NAME", default_value = "residents")]
    per: String,
    /// Rates are high from the peer group's median on, rather than from its pooled rate
    #[arg(long)]
    median: bool,
    /// A map for every step of time, with the cell of the step before; the last one is printed
    #[arg(long, value_name = "G")]
    grain: Option<Grain>,
}

pub(crate) fn quadrants(args: &Quadrants) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let span = span(&args.scope, &now)?;
    let mut query = scoped(args.judge.query(), &args.scope, &now)?;
    if let Some(grain) = &args.grain {
        query = query.grain(grain.clone());
    }
    let attributes = Attributes::from_csv(&now, files::open(&args.attributes)?)?;
    let mut question = Question::new(&args.term, &args.per);
    if let Some(minimum) = args.judge.minimum {
        question = question.minimum(minimum);
    }
    if args.median {
        question = question.threshold(Threshold::Median);
    }
    let mut last: Option<QuadrantMap> = None;
    for ranking in args.judge.policy(&now, span)?.rank_each(&now, &query)? {
        let until = match (&args.grain, ranking.time()) {
            (Some(grain), Some(time)) => now.calendar().next(grain, time),
            _ => span.end(),
        };
        let map = question.map(&ranking, &attributes, until - 1)?;
        last = Some(match &last {
            Some(before) => map.after(before),
            None => map,
        });
    }
    let mut output = Output::new();
    let Some(map) = last else {
        output.line("No order is among those asked for.")?;
        return output.end();
    };
    if args.scope.reading.store.json {
        map.rows().try_for_each(|row| output.json(&row))?;
        return output.end();
    }
    let header = ["unit", "cell", "label", "before", "satisfaction", "per 10,000", "periods"];
    let mut table = table(header, 4);
    for row in map.rows() {
        table.add_row([
            row.path().to_string(),
            or_none(row.cell()),
            or_none(row.label()),
            or_none(row.previous()),
            or_none(row.satisfaction().cloned().map(percent)),
            or_none(row.complaints().map(|rate| format!("{rate:.2}"))),
            row.periods().to_string(),
        ]);
    }
    output.table(&table)?;
    output.end()
}
