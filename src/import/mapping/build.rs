//! From the form of a mapping file to a mapping: names are bound, and what makes no sense is refused.

use super::column::{Clean, Column};
use super::form::{
    BoundForm, CleanForm, ColumnForm, Form, LevelForm, MeasureForm, OutcomeForm, Short, TagsForm,
};
use super::time::{Format, TimeColumn};
use super::{FileFormat, Identity, Level, Mapped, Mapping, Name, Source, invalid};
use crate::calendar::{Calendar, Span};
use crate::error::Result;
use crate::import::hash::Secret;
use crate::schema::{CREATED, LOCATION, PLACE, Schema};

pub(super) fn build(form: Form) -> Result<Mapping> {
    let schema = schema(&form)?;
    let calendar = schema.calendar().clone();
    let file = file_format(&form)?;
    let mut builder = Builder { missing: form.missing, columns: Vec::new(), calendar };
    let id = builder.short("id", form.order.id.0)?;
    let created = form.order.created.0;
    let created = builder.times(CREATED, created.column, &created.formats, created.missing, created.clean)?;
    let mut fields = vec![(
        PLACE.to_owned(),
        Source::Place(builder.levels(PLACE, form.place.levels, form.place.columns)?),
    )];
    if let Some(form) = form.location {
        let mut axis = |column| builder.column(LOCATION, column, form.missing.clone(), CleanForm::default());
        let (longitude, latitude) = (axis(form.longitude)?, axis(form.latitude)?);
        let default = form.default.map(|point| point.map(e7)).map(|[east, north]| (east, north));
        fields.push((LOCATION.to_owned(), Source::Location { longitude, latitude, default }));
    }
    for tree in form.trees {
        let levels = builder.levels(&tree.name, tree.levels, tree.columns)?;
        fields.push((tree.name, Source::Tree(levels)));
    }
    for category in form.categories {
        let name = builder.name(
            &category.name,
            category.column,
            category.value,
            category.missing,
            category.clean,
        )?;
        fields.push((category.name, Source::Category(name)));
    }
    for tags in form.tags {
        fields.push((tags.name.clone(), builder.tags(tags)?));
    }
    for outcome in form.outcomes {
        let column = builder.column(&outcome.name, outcome.column, outcome.missing, outcome.clean)?;
        let labels = outcome.labels.into_iter().map(|(text, label)| (text.into_inner(), label)).collect();
        fields.push((outcome.name, Source::Outcome { column, labels }));
    }
    for clock in form.clocks {
        let times = builder.times(&clock.name, clock.column, &clock.formats, clock.missing, clock.clean)?;
        fields.push((clock.name, Source::Clock(times)));
    }
    for measure in form.measures {
        if let Some(column) = measure.column {
            let column = builder.column(&measure.name, column, measure.missing, measure.clean)?;
            fields.push((measure.name, Source::Measure(column)));
        }
    }
    for key in form.keys {
        let column = builder.column(&key.name, key.column, key.missing, key.clean)?;
        let identity = match (key.integer, key.secret) {
            (true, Some(_)) => {
                return Err(invalid(format!(
                    "key {:?}: an integer is not hashed, so it has no secret",
                    key.name
                )));
            }
            (true, None) => Identity::Integer,
            (false, secret) => Identity::Hash(Secret::new(secret.as_deref().unwrap_or(""))),
        };
        fields.push((key.name, Source::Key { column, identity }));
    }
    for text in form.texts {
        let column = builder.column(&text.name, text.column, text.missing, text.clean)?;
        fields.push((text.name, Source::Text(column)));
    }
    Ok(Mapping { schema, file, columns: builder.columns, id, created, fields })
}

/// The schema that the file declares beside its columns.
fn schema(form: &Form) -> Result<Schema> {
    let mut schema = Schema::builder(&form.time_zone).partition(form.partition).place(&form.place.levels);
    if form.location.is_some() {
        schema = schema.location();
    }
    for tree in &form.trees {
        schema = schema.tree(&tree.name, &tree.levels);
    }
    for category in &form.categories {
        schema = schema.category(&category.name);
    }
    for tags in &form.tags {
        schema = schema.tags(&tags.name);
    }
    for outcome in &form.outcomes {
        schema = schema.outcome(&outcome.name, labels(outcome));
    }
    for clock in &form.clocks {
        schema = schema.clock(&clock.name);
    }
    for measure in &form.measures {
        schema = match between(measure)? {
            None => schema.measure(&measure.name),
            Some([from, to]) => {
                schema.measure_between(&measure.name, from, to, measure.unit.unwrap_or(crate::Unit::Seconds))
            }
        };
    }
    for key in &form.keys {
        schema = schema.key(&key.name);
    }
    for text in &form.texts {
        schema = schema.text(&text.name);
    }
    // Counters are texts over fields, so the schema of the fields reads them.
    let fields = schema.clone().build()?;
    for counter in &form.counters {
        schema = schema.counter(&counter.name, fields.filter(&counter.filter)?);
    }
    schema.build()
}

