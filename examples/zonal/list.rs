//! orders and get.

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};
use zonal::{Calendar, Moment, Order, Query, Sort, Step, Value};

use super::args::{Get, Orders};
use super::output::{NONE, Output, table};
use super::{Failure, Result, ask, files};

pub(crate) fn orders(args: &Orders) -> Result<()> {
    let now = files::store(&args.scope.store)?.snapshot();
    let query = ask::scoped(ask::within(Query::zoom(), &args.within), &args.scope, &now)?;
    let sort = args.sort.clone().map_or(Sort::Newest, Sort::Largest);
    let orders = now.orders(&query, sort, args.limit)?;
    let orders: Vec<_> = orders.iter().map(|order| fields(order, now.calendar())).collect();
    let mut output = Output::new();
    if args.scope.store.json {
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
    let now = files::store(&args.store)?.snapshot();
    let unknown = || Failure::Input(format!("there is no order {:?} in the store", args.id));
    let order = now.get(&args.id)?.ok_or_else(unknown)?;
    let order = fields(&order, now.calendar());
    let mut output = Output::new();
    if args.store.json {
        output.json(&order)?;
    } else {
        let mut table = table(["field", "value"], 2);
        table.add_rows(order.0.iter().map(|(name, value)| [name.clone(), text(value)]));
        output.table(&table)?;
    }
    output.end()
}

/// An order's fields by name: `id`, `created` and `place` first.
struct Fields(Vec<(String, Json)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn fields(order: &Order, calendar: &Calendar) -> Fields {
    let names = |path: &[Step]| path.iter().map(|step| step.name.as_str()).collect::<Json>();
    let time = |time: &Moment| match time {
        Moment::Seconds(seconds) => calendar.format(*seconds),
        Moment::Text(text) => text.clone(),
    };
    let mut fields = vec![
        ("id".to_owned(), order.id().into()),
        ("created".to_owned(), time(order.created()).into()),
        ("place".to_owned(), names(order.place_path())),
    ];
    if let Some((longitude, latitude)) = order.point() {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        fields.push(("location".to_owned(), json!([degrees(longitude), degrees(latitude)])));
    }
    for (name, value) in order.values() {
        let value = match value {
            Value::Tree(path) => names(path),
            Value::Category(text) | Value::Outcome(text) | Value::Text(text) => text.as_str().into(),
            Value::Tags(tags) => json!(tags),
            Value::Measure(number) => json!(number),
            Value::Clock(moment) => time(moment).into(),
            Value::Key(key) => json!(key),
            _ => continue,
        };
        fields.push((name.to_owned(), value));
    }
    Fields(fields)
}

/// A value as people read it.
fn text(value: &Json) -> String {
    match value {
        Json::Null => NONE.to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(parts) if parts.iter().all(Json::is_string) => {
            parts.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("/")
        }
        Json::Array(parts) => parts.iter().map(Json::to_string).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
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
