//! Reading whole orders back out of a segment.

use crate::error::Result;
use crate::order::{Order, Value};
use crate::schema::Schema;
use crate::segment::{ColumnId, SectionId, Segment, present};
use crate::tree::{Forest, Step, Tree};

/// The order that a row of a segment holds.
pub(crate) fn order(schema: &Schema, forest: &Forest, segment: &Segment, row: u32) -> Result<Order> {
    let number = |column: ColumnId| -> Result<Option<i64>> {
        Ok(segment.column(column)?.and_then(|column| present(column.get(row as usize))))
    };
    let mut order = Order::new(segment.id(row)?.to_string(), number(ColumnId::Created)?.unwrap_or_default())
        .place(path(&forest.place, number(ColumnId::Place)?));
    for (tree, (field, nodes)) in schema.trees.iter().zip(&forest.trees).enumerate() {
        if let Some(node) = number(ColumnId::Tree(tree))? {
            order = order.with(&field.name, Value::Tree(path(nodes, Some(node))));
        }
    }
    for (category, (name, values)) in schema.categories.iter().zip(&forest.categories).enumerate() {
        if let Some(value) = number(ColumnId::Category(category))? {
            order = order.with(name, Value::Category(name_of(values, value)));
        }
    }
    for (tags, (name, values)) in schema.tags.iter().zip(&forest.tags).enumerate() {
        let list = match segment.tags(tags)? {
            Some(lists) => segment.placed(SectionId::Tags(tags), lists.get(row))?,
            None => Vec::new(),
        };
        if !list.is_empty() {
            let list = list.into_iter().map(|tag| name_of(values, tag.into())).collect();
            order = order.with(name, Value::Tags(list));
        }
    }
    for (outcome, field) in schema.outcomes.iter().enumerate() {
        let label = number(ColumnId::Outcome(outcome))?.and_then(|label| usize::try_from(label).ok());
        if let Some(label) = label.and_then(|label| field.labels.get(label)) {
            order = order.with(&field.name, Value::Outcome(label.clone()));
        }
    }
    for (measure, field) in schema.measures.iter().enumerate() {
        if let Some(value) = number(ColumnId::Measure(measure))? {
            order = order.with(&field.name, Value::Measure(value));
        }
    }
    for (clock, name) in schema.clocks.iter().enumerate() {
        if let Some(time) = number(ColumnId::Clock(clock))? {
            order = order.with(name, Value::Clock(time.into()));
        }
    }
    for (key, name) in schema.keys.iter().enumerate() {
        if let Some(key) = number(ColumnId::Key(key))? {
            order = order.with(name, Value::Key(key.cast_unsigned()));
        }
    }
    for (text, name) in schema.texts.iter().enumerate() {
        let found = match segment.text(text)? {
            Some(texts) => segment.placed(SectionId::Text(text), texts.get(row))?,
            None => None,
        };
        if let Some(found) = found {
            order = order.with(name, Value::Text(found));
        }
    }
    let point = (number(ColumnId::Longitude)?, number(ColumnId::Latitude)?);
    if let (Some(longitude), Some(latitude)) = point
        && let (Ok(longitude), Ok(latitude)) = (i32::try_from(longitude), i32::try_from(latitude))
    {
        order = order.location_e7(longitude, latitude);
    }
    Ok(order)
}

fn path(tree: &Tree, node: Option<i64>) -> Vec<Step> {
    let mut at = node.and_then(|node| u32::try_from(node).ok()).and_then(|node| tree.get(node));
    let mut steps = Vec::new();
    while let Some(node) = at {
        let code = tree.code_of(node).map(str::to_owned);
        steps.push(Step { name: tree.name_of(node).to_owned(), code });
        at = tree.parent(node);
    }
    steps.reverse();
    steps
}

fn name_of(dictionary: &Tree, value: i64) -> String {
    let node = u32::try_from(value).ok().and_then(|value| dictionary.get(value));
    node.map_or(String::new(), |node| dictionary.name_of(node).to_owned())
}