/// The labels, each once, by where they first stand in the file.
fn labels(outcome: &OutcomeForm) -> Vec<&String> {
    let mut entries: Vec<_> = outcome.labels.iter().collect();
    entries.sort_by_key(|(text, _)| text.span().start);
    let mut labels = Vec::new();
    for (_, label) in entries {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

/// The two clocks of a measure; none where it is read from a column.
fn between(measure: &MeasureForm) -> Result<Option<&[String; 2]>> {
    match (&measure.column, &measure.between, measure.unit) {
        (Some(_), None, None) => Ok(None),
        (None, Some(clocks), _) => Ok(Some(clocks)),
        _ => Err(invalid(format!(
            "measure {:?} takes either a column, or two clocks to lie between and their unit",
            measure.name
        ))),
    }
}

fn file_format(form: &Form) -> Result<FileFormat> {
    let delimiter = u8::try_from(form.file.delimiter).ok().filter(u8::is_ascii);
    let delimiter = delimiter.ok_or_else(|| {
        invalid(format!("[file]: delimiter {:?}: it has to be an ASCII character", form.file.delimiter))
    })?;
    if form.file.header_row == 0 {
        return Err(invalid("[file]: header_row counts lines from 1"));
    }
    Ok(FileFormat { encoding: form.file.encoding, delimiter, header_row: form.file.header_row })
}

/// Degrees in 10⁻⁷; what does not fit saturates, and no point equals it.
pub(in crate::import) fn e7(degrees: f64) -> i32 {
    (degrees * 1e7).round() as i32
}

struct Builder {
    missing: Vec<String>,
    columns: Vec<Mapped>,
    calendar: Calendar,
}

impl Builder {
    /// A column that is no time.
    fn column(
        &mut self,
        field: &str,
        column: String,
        missing: Option<Vec<String>>,
        clean: CleanForm,
    ) -> Result<Column> {
        let range = match &clean.range {
            None => None,
            Some([BoundForm::Number(least), BoundForm::Number(most)]) if least <= most => {
                Some(*least..=*most)
            }
            Some(_) => {
                return Err(invalid(format!(
                    "{field}: a range is two whole numbers here, the smaller first"
                )));
            }
        };
        let slot = self.columns.len();
        self.columns.push(Mapped { column, field: field.to_owned() });
        let spellings = missing.as_ref().unwrap_or(&self.missing);
        Ok(Column {
            slot,
            missing: spellings
                .iter()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .collect(),
            clean: Clean {
                strip_prefix: clean.strip_prefix,
                integer: clean.integer,
                values: clean.values,
                range,
            },
        })
    }

    fn short(&mut self, field: &str, form: ColumnForm) -> Result<Column> {
        self.column(field, form.column, form.missing, form.clean)
    }

    fn times(
        &mut self,
        field: &str,
        column: String,
        formats: &[String],
        missing: Option<Vec<String>>,
        mut clean: CleanForm,
    ) -> Result<TimeColumn> {
        let range = match clean.range.take() {
            None => Span::ALL,
            Some([BoundForm::Time(start), BoundForm::Time(end)]) => {
                let time = |text: &str| self.calendar.parse(text);
                let span = time(&start).and_then(|start| Span::new(start, time(&end)?));
                span.map_err(|error| invalid(format!("{field}: range: {error}")))?
            }
            Some(_) => return Err(invalid(format!("{field}: a range is two times in quotes here"))),
        };
        let formats = match formats {
            [] => vec![Format::Iso],
            formats => formats
                .iter()
                .map(|text| Format::new(text).map_err(|error| invalid(format!("{field}: {error}"))))
                .collect::<Result<_>>()?,
        };
        Ok(TimeColumn { column: self.column(field, column, missing, clean)?, formats, range })
    }

    fn name(
        &mut self,
        field: &str,
        column: Option<String>,
        value: Option<String>,
        missing: Option<Vec<String>>,
        clean: CleanForm,
    ) -> Result<Name> {
        match (column, value) {
            (Some(column), None) => self.column(field, column, missing, clean).map(Name::Column),
            (None, Some(value)) if !value.is_empty() => Ok(Name::Value(value)),
            _ => Err(invalid(format!("{field}: give either the name of a column, or a value"))),
        }
    }

    fn levels(
        &mut self,
        tree: &str,
        levels: Vec<String>,
        columns: Vec<Short<LevelForm>>,
    ) -> Result<Vec<Level>> {
        if levels.len() != columns.len() {
            let (levels, columns) = (levels.len(), columns.len());
            return Err(invalid(format!(
                "{tree} has {levels} levels and {columns} columns; give one for each"
            )));
        }
        let levels = levels.into_iter().zip(columns).map(|(level, Short(form))| {
            let field = format!("{tree}.{level}");
            let name = self.name(&field, form.column, form.value, form.missing.clone(), form.clean)?;
            let code = form.code.map(|Short(code)| {
                let missing = code.missing.or(form.missing);
                self.column(&format!("{field} code"), code.column, missing, code.clean)
            });
            Ok(Level { name, code: code.transpose()? })
        });
        levels.collect()
    }

    fn tags(&mut self, form: TagsForm) -> Result<Source> {
        let (columns, separator) = match (form.column, form.separator, form.columns) {
            (Some(column), Some(separator), columns) if columns.is_empty() && !separator.is_empty() => {
                (vec![column], Some(separator))
            }
            (None, None, columns) if !columns.is_empty() => (columns, None),
            _ => {
                return Err(invalid(format!(
                    "tags {:?}: give a column and a separator, or several columns",
                    form.name
                )));
            }
        };
        let columns = columns
            .into_iter()
            .map(|column| self.column(&form.name, column, form.missing.clone(), form.clean.clone()));
        Ok(Source::Tags { columns: columns.collect::<Result<_>>()?, separator })
    }
}
