//! Orders in columns, for bulk loads from columnar sources.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::order_id::OrderId;
use crate::schema::{Clock, Field, MeasureSource};
use crate::segment::{ColumnId, MISSING, Rows, TEXT_LIMIT};

use super::intake::Intake;
use super::paths::{Known, Paths};

/// Many orders at once, column by column: what a Parquet or Arrow reader has at hand.
///
/// Dimensions come as a dictionary of their values and, for every order, the number of its value in it; the
/// names are resolved once a dictionary and not once an order, and those of [`Paths`] once for many columns. Every column
/// has as many entries as there are ids.
///
/// ```
/// use zonal::{Columns, Schema, Store};
///
/// let schema = Schema::builder("Asia/Shanghai").place(["district", "street"]).category("channel").build()?;
/// let store = Store::in_memory(schema)?;
/// let mut load = store.load()?;
/// load.push_columns(
///     Columns::numbered(vec![1, 2, 3], vec![1_767_225_600, 1_767_225_660, 1_767_312_000])
///         .place([["朝阳区", "望京街道"], ["海淀区", "中关村街道"]], vec![Some(0), Some(1), Some(0)])
///         .category("channel", ["phone", "web"], vec![Some(0), None, Some(1)]),
/// )?;
/// load.finish()?;
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Columns {
    ids: Ids,
    created: Vec<i64>,
    place: Option<Dictionary<Paths>>,
    trees: BTreeMap<String, Dictionary<Paths>>,
    categories: BTreeMap<String, Dictionary<Vec<String>>>,
    tags: BTreeMap<String, (Vec<String>, Vec<Vec<u32>>)>,
    outcomes: BTreeMap<String, Dictionary<Vec<String>>>,
    numbers: BTreeMap<String, Vec<Option<i64>>>,
    keys: BTreeMap<String, Vec<Option<u64>>>,
    texts: BTreeMap<String, Vec<Option<String>>>,
    points: Option<Vec<Option<(i32, i32)>>>,
}

#[derive(Debug, Clone)]
enum Ids {
    Numbers(Vec<u64>),
    Texts(Vec<String>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::Numbers(Vec::new())
    }
}

#[derive(Debug, Clone)]
struct Dictionary<T> {
    values: T,
    rows: Vec<Option<u32>>,
}

impl Columns {
    /// Orders whose ids are numbers, with the seconds since 1970 at which they were created.
    pub fn numbered(ids: Vec<u64>, created: Vec<i64>) -> Self {
        Self { ids: Ids::Numbers(ids), created, ..Self::default() }
    }

    /// Orders whose ids are texts, with the seconds since 1970 at which they were created.
    pub fn named(ids: impl IntoIterator<Item = impl Into<String>>, created: Vec<i64>) -> Self {
        Self { ids: Ids::Texts(ids.into_iter().map(Into::into).collect()), created, ..Self::default() }
    }

    /// The units, as paths from the top, and the number of each order's path.
    pub fn place(mut self, paths: impl Into<Paths>, rows: Vec<Option<u32>>) -> Self {
        self.place = Some(Dictionary { values: paths.into(), rows });
        self
    }

    /// The nodes of a further tree, as paths from the top, and the number of each order's path.
    pub fn tree(mut self, name: impl Into<String>, paths: impl Into<Paths>, rows: Vec<Option<u32>>) -> Self {
        self.trees.insert(name.into(), Dictionary { values: paths.into(), rows });
        self
    }

    /// The values of a category, and the number of each order's value.
    pub fn category(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
        rows: Vec<Option<u32>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.categories.insert(name.into(), Dictionary { values, rows });
        self
    }

    /// The tags of a tags field, and the numbers of each order's tags.
    pub fn tags(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
        rows: Vec<Vec<u32>>,
    ) -> Self {
        self.tags.insert(name.into(), (values.into_iter().map(Into::into).collect(), rows));
        self
    }

    /// Labels of an outcome, and the number of each order's label among these.
    pub fn outcome(
        mut self,
        name: impl Into<String>,
        labels: impl IntoIterator<Item = impl Into<String>>,
        rows: Vec<Option<u32>>,
    ) -> Self {
        let values = labels.into_iter().map(Into::into).collect();
        self.outcomes.insert(name.into(), Dictionary { values, rows });
        self
    }

    /// A stored measure.
    pub fn measure(mut self, name: impl Into<String>, rows: Vec<Option<i64>>) -> Self {
        self.numbers.insert(name.into(), rows);
        self
    }

    /// A clock, in seconds since 1970.
    pub fn clock(mut self, name: impl Into<String>, rows: Vec<Option<i64>>) -> Self {
        self.numbers.insert(name.into(), rows);
        self
    }

    /// The identities under a key.
    pub fn key(mut self, name: impl Into<String>, rows: Vec<Option<u64>>) -> Self {
        self.keys.insert(name.into(), rows);
        self
    }

