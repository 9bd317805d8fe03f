//! compare: two periods side by side.

use clap::Args;
use zonal::{Grain, Metric, Query, Row, Snapshot, count};

use super::against::Against;
use super::args::Scope;
use super::ask::{cut, figure, scoped, span, unit, within};
use super::output::{NONE, Output, table};
use super::rank::or_none;
use super::{Failure, Result, args, files};

#[derive(Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// A row for every unit of this level
    #[arg(long, value_name = "NAME")]
    level: Option<String>,
    #[command(flatten)]
    cut: args::Cut,
    /// What to compute; count if not said
    #[arg(long = "metric", value_name = "M")]
    metrics: Vec<Metric>,
    #[command(flatten)]
    against: Against,
}

pub(crate) fn compare(args: &Compare) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let later = span(&args.scope, &now)?;
    let Some(earlier) = args.against.span(&now, later)? else {
        return Err(Failure::Input("say with --against which period to compare with".to_owned()));
    };
    let mut query = within(Query::zoom(), &args.within);
    if let Some(level) = &args.level {
        query = query.level(level);
    }
    query = cut(scoped(query, &args.scope, &now)?, &args.cut);
    query = match args.metrics.is_empty() {
        true => query.metric(count()),
        false => args.metrics.iter().fold(query, Query::metric),
    };
    let comparison = now.compare(&query, later, earlier)?;
    let mut output = Output::new();
    if args.scope.reading.store.json {
        comparison.rows().try_for_each(|row| output.json(&row))?;
        return output.end();
    }
    let Some(first) = comparison.rows().next() else {
        output.line("No order is among those asked for.")?;
        return output.end();
    };
    let grain = args.cut.grain.as_ref();
    let mut header = vec!["unit".to_owned()];
    header.extend(grain.map(|grain| grain.to_string()));
    header.extend(grain.map(|_| "beside".to_owned()));
    header.extend(first.groups().map(|(field, _)| field.to_owned()));
    let numbers = header.len();
    for metric in comparison.metrics() {
        header.extend([metric.to_string(), "before".to_owned(), "growth".to_owned()]);
    }
    let mut table = table(header, numbers);
    for row in comparison.rows() {
        let either = row.now().or(row.before());
        let mut cells = vec![either.map_or(String::new(), |row| unit(&row))];
        for row in grain.iter().flat_map(|_| [row.now(), row.before()]) {
            cells.push(or_none(row.and_then(|row| step(&now, grain, &row))));
        }
        cells.extend(
            row.groups().map(
                |(_, group)| {
                    if group.names().is_empty() { NONE.to_owned() } else { group.to_string() }
                },
            ),
        );
        for metric in comparison.metrics() {
            let (now, before) = row.figures(metric);
            let growth = row.growth(metric).map(|growth| format!("{:.1} %", growth * 100.into()));
            cells.extend([figure(&now), figure(&before), or_none(growth)]);
        }
        table.add_row(cells);
    }
    output.table(&table)?;
    output.end()
}

fn step(now: &Snapshot, grain: Option<&Grain>, row: &Row<'_>) -> Option<String> {
    Some(now.calendar().name(grain?, row.time()?))
}
