//! backlog: open orders, over time and at a moment.

use clap::Args;
use zonal::{Backlog as Question, Grain, NodePath, Query, RowKind};

use super::args::Scope;
use super::ask::{scoped, within};
use super::output::{Output, table};
use super::{Failure, Result, files};

#[derive(Args)]
pub(crate) struct Backlog {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// A row for every unit of this level
    #[arg(long, value_name = "NAME")]
    level: Option<String>,
    /// The clock that ends an order
    #[arg(long, value_name = "CLOCK", default_value = "closed")]
    until: String,
    /// How many orders are open at the end of each step of time
    #[arg(long, value_name = "G", required_unless_present = "at")]
    grain: Option<Grain>,
    /// What is open at this time, rather than over time
    #[arg(long, value_name = "T", conflicts_with = "grain")]
    at: Option<String>,
    /// Tell open orders apart by age, in days: 1,3,7,30
    #[arg(long, value_name = "DAYS", value_delimiter = ',', requires = "at")]
    ages: Vec<u32>,
    /// The clock by which orders are due
    #[arg(long, value_name = "CLOCK", requires = "at")]
    due: Option<String>,
    /// Due soon is within so many hours
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    soon: u32,
}

pub(crate) fn backlog(args: &Backlog) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let mut query = scoped(within(Query::zoom(), &args.within), &args.scope, &now)?;
    if let Some(level) = &args.level {
        query = query.level(level);
    }
    let mut question = Question::new(&args.until).ages(args.ages.iter().copied());
    if let Some(due) = &args.due {
        question = question.due(due, args.soon);
    }
    let mut output = Output::new();
    let json = args.scope.reading.store.json;
    match (&args.at, &args.grain) {
        (Some(at), _) => {
            let rows = question.at(&now, &query, now.calendar().parse(at)?)?;
            if json {
                rows.iter().try_for_each(|row| output.json(row))?;
                return output.end();
            }
            let mut header: Vec<String> = ["unit", "open", "overdue", "due soon"].map(str::to_owned).to_vec();
            header.extend(args.ages.iter().map(|days| format!("to {days} d")));
            header.extend(args.ages.last().map(|days| format!("over {days} d")));
            let mut table = table(header, 1);
            for row in &rows {
                let counts =
                    [row.open, row.overdue, row.due_soon].into_iter().chain(row.ages.iter().copied());
                let name = name(row.path(), row.kind);
                table.add_row(std::iter::once(name).chain(counts.map(|count| count.to_string())));
            }
            output.table(&table)?;
        }
        (None, Some(grain)) => {
            let curve = question.curve(&now, &query.grain(grain.clone()))?;
            if json {
                curve.iter().try_for_each(|row| output.json(row))?;
                return output.end();
            }
            let mut table = table(["unit", &grain.to_string(), "opened", "closed", "open"], 2);
            for row in &curve {
                table.add_row([
                    name(row.path(), row.kind),
                    now.calendar().name(grain, row.step.start()),
                    row.opened.to_string(),
                    row.closed.to_string(),
                    row.open.to_string(),
                ]);
            }
            output.table(&table)?;
        }
        (None, None) => return Err(Failure::Input("ask with --grain or --at".to_owned())),
    }
    output.end()
}

fn name(path: NodePath<'_>, kind: RowKind) -> String {
    match (path.names().is_empty(), kind) {
        (true, RowKind::Remainder) => "no place (remainder)".to_owned(),
        (true, _) => "all".to_owned(),
        (false, RowKind::Remainder) => format!("{path} (remainder)"),
        (false, _) => path.to_string(),
    }
}
