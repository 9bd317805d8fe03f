//! Reading whole orders back: a row out of a segment, an order out of a row.

use crate::error::Result;
use crate::order::{Order, Value};
use crate::schema::Schema;
use crate::segment::{ColumnId, Layout, MISSING, Row, SectionId, Segment, present};
use crate::tree::{Forest, Step, Tree};

/// A row of a segment, in numbers.
pub(crate) fn row(layout: &Layout, segment: &Segment, row: u32) -> Result<Row> {
    let number = |column: &ColumnId| -> Result<i64> {
        Ok(segment.column(*column)?.map_or(MISSING, |column| column.get(row as usize)))
    };
    let tags = |tags: usize| match segment.tags(tags)? {
        Some(lists) => segment.placed(SectionId::Tags(tags), lists.get(row)),
        None => Ok(Vec::new()),
    };
    let text = |text: usize| match segment.text(text)? {
        Some(texts) => segment.placed(SectionId::Text(text), texts.get(row)),
        None => Ok(None),
    };
    Ok(Row {
        id: segment.id(row)?,
        columns: layout.columns().iter().map(number).collect::<Result<_>>()?,
        tags: (0..layout.tags()).map(tags).collect::<Result<_>>()?,
        texts: (0..layout.texts()).map(text).collect::<Result<_>>()?,
    })
}

/// The order that a row stands for, in names.
pub(crate) fn order(schema: &Schema, forest: &Forest, layout: &Layout, row: &Row) -> Order {
    let number = |column: ColumnId| {
        let position = layout.position(column)?;
        row.columns.get(position).copied().and_then(present)
    };
    let mut order = Order::new(row.id.to_string(), number(ColumnId::Created).unwrap_or_default())
        .place(path(&forest.place, number(ColumnId::Place)));
    for (tree, (field, nodes)) in schema.trees.iter().zip(&forest.trees).enumerate() {
        if let Some(node) = number(ColumnId::Tree(tree)) {
            order = order.with(&field.name, Value::Tree(path(nodes, Some(node))));
        }
    }
    for (category, (name, values)) in schema.categories.iter().zip(&forest.categories).enumerate() {
        if let Some(value) = number(ColumnId::Category(category)) {
            order = order.with(name, Value::Category(name_of(values, value)));
        }
    }
    for ((name, values), tags) in schema.tags.iter().zip(&forest.tags).zip(&row.tags) {
        if !tags.is_empty() {
            let tags = tags.iter().map(|tag| name_of(values, (*tag).into())).collect();
            order = order.with(name, Value::Tags(tags));
        }
    }
    for (outcome, field) in schema.outcomes.iter().enumerate() {
        let label = number(ColumnId::Outcome(outcome)).and_then(|label| usize::try_from(label).ok());
        if let Some(label) = label.and_then(|label| field.labels.get(label)) {
            order = order.with(&field.name, Value::Outcome(label.clone()));
        }
    }
    for (measure, field) in schema.measures.iter().enumerate() {
        if let Some(value) = number(ColumnId::Measure(measure)) {
            order = order.with(&field.name, Value::Measure(value));
        }
    }
    for (clock, name) in schema.clocks.iter().enumerate() {
        if let Some(time) = number(ColumnId::Clock(clock)) {
            order = order.with(name, Value::Clock(time.into()));
        }
    }
    for (key, name) in schema.keys.iter().enumerate() {
        if let Some(key) = number(ColumnId::Key(key)) {
            order = order.with(name, Value::Key(key.cast_unsigned()));
        }
    }
    for (name, text) in schema.texts.iter().zip(&row.texts) {
        if let Some(text) = text {
            order = order.with(name, Value::Text(text.clone()));
        }
    }
    let point = (number(ColumnId::Longitude), number(ColumnId::Latitude));
    if let (Some(longitude), Some(latitude)) = point
        && let (Ok(longitude), Ok(latitude)) = (i32::try_from(longitude), i32::try_from(latitude))
    {
        order = order.location_e7(longitude, latitude);
    }
    order
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
