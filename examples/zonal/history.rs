//! history and changes.

use serde_json::json;
use zonal::{Calendar, Order, Version};

use super::args::{Changes, History};
use super::fields::{Fields, fields, text};
use super::output::{NONE, Output, table};
use super::{Failure, Result, files};

pub(crate) fn history(args: &History) -> Result<()> {
    let store = files::reader(&args.store)?;
    let versions = store.history(&args.id)?;
    if versions.is_empty() {
        return Err(Failure::Input(format!("the store never had an order {:?}", args.id)));
    }
    let now = store.snapshot();
    let calendar = now.calendar();
    let mut output = Output::new();
    if args.store.json {
        for version in &versions {
            output.json(&json!({
                "commit": version.commit,
                "known": calendar.format(version.known),
                "ended": version.ended,
                "removed": version.removed,
                "order": fields(&version.order, calendar),
            }))?;
        }
        return output.end();
    }
    let mut lines = table(["commit", "known", "field", "value"], 4);
    let mut before: Option<&Version> = None;
    for version in &versions {
        // A removal ends what came before, so that all of a revived order is new.
        let earlier = before.filter(|before| !before.removed).map(|before| &before.order);
        let mut head = [version.commit.to_string(), calendar.format(version.known)];
        let differences = differences(earlier, Some(&version.order), calendar);
        if differences.is_empty() {
            let [commit, known] = std::mem::take(&mut head);
            lines.add_row([commit, known, NONE.to_owned(), "written anew, the same".to_owned()]);
        }
        for (field, _, value) in differences {
            let [commit, known] = std::mem::take(&mut head);
            lines.add_row([commit, known, field, value]);
        }
        if let Some(commit) = version.ended.filter(|_| version.removed) {
            let known = store.snapshot_at(commit)?.known();
            let known = known.map_or(NONE.to_owned(), |known| calendar.format(known));
            lines.add_row([commit.to_string(), known, NONE.to_owned(), "removed".to_owned()]);
        }
        before = Some(version);
    }
    output.table(&lines)?;
    output.end()
}

pub(crate) fn changes(args: &Changes) -> Result<()> {
    let store = files::reader(&args.store)?;
    let now = store.snapshot();
    let from = files::commit(&store, &args.from)?;
    let to = match &args.to {
        Some(to) => files::commit(&store, to)?,
        None => now.commit(),
    };
    let changes = store.changes(from, to)?;
    let calendar = now.calendar();
    let mut output = Output::new();
    if args.store.json {
        for change in &changes {
            let side = |order: &Option<Order>| order.as_ref().map(|order| fields(order, calendar));
            output.json(&json!({
                "id": change.id, "before": side(&change.before), "after": side(&change.after),
            }))?;
        }
        return output.end();
    }
    let mut lines = table(["order", "field", "before", "after"], 4);
    let [mut new, mut changed, mut removed] = [0, 0, 0];
    for change in &changes {
        let mut id = change.id.clone();
        *match (&change.before, &change.after) {
            (None, _) => &mut new,
            (_, None) => &mut removed,
            _ => &mut changed,
        } += 1;
        for (field, before, after) in differences(change.before.as_ref(), change.after.as_ref(), calendar) {
            lines.add_row([std::mem::take(&mut id), field, before, after]);
        }
    }
    if !changes.is_empty() {
        output.table(&lines)?;
        output.line("")?;
    }
    output.line(format!("From commit {from} to {to}: {new} new, {changed} changed, {removed} removed."))?;
    output.end()
}

/// The fields in which two versions differ, with both values.
fn differences(
    before: Option<&Order>,
    after: Option<&Order>,
    calendar: &Calendar,
) -> Vec<(String, String, String)> {
    let of = |order: Option<&Order>| order.map_or(Fields(Vec::new()), |order| fields(order, calendar));
    let (before, after) = (of(before), of(after));
    let gone = before.0.iter().filter(|(field, _)| after.get(field).is_none());
    let fields = after.0.iter().chain(gone).map(|(field, _)| field).filter(|field| *field != "id");
    let value = |side: &Fields, field: &str| side.get(field).map_or(NONE.to_owned(), text);
    let both = fields.map(|field| (field.clone(), value(&before, field), value(&after, field)));
    both.filter(|(_, before, after)| before != after).collect()
}