    /// A text.
    pub fn text(mut self, name: impl Into<String>, rows: Vec<Option<String>>) -> Self {
        self.texts.insert(name.into(), rows);
        self
    }

    /// The points, longitude and latitude in 10⁻⁷ degrees.
    pub fn location_e7(mut self, rows: Vec<Option<(i32, i32)>>) -> Self {
        self.points = Some(rows);
        self
    }

    /// How many orders there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.ids {
            Ids::Numbers(ids) => ids.len(),
            Ids::Texts(ids) => ids.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn invalid(reason: String) -> Error {
    Error::invalid("columns", reason)
}

/// Resolves columns. Columns that do not fit leave the trees as they were.
pub(super) fn resolve(columns: Columns, intake: &mut Intake, known: &mut Known) -> Result<Rows> {
    let before = intake.forest.clone();
    let rows = resolve_all(columns, intake, known);
    if rows.is_err() {
        intake.forest = before;
        known.forget();
    }
    rows
}

fn resolve_all(columns: Columns, intake: &mut Intake, known: &mut Known) -> Result<Rows> {
    let count = columns.len();
    let born = intake.born();
    let mut rows = Rows::new(&intake.layout);
    rows.tags.iter_mut().for_each(|lists| lists.resize(count, Vec::new()));
    rows.texts.iter_mut().for_each(|texts| texts.resize(count, None));
    rows.ids = match columns.ids {
        Ids::Numbers(ids) => ids.into_iter().map(OrderId::Number).collect(),
        Ids::Texts(ids) => ids.iter().map(|id| OrderId::parse(id)).collect::<Result<_>>()?,
    };
    let mut resolver = Resolver { intake, rows, count };
    resolver.put(ColumnId::Born, "born", std::iter::repeat_n(born, count))?;
    resolver.times(ColumnId::Created, "created", columns.created.into_iter().map(Some).collect())?;
    for (name, rows) in columns.numbers {
        resolver.numbers(&name, rows)?;
    }
    for (name, rows) in columns.keys {
        resolver.keys(&name, rows)?;
    }
    for (name, texts) in columns.texts {
        resolver.texts(&name, texts)?;
    }
    if let Some(points) = columns.points {
        resolver.points(points)?;
    }
    for (name, dictionary) in columns.outcomes {
        resolver.outcomes(&name, dictionary)?;
    }
    if let Some(dictionary) = columns.place {
        let nodes = known.nodes(ColumnId::Place, dictionary.values, &mut resolver.intake.forest.place)?;
        resolver.coded(ColumnId::Place, "place", &nodes, &dictionary.rows)?;
    }
    for (name, dictionary) in columns.trees {
        let Field::Tree(number) = resolver.intake.schema.require(&name)? else {
            return Err(invalid(format!("{name:?} is not a tree")));
        };
        let Some(tree) = resolver.intake.forest.trees.get_mut(number) else { continue };
        let nodes = known.nodes(ColumnId::Tree(number), dictionary.values, tree)?;
        resolver.coded(ColumnId::Tree(number), &name, &nodes, &dictionary.rows)?;
    }
    for (name, dictionary) in columns.categories {
        let Field::Category(number) = resolver.intake.schema.require(&name)? else {
            return Err(invalid(format!("{name:?} is not a category")));
        };
        let Some(tree) = resolver.intake.forest.categories.get_mut(number) else { continue };
        let nodes = values(dictionary.values).nodes(tree)?;
        resolver.coded(ColumnId::Category(number), &name, &nodes, &dictionary.rows)?;
    }
    for (name, (values, lists)) in columns.tags {
        resolver.tags(&name, values, lists)?;
    }
    let mut rows = resolver.rows;
    rows.columns.iter_mut().for_each(|column| column.resize(count, MISSING));
    Ok(rows)
}

/// The values of a category or of tags: paths of one step.
fn values(names: Vec<String>) -> Paths {
    Paths::new(names.into_iter().map(|name| [name]))
}

struct Resolver<'a> {
    intake: &'a mut Intake,
    rows: Rows,
    count: usize,
}

