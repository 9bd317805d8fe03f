//! orders and get.

use zonal::{Query, Sort};

use super::args::{Get, Orders};
use super::fields::{Fields, fields, text};
use super::output::{NONE, Output, table};
use super::{Failure, Result, ask, files};

pub(crate) fn orders(args: &Orders) -> Result<()> {
    let now = files::snapshot(&args.scope.reading)?;
    let query = ask::scoped(ask::within(Query::zoom(), &args.within), &args.scope, &now)?;
    let sort = args.sort.clone().map_or(Sort::Newest, Sort::Largest);
    let orders = now.orders(&query, sort, args.limit)?;
    let orders: Vec<_> = orders.iter().map(|order| fields(order, now.calendar())).collect();
    let mut output = Output::new();
    if args.scope.reading.store.json {
        orders.iter().try_for_each(|order| output.json(order))?;
    } else {
        print(&mut output, &orders)?;
    }
    if args.scope.explain {
        ask::explain(&mut output, &args.scope, &now, &query)?;
    }
    output.end()
}

pub(crate) fn get(args: &Get) -> Result<()> {
    let now = files::snapshot(&args.reading)?;
    let unknown = || Failure::Input(format!("there is no order {:?} in the store", args.id));
    let order = now.get(&args.id)?.ok_or_else(unknown)?;
    let order = fields(&order, now.calendar());
    let mut output = Output::new();
    if args.reading.store.json {
        output.json(&order)?;
    } else {
        let mut table = table(["field", "value"], 2);
        table.add_rows(order.0.iter().map(|(name, value)| [name.clone(), text(value)]));
        output.table(&table)?;
    }
    output.end()
}

fn print(output: &mut Output, orders: &[Fields]) -> Result<()> {
    if orders.is_empty() {
        return output.line("No order is among those asked for.");
    }
    // Every field that one of the orders has, in the order of the first that has it.
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in orders.iter().flat_map(|order| &order.0) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let mut table = table(&columns, columns.len());
    for order in orders {
        table.add_row(columns.iter().map(|name| order.get(name).map_or(NONE.to_owned(), text)));
    }
    output.table(&table)
}
