//! clusters and surges: what stands out at a moment.

use clap::Args;
use serde_json::json;
use zonal::{Clusters as Found, Figure, Group, Query, Snapshot};

use super::args::{Cut, Scope};
use super::ask::{cut, scoped, within};
use super::output::{NONE, Output, table};
use super::rank::or_none;
use super::{Result, files};

/// The groups that are looked at.
#[derive(Args)]
struct Groups {
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// Groups of this level of the place tree
    #[arg(long, value_name = "NAME")]
    level: String,
    /// and of each value of a dimension, or each node of a tree's level
    #[arg(long, value_name = "DIM[:LEVEL]")]
    by: Vec<String>,
    /// At most so many rows
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

#[derive(Args)]
pub(crate) struct Clusters {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    groups: Groups,
    /// As of this time; at any time if not said
    #[arg(long, value_name = "T")]
    at: Option<String>,
    /// Orders of so many days before
    #[arg(long, value_name = "N", default_value_t = 7)]
    days: u32,
    /// At least so many orders
    #[arg(long, value_name = "K", default_value_t = 3)]
    least: u64,
    /// Rather than the clusters: how many of the orders that this keeps they hold, and how many clusters hold none
    #[arg(long, value_name = "EXPR")]
    judged: Option<String>,
}

#[derive(Args)]
pub(crate) struct Surges {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    groups: Groups,
    /// The day that holds this time
    #[arg(long, value_name = "T")]
    day: String,
    /// The week that holds it, against the same weeks of past years, rather than the day
    #[arg(long)]
    week: bool,
    /// At least so many orders on the day, or in the week
    #[arg(long, value_name = "K", default_value_t = 5)]
    least: u64,
}

impl Groups {
    fn query(&self) -> Query {
        let query = within(Query::zoom(), &self.within).level(&self.level);
        cut(query, &Cut { grain: None, by: self.by.clone() })
    }

    fn header(&self, numbers: &[&str]) -> comfy_table::Table {
        let names = std::iter::once("unit").chain(self.by.iter().map(String::as_str));
        table(names.chain(numbers.iter().copied()), 1 + self.by.len())
    }
}

pub(crate) fn clusters(args: &Clusters) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let query = scoped(args.groups.query(), &args.scope, &now)?;
    let clusters = match &args.at {
        Some(at) => now.clusters(&query, now.calendar().parse(at)?, args.days, args.least)?,
        None => now.clusters_during(&query, args.days, args.least)?,
    };
    let mut output = Output::new();
    if let Some(judged) = &args.judged {
        let query = scoped(within(Query::zoom(), &args.groups.within), &args.scope, &now)?;
        judge(&mut output, args, &now, &clusters, query.filter(now.schema().filter(judged)?))?;
        return output.end();
    }
    let rows = clusters.rows().take(args.groups.limit);
    if args.scope.reading.store.json {
        rows.into_iter().try_for_each(|row| output.json(&row))?;
        return output.end();
    }
    let mut table = args.groups.header(&["from", "until", "orders"]);
    for row in rows {
        let names = std::iter::once(row.path().to_string()).chain(values(row.groups()));
        let span = [row.span().start(), row.span().end()].map(|time| now.calendar().format(time));
        table.add_row(names.chain(span).chain([row.size().to_string()]));
    }
    output.table(&table)?;
    output.line(format!("\n{} clusters hold {} of the orders.", clusters.rows().len(), clusters.share()))?;
    output.end()
}

/// Clusters beside a judgement that orders bear: what the rule finds of it, and where it raises the alarm alone.
fn judge(
    output: &mut Output,
    args: &Clusters,
    now: &Snapshot,
    clusters: &Found,
    judged: Query,
) -> Result<()> {
    let count = |query: &Query| -> Result<u64> { Ok(now.run(query)?.rows().map(|row| row.count()).sum()) };
    let (mut found, mut without) = (0, 0);
    for cluster in clusters.rows() {
        let expression = args.judged.as_deref().unwrap_or_default();
        let held = count(&cluster.query().filter(now.schema().filter(expression)?))?;
        found += held;
        without += u64::from(held == 0);
    }
    let (all, orders) = (count(&judged)?, clusters.rows().map(|cluster| cluster.size()).sum::<u64>());
    if args.scope.reading.store.json {
        return output.json(&json!({
            "clusters": clusters.rows().len(), "orders": orders, "judged": all, "found": found, "without": without,
        }));
    }
    let share = |numerator, denominator| Figure::Ratio { numerator, denominator };
    output.line(format!("{found} of {all} orders judged so lie in a cluster, {}.", share(found, all)))?;
    let alarms = clusters.rows().len() as u64;
    output.line(format!("{without} of {alarms} clusters hold none, {}.", share(without, alarms)))
}

pub(crate) fn surges(args: &Surges) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let query = scoped(args.groups.query(), &args.scope, &now)?;
    let time = now.calendar().parse(&args.day)?;
    let surges = match args.week {
        false => now.surges(&query, time, args.least)?,
        true => now.weekly_surges(&query, time, args.least)?,
    };
    let mut output = Output::new();
    let rows = surges.rows().take(args.groups.limit);
    if args.scope.reading.store.json {
        rows.into_iter().try_for_each(|row| output.json(&row))?;
        return output.end();
    }
    let mut table = args.groups.header(&["orders", "expected", "by chance", "c2"]);
    for row in rows {
        let names = std::iter::once(row.path().to_string()).chain(values(row.row().groups()));
        table.add_row(names.chain([
            row.observed().to_string(),
            format!("{:.2}", row.expected()),
            format!("{:.1e}", row.probability()),
            or_none(row.c2().map(|c2| format!("{c2:.1}"))),
        ]));
    }
    output.table(&table)?;
    output.end()
}

fn values<'a>(groups: impl Iterator<Item = (&'a str, Group<'a>)>) -> impl Iterator<Item = String> {
    groups.map(|(_, group)| if group.names().is_empty() { NONE.to_owned() } else { group.to_string() })
}