impl Resolver<'_> {
    fn same_length(&self, name: &str, found: usize) -> Result<()> {
        if found == self.count {
            return Ok(());
        }
        Err(invalid(format!("{name:?} has {found} entries for {} ids", self.count)))
    }

    fn put(
        &mut self,
        column: ColumnId,
        name: &str,
        values: impl ExactSizeIterator<Item = i64>,
    ) -> Result<()> {
        self.same_length(name, values.len())?;
        let position = self.intake.layout.position(column);
        if let Some(slot) = position.and_then(|position| self.rows.columns.get_mut(position)) {
            *slot = values.collect();
        }
        Ok(())
    }

    fn coded(&mut self, column: ColumnId, name: &str, values: &[i64], rows: &[Option<u32>]) -> Result<()> {
        if let Some(wrong) = rows.iter().flatten().find(|&&row| row as usize >= values.len()) {
            return Err(invalid(format!(
                "{name:?} has {} values, one order names number {wrong}",
                values.len()
            )));
        }
        let value = |row: &Option<u32>| row.map_or(MISSING, |row| values[row as usize]);
        self.put(column, name, rows.iter().map(value))
    }

    fn times(&mut self, column: ColumnId, name: &str, rows: Vec<Option<i64>>) -> Result<()> {
        use crate::calendar::{EARLIEST, LATEST};
        if let Some(wrong) = rows.iter().flatten().find(|time| !(EARLIEST..=LATEST).contains(*time)) {
            return Err(invalid(format!("{name:?} has {wrong}, which lies outside the years 1900 to 2200")));
        }
        self.put(column, name, rows.into_iter().map(|time| time.unwrap_or(MISSING)))
    }

    fn numbers(&mut self, name: &str, rows: Vec<Option<i64>>) -> Result<()> {
        match self.intake.schema.require(name)? {
            Field::Clock(Clock::Other(number)) => self.times(ColumnId::Clock(number), name, rows),
            Field::Measure(number) if self.intake.schema.measures[number].source == MeasureSource::Stored => {
                if rows.contains(&Some(MISSING)) {
                    return Err(invalid(format!("{name:?} cannot be {MISSING}, which stands for missing")));
                }
                self.put(
                    ColumnId::Measure(number),
                    name,
                    rows.into_iter().map(|value| value.unwrap_or(MISSING)),
                )
            }
            _ => Err(invalid(format!("{name:?} is neither a stored measure nor a clock"))),
        }
    }

    fn keys(&mut self, name: &str, rows: Vec<Option<u64>>) -> Result<()> {
        let Field::Key(number) = self.intake.schema.require(name)? else {
            return Err(invalid(format!("{name:?} is not a key")));
        };
        if rows.contains(&Some(MISSING.cast_unsigned())) {
            return Err(invalid(format!("{name:?} cannot be 2^63, which stands for missing")));
        }
        let values = rows.into_iter().map(|key| key.map_or(MISSING, u64::cast_signed));
        self.put(ColumnId::Key(number), name, values)
    }

    fn texts(&mut self, name: &str, texts: Vec<Option<String>>) -> Result<()> {
        let Field::Text(number) = self.intake.schema.require(name)? else {
            return Err(invalid(format!("{name:?} is not a text")));
        };
        self.same_length(name, texts.len())?;
        if let Some(long) = texts.iter().flatten().find(|text| text.len() > TEXT_LIMIT) {
            return Err(invalid(format!(
                "{name:?} has a text of {} bytes, it takes up to {TEXT_LIMIT}",
                long.len()
            )));
        }
        self.rows.texts[number] = texts;
        Ok(())
    }

    fn points(&mut self, points: Vec<Option<(i32, i32)>>) -> Result<()> {
        for &(longitude, latitude) in points.iter().flatten() {
            self.intake.check_point(longitude, latitude).map_err(invalid)?;
        }
        let axis = |pick: fn((i32, i32)) -> i32| {
            points.iter().map(move |point| point.map_or(MISSING, |point| pick(point).into()))
        };
        self.put(ColumnId::Longitude, "location", axis(|point| point.0))?;
        self.put(ColumnId::Latitude, "location", axis(|point| point.1))
    }

    fn outcomes(&mut self, name: &str, dictionary: Dictionary<Vec<String>>) -> Result<()> {
        let Field::Outcome(number) = self.intake.schema.require(name)? else {
            return Err(invalid(format!("{name:?} is not an outcome")));
        };
        crate::filter::check_labels(&self.intake.schema, number, &dictionary.values)?;
        let labels = &self.intake.schema.outcomes[number].labels;
        let position = |label: &String| {
            let found = (0i64..).zip(labels).find(|(_, known)| *known == label);
            found.map_or(MISSING, |(position, _)| position)
        };
        let values: Vec<i64> = dictionary.values.iter().map(position).collect();
        self.coded(ColumnId::Outcome(number), name, &values, &dictionary.rows)
    }

    fn tags(&mut self, name: &str, values: Vec<String>, mut lists: Vec<Vec<u32>>) -> Result<()> {
        let Field::Tags(number) = self.intake.schema.require(name)? else {
            return Err(invalid(format!("{name:?} is not a tags field")));
        };
        self.same_length(name, lists.len())?;
        if let Some(wrong) = lists.iter().flatten().find(|&&tag| tag as usize >= values.len()) {
            return Err(invalid(format!(
                "{name:?} has {} tags, one order names number {wrong}",
                values.len()
            )));
        }
        let tree = &mut self.intake.forest.tags[number];
        let nodes = self::values(values).nodes(tree)?;
        for list in &mut lists {
            for tag in list.iter_mut() {
                *tag = u32::try_from(nodes[*tag as usize]).unwrap_or(u32::MAX);
            }
            list.sort_unstable();
            list.dedup();
        }
        self.rows.tags[number] = lists;
        Ok(())
    }
}
