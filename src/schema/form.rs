//! The plain form of a schema: what its TOML and the store's manifest hold. Turning it into a [`Schema`]
//! checks everything; a schema that exists is a schema that makes sense.

use serde::{Deserialize, Serialize};

use super::{
    CounterField, Field, MeasureField, MeasureSource, OutcomeField, RESERVED, Schema, TreeField, Unit,
};
use crate::calendar::{Calendar, PartitionGrain};
use crate::error::{Error, Result};
use crate::filter::Filter;

const MOST_PLACE_LEVELS: usize = 8;
const MOST_TREE_LEVELS: usize = 16;
const MOST_LABELS: usize = 15;
/// Fields of one kind; section tables number them in 16 bits, and nobody needs more.
const MOST_FIELDS: usize = 1_000;
const LONGEST_NAME: usize = 64;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) time_zone: String,
    #[serde(default = "default_partition")]
    pub(super) partition: PartitionGrain,
    #[serde(default)]
    pub(super) location: bool,
    pub(super) place: PlaceForm,
    #[serde(default, rename = "tree", skip_serializing_if = "Vec::is_empty")]
    pub(super) trees: Vec<TreeForm>,
    #[serde(default, rename = "category", skip_serializing_if = "Vec::is_empty")]
    pub(super) categories: Vec<NameForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<NameForm>,
    #[serde(default, rename = "outcome", skip_serializing_if = "Vec::is_empty")]
    pub(super) outcomes: Vec<OutcomeForm>,
    #[serde(default, rename = "clock", skip_serializing_if = "Vec::is_empty")]
    pub(super) clocks: Vec<NameForm>,
    #[serde(default, rename = "measure", skip_serializing_if = "Vec::is_empty")]
    pub(super) measures: Vec<MeasureForm>,
    #[serde(default, rename = "key", skip_serializing_if = "Vec::is_empty")]
    pub(super) keys: Vec<NameForm>,
    #[serde(default, rename = "text", skip_serializing_if = "Vec::is_empty")]
    pub(super) texts: Vec<NameForm>,
    #[serde(default, rename = "counter", skip_serializing_if = "Vec::is_empty")]
    pub(super) counters: Vec<CounterForm>,
}

