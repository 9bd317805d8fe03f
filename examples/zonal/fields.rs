//! Orders as names and values, for programs and for people.

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};
use zonal::{Calendar, Moment, Order, Step, Value};

use super::output::NONE;

/// An order's fields by name: `id`, `created` and `place` first.
pub(crate) struct Fields(pub(crate) Vec<(String, Json)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// What an order says.
pub(crate) fn fields(order: &Order, calendar: &Calendar) -> Fields {
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
pub(crate) fn text(value: &Json) -> String {
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
