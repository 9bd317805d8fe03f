//! repeats: the same caller, or address, again within a step of time.

use clap::Args;
use serde_json::{Value, json};
use zonal::{Grain, Query, Repeats as Question};

use super::args::Scope;
use super::ask::{scoped, within};
use super::fields::fields;
use super::output::{NONE, Output, table};
use super::{Result, files};

#[derive(Args)]
pub(crate) struct Repeats {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
    /// Orders repeat one another where they share this key
    #[arg(long, value_name = "KEY")]
    key: String,
    /// and lie under one node of this tree's level
    #[arg(long, value_name = "TREE:LEVEL")]
    under: Option<String>,
    /// How many orders at least
    #[arg(long, value_name = "N", default_value_t = 2)]
    times: u64,
    /// The steps of time within which they repeat
    #[arg(long, value_name = "G", default_value_t = Grain::Month)]
    grain: Grain,
    /// Also lists the N largest of each step
    #[arg(long, value_name = "N", default_value_t = 0)]
    list: usize,
    /// and says how their last order ended
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
}

pub(crate) fn repeats(args: &Repeats) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let query = scoped(within(Query::zoom(), &args.within), &args.scope, &now)?.grain(args.grain.clone());
    let mut question = Question::of(&args.key).times(args.times).list(args.list);
    if let Some((tree, level)) = args.under.as_ref().and_then(|under| under.split_once(':')) {
        question = question.within(tree, level);
    }
    let mut output = Output::new();
    let mut steps = table(["", "groups", "orders", "of all"], 1);
    let mut largest = table(["", "orders", "last", "ended"], 3);
    for step in now.repeats_each(&query, &question)? {
        let mut listed = Vec::new();
        for orders in step.orders()? {
            let last = orders.first().map(|order| fields(order, now.calendar()));
            let last = |name: &str| last.as_ref().and_then(|last| last.get(name)).cloned();
            let ended = args.outcome.as_deref().and_then(last);
            listed.push((orders.len(), last("created"), ended));
        }
        if args.scope.reading.store.json {
            let listed: Vec<Value> = listed
                .iter()
                .map(|(orders, last, ended)| json!({ "orders": orders, "last": last, "ended": ended }))
                .collect();
            let mut line = json!(step);
            if args.list > 0 {
                line["listed"] = json!(listed);
            }
            output.json(&line)?;
            continue;
        }
        let name = now.calendar().name(&args.grain, step.span.start());
        let report = &step.report;
        steps.add_row([
            name.clone(),
            report.groups.to_string(),
            report.orders.to_string(),
            step.share().to_string(),
        ]);
        for (orders, last, ended) in listed {
            largest.add_row([name.clone(), orders.to_string(), shown(last), shown(ended)]);
        }
    }
    if args.scope.reading.store.json {
        return output.end();
    }
    output.table(&steps)?;
    if args.list > 0 {
        output.line("")?;
        output.table(&largest)?;
    }
    output.end()
}

fn shown(value: Option<Value>) -> String {
    value.as_ref().map_or(NONE.to_owned(), super::fields::text)
}