pub(super) fn default_partition() -> PartitionGrain {
    PartitionGrain::Month
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceForm {
    pub(super) levels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TreeForm {
    pub(super) name: String,
    pub(super) levels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameForm {
    pub(super) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeForm {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureForm {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) between: Option<[String; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<Unit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CounterForm {
    pub(super) name: String,
    /// The text form of the filter.
    #[serde(rename = "where")]
    pub(super) filter: String,
}

impl TryFrom<Form> for Schema {
    type Error = Error;

    fn try_from(form: Form) -> Result<Self> {
        check_levels("place", &form.place.levels, MOST_PLACE_LEVELS)?;
        for tree in &form.trees {
            check_levels(&format!("tree {:?}", tree.name), &tree.levels, MOST_TREE_LEVELS)?;
        }
        for outcome in &form.outcomes {
            check_labels(outcome)?;
        }
        check_names(&form)?;
        let names = |forms: Vec<NameForm>| forms.into_iter().map(|form| form.name).collect();
        let mut schema = Self {
            calendar: Calendar::new(&form.time_zone)?,
            partition: form.partition,
            place: TreeField { name: super::PLACE.to_owned(), levels: form.place.levels },
            trees: form
                .trees
                .into_iter()
                .map(|tree| TreeField { name: tree.name, levels: tree.levels })
                .collect(),
            categories: names(form.categories),
            tags: names(form.tags),
            outcomes: form
                .outcomes
                .into_iter()
                .map(|outcome| OutcomeField { name: outcome.name, labels: outcome.labels })
                .collect(),
            counters: Vec::new(),
            measures: Vec::new(),
            clocks: names(form.clocks),
            keys: names(form.keys),
            location: form.location,
            texts: names(form.texts),
        };
        for measure in form.measures {
            let source = source(&schema, &measure)?;
            schema.measures.push(MeasureField { name: measure.name, source });
        }
        for counter in form.counters {
            let filter = schema.filter(&counter.filter)?;
            check_counter(&schema, &counter.name, &filter)?;
            schema.counters.push(CounterField { name: counter.name, filter });
        }
        Ok(schema)
    }
}

impl From<Schema> for Form {
    fn from(schema: Schema) -> Self {
        let names = |names: Vec<String>| names.into_iter().map(|name| NameForm { name }).collect();
        let measures = schema
            .measures
            .iter()
            .map(|measure| {
                let (between, unit) = match measure.source {
                    MeasureSource::Stored => (None, None),
                    MeasureSource::Between { from, to, unit } => {
                        (Some([from, to].map(|clock| schema.clock_name(clock).to_owned())), Some(unit))
                    }
                };
                MeasureForm { name: measure.name.clone(), between, unit }
            })
            .collect();
        Self {
            time_zone: schema.time_zone().to_owned(),
            partition: schema.partition,
            location: schema.location,
            place: PlaceForm { levels: schema.place.levels },
            trees: schema
                .trees
                .into_iter()
                .map(|tree| TreeForm { name: tree.name, levels: tree.levels })
                .collect(),
            categories: names(schema.categories),
            tags: names(schema.tags),
            outcomes: schema
                .outcomes
                .into_iter()
                .map(|outcome| OutcomeForm { name: outcome.name, labels: outcome.labels })
                .collect(),
            clocks: names(schema.clocks),
            measures,
            keys: names(schema.keys),
            texts: names(schema.texts),
            counters: schema
                .counters
                .into_iter()
                .map(|counter| CounterForm { name: counter.name, filter: counter.filter.to_string() })
                .collect(),
        }
    }
}

fn invalid(reason: String) -> Error {
    Error::invalid("schema", reason)
}

fn check_levels(what: &str, levels: &[String], most: usize) -> Result<()> {
    if levels.is_empty() || levels.len() > most {
        return Err(invalid(format!("{what} has {} levels, it can have 1 to {most}", levels.len())));
    }
    levels.iter().try_for_each(|level| check_name(what, level))?;
    check_distinct(&format!("level of {what}"), levels.iter().map(String::as_str))
}

fn check_labels(outcome: &OutcomeForm) -> Result<()> {
    let what = format!("outcome {:?}", outcome.name);
    if outcome.labels.is_empty() || outcome.labels.len() > MOST_LABELS {
        let found = outcome.labels.len();
        return Err(invalid(format!("{what} has {found} labels, it can have 1 to {MOST_LABELS}")));
    }
    outcome.labels.iter().try_for_each(|label| check_name(&what, label))?;
    check_distinct(&format!("label of {what}"), outcome.labels.iter().map(String::as_str))
}

/// Fields share one set of names, so that a filter needs only the name; counters have their own, so that
/// the counter `solved` can count the outcome `solved`.
fn check_names(form: &Form) -> Result<()> {
    let names = |forms: &[NameForm]| forms.iter().map(|form| form.name.clone()).collect::<Vec<_>>();
    let kinds = [
        ("tree", form.trees.iter().map(|tree| tree.name.clone()).collect::<Vec<_>>()),
        ("category", names(&form.categories)),
        ("tags", names(&form.tags)),
        ("outcome", form.outcomes.iter().map(|outcome| outcome.name.clone()).collect()),
        ("clock", names(&form.clocks)),
        ("measure", form.measures.iter().map(|measure| measure.name.clone()).collect()),
        ("key", names(&form.keys)),
        ("text", names(&form.texts)),
    ];
    let counters: Vec<&str> = form.counters.iter().map(|counter| counter.name.as_str()).collect();
    for (kind, names) in &kinds {
        check_many(kind, names.len())?;
        names.iter().try_for_each(|name| check_own_name(kind, name))?;
    }
    check_many("counter", counters.len())?;
    counters.iter().try_for_each(|name| check_own_name("counter", name))?;
    check_distinct("field", kinds.iter().flat_map(|(_, names)| names).map(String::as_str))?;
    check_distinct("counter", counters.into_iter())
}

fn check_many(kind: &str, found: usize) -> Result<()> {
    if found > MOST_FIELDS {
        return Err(invalid(format!("{found} fields of kind {kind}, at most {MOST_FIELDS} are possible")));
    }
    Ok(())
}

fn check_own_name(kind: &str, name: &str) -> Result<()> {
    if RESERVED.contains(&name) {
        return Err(invalid(format!("{kind} {name:?} takes a name that zonal uses itself; choose another")));
    }
    if name.contains(['/', ':', ',']) {
        return Err(invalid(format!("{kind} {name:?}: a name has no slash, colon or comma")));
    }
    check_name(kind, name)
}

fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.trim() != name {
        return Err(invalid(format!(
            "{what}: the name {name:?} has to have 1 to {LONGEST_NAME} bytes and no space at its ends"
        )));
    }
    Ok(())
}

fn check_distinct<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(invalid(format!("{what} {name:?} is declared twice")));
        }
    }
    Ok(())
}

fn source(schema: &Schema, measure: &MeasureForm) -> Result<MeasureSource> {
    match (&measure.between, measure.unit) {
        (None, None) => Ok(MeasureSource::Stored),
        (None, Some(_)) => {
            Err(invalid(format!("measure {:?} has a unit but no two clocks to lie between", measure.name)))
        }
        (Some([from, to]), unit) => Ok(MeasureSource::Between {
            from: schema.clock(from)?,
            to: schema.clock(to)?,
            unit: unit.unwrap_or(Unit::Seconds),
        }),
    }
}

/// Counters are summed when a segment is sealed, so they look only at what an order itself says.
fn check_counter(schema: &Schema, name: &str, filter: &Filter) -> Result<()> {
    let mut wrong: Option<String> = None;
    filter.each_field(&mut |field: &str| {
        let fits = matches!(schema.field(field), Some(Field::Outcome(_) | Field::Category(_)));
        if !fits && wrong.is_none() {
            wrong = Some(field.to_owned());
        }
    });
    match wrong {
        Some(field) => Err(invalid(format!(
            "counter {name:?} looks at {field:?}, a counter can look at outcomes and categories only"
        ))),
        None => Ok(()),
    }
}
