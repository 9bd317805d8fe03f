//! Views: what is asked all day, summed when a segment is sealed.
//!
//! A view has a cell for every part of a segment that is asked for as a whole, and [`records`] of what
//! the orders before each cell add up to: their number, every counter, every measure. There are views of the units of a
//! level, of these units by the days of a clock, and of the nodes of another tree's level by days of creation. A segment gets the
//! smallest of them, those by other clocks last, as long as all together have few cells for the orders behind them.

use super::column::MISSING;
use super::directory::Runs;
use super::format::SectionId;
use super::grid::Shape;
use super::reader::Segment;
use super::records::{self, Fact, Running};
use super::rows::{ColumnId, Layout, Rows, elapsed, position};
use crate::calendar::{Grain, Span};
use crate::error::Result;
use crate::schema::{Clock, MeasureSource, Schema};
use crate::tree::{Forest, Tree};

/// All views together have at most one cell for so many orders: with more, they would be large, and little faster than rows.
const ORDERS_PER_CELL: usize = 8;
/// A view of so few cells is made in any case.
const FEW_CELLS: usize = if cfg!(test) { 400 } else { 32 };
/// Seconds.
const DAY: i64 = 86_400;

/// What views are made from.
pub(super) struct Source<'a> {
    pub(super) schema: &'a Schema,
    pub(super) layout: &'a Layout,
    pub(super) forest: &'a Forest,
    pub(super) rows: &'a Rows,
    /// For each counter, which rows it counts.
    pub(super) counted: &'a [Vec<bool>],
    /// The runs of every level.
    pub(super) levels: &'a [Runs],
}

/// A view that is being made.
struct View<'a> {
    section: SectionId,
    cells: Cells<'a>,
    facts: Vec<Running>,
}

/// The cells of a view.
enum Cells<'a> {
    /// The runs of a level.
    Runs(&'a Runs),
    /// Nodes by days.
    Grid(Shape),
}

impl<'a> Source<'a> {
    /// The views that are worth their bytes.
    pub(super) fn views(&self) -> Vec<(SectionId, Vec<u8>)> {
        self.fill(self.choose())
    }

    fn fill(&self, mut views: Vec<View<'_>>) -> Vec<(SectionId, Vec<u8>)> {
        let orders = self.rows.column(self.layout, ColumnId::Created).len();
        sum(&mut views, Fact::Orders, 0, std::iter::repeat_n(1, orders));
        for (number, rows) in self.counted.iter().enumerate() {
            sum(&mut views, Fact::Counter(number), 0, rows.iter().map(|counts| u64::from(*counts)));
        }
        for number in 0..self.schema.measures.len() {
            let values = self.measured(number);
            let base = values.iter().copied().filter(|value| *value != MISSING).min().unwrap_or(0);
            let beyond = values.iter().map(|value| if *value == MISSING { 0 } else { value.abs_diff(base) });
            // No sum is beyond 64 bits.
            if beyond.clone().try_fold(0u64, u64::checked_add).is_some() {
                let having = values.iter().map(|value| u64::from(*value != MISSING));
                sum(&mut views, Fact::Having(number), 0, having);
                sum(&mut views, Fact::Sum(number), base, beyond);
            }
        }
        let encoded = views.into_iter().map(|view| match view.cells {
            Cells::Runs(_) => (view.section, records::encode(&view.facts)),
            Cells::Grid(shape) => (view.section, shape.encode(&view.facts)),
        });
        encoded.collect()
    }

    /// The smallest views first, and those by other clocks last, as long as there is room.
    fn choose(&self) -> Vec<View<'a>> {
        let mut possible: Vec<(usize, Plan<'a, '_>)> = Vec::new();
        for (level, runs) in self.levels.iter().enumerate() {
            possible.push((runs.units.len(), Plan::Level(level, runs)));
        }
        let room = self.rows.len() / ORDERS_PER_CELL;
        // One order that is closed in a hundred years is no reason to look at every day until then.
        let few = |clock| self.ends(clock).filter(|ends| days_between(*ends) <= room.max(FEW_CELLS));
        let created = self.days(Clock::Created, self.ends(Clock::Created));
        let clocks = (0..self.schema.clocks.len()).map(Clock::Other);
        let others: Vec<Days> =
            clocks.filter_map(|clock| Some(self.days(clock, Some(few(clock)?)))).collect();
        let cells = |lines: usize, days: &Days| lines.saturating_add(1).saturating_mul(days.starts.len());
        for days in std::iter::once(&created).chain(&others) {
            for (level, runs) in self.levels.iter().enumerate() {
                possible.push((cells(runs.units.len(), days), Plan::UnitDays(days, level, runs)));
            }
        }
        for (number, tree) in self.forest.trees.iter().enumerate() {
            for level in 0..tree.levels().len() {
                let lines = self.lines(ColumnId::Tree(number), tree, level);
                possible.push((cells(lines.nodes.len(), &created), Plan::NodeDays(number, level, lines)));
            }
        }
        let is_by_other =
            |plan: &Plan<'_, '_>| matches!(plan, Plan::UnitDays(days, ..) if days.clock != Clock::Created);
        possible.sort_by_key(|(cells, plan)| (is_by_other(plan), *cells));
        let mut room = room;
        possible.retain(|(cells, _)| {
            let left = room.checked_sub(*cells);
            room = left.unwrap_or(room);
            left.is_some() || *cells <= FEW_CELLS
        });
        let view = |(_, plan)| {
            let (section, cells) = match plan {
                Plan::Level(level, runs) => (SectionId::Level(level), Cells::Runs(runs)),
                Plan::UnitDays(days, level, runs) => {
                    let lines = (0u32..).zip(runs.starts.windows(2)).flat_map(|(line, ends)| {
                        let length = ends.iter().rev().copied().reduce(|end, start| end.wrapping_sub(start));
                        std::iter::repeat_n(line, usize::try_from(length.unwrap_or(0)).unwrap_or(0))
                    });
                    let shape = Shape::new(
                        runs.units.clone(),
                        days.starts.clone(),
                        lines.zip(days.of_rows.iter().copied()),
                    );
                    (SectionId::UnitDays(days.clock, level), Cells::Grid(shape))
                }
                Plan::NodeDays(tree, level, lines) => {
                    let cells = lines.of_rows.into_iter().zip(created.of_rows.iter().copied());
                    let shape = Shape::new(lines.nodes, created.starts.clone(), cells);
                    (SectionId::NodeDays(tree, level), Cells::Grid(shape))
                }
            };
            View { section, cells, facts: Vec::new() }
        };
        possible.into_iter().map(view).collect()
    }

    /// The first and the last time of a clock.
    fn ends(&self, clock: Clock) -> Option<(i64, i64)> {
        let times = self.rows.column(self.layout, clock.into()).iter().filter(|time| **time != MISSING);
        times.fold(None, |ends, time| {
            Some(ends.map_or((*time, *time), |(first, last): (i64, i64)| (first.min(*time), last.max(*time))))
        })
    }

    /// The days of a clock from its first time to the last.
    fn days(&self, clock: Clock, ends: Option<(i64, i64)>) -> Days {
        let span = ends.and_then(|(first, last)| Span::new(first, last.saturating_add(1)).ok());
        let starts = span.map_or_else(|| vec![0], |span| self.schema.calendar().steps(Grain::Day, span));
        self.days_from(clock, starts)
    }

    fn days_from(&self, clock: Clock, starts: Vec<i64>) -> Days {
        let day = |time: &i64| starts.partition_point(|start| start <= time).saturating_sub(1) as u32;
        let times = self.rows.column(self.layout, clock.into()).iter();
        let of_rows = times.map(|time| (*time != MISSING).then(|| day(time))).collect();
        Days { clock, starts, of_rows }
    }

    /// The nodes of a tree's level that have orders, and for every row which of them it counts for.
    fn lines(&self, column: ColumnId, tree: &Tree, level: usize) -> Lines {
        let ancestor = |node: i64| {
            let node = u32::try_from(node).ok().and_then(|node| tree.get(node));
            node.map_or(MISSING, |node| tree.ancestor(node, level).index().into())
        };
        let mut nodes: Vec<(u64, i64)> = Vec::new();
        self.lines_of(column, |node| {
            nodes.push((position(tree, ancestor(node)), ancestor(node)));
            0
        });
        nodes.sort_unstable();
        nodes.dedup();
        let line = |node| {
            let label = position(tree, ancestor(node));
            nodes.partition_point(|(before, _)| *before < label) as u32
        };
        let of_rows = self.lines_of(column, line);
        Lines { nodes: nodes.into_iter().map(|(_, node)| node).collect(), of_rows }
    }

    /// The line of every row, of which `line` tells that of a node; where rows are many, it is asked once for each.
    fn lines_of(&self, column: ColumnId, mut line: impl FnMut(i64) -> u32) -> Vec<u32> {
        let values = self.rows.column(self.layout, column);
        let most = values.iter().copied().max().and_then(|most| usize::try_from(most).ok());
        let none = most.map_or(0, |most| most.saturating_add(1));
        // A batch of few orders costs what they are, however many nodes there are.
        if values.len() <= none {
            return values.iter().map(|value| line(*value)).collect();
        }
        // Of each node; of none, behind the last.
        let mut lines: Vec<Option<u32>> = vec![None; none.saturating_add(1)];
        let of_row = |value: &i64| match lines.get_mut(usize::try_from(*value).unwrap_or(none)) {
            Some(known) => *known.get_or_insert_with(|| line(*value)),
            None => 0,
        };
        values.iter().map(of_row).collect()
    }

    fn measured(&self, number: usize) -> Vec<i64> {
        let column = |id| self.rows.column(self.layout, id);
        match self.schema.measures.get(number).map(|measure| &measure.source) {
            Some(&MeasureSource::Between { from, to, unit }) => {
                let times = column(from.into()).iter().zip(column(to.into()));
                times.map(|(from, to)| elapsed(*from, *to, unit.seconds())).collect()
            }
            _ => column(ColumnId::Measure(number)).to_vec(),
        }
    }
}

/// What some rows of a segment, ascending, add up to in the cells of one of its views; where it has no such view by days, in
/// the lines and days that these rows are of; none where that makes more than `most` cells.
pub(super) fn of_some(
    section: SectionId,
    segment: &Segment,
    some: &[u32],
    most: usize,
    schema: &Schema,
    forest: &Forest,
) -> Result<Option<Vec<u8>>> {
    let layout = Layout::new(schema);
    let (rows, counted) = read(section, segment, some, schema, &layout)?;
    let source = Source { schema, layout: &layout, forest, rows: &rows, counted: &counted, levels: &[] };
    let runs;
    let cells = match (section, section.nodes(forest)) {
        (SectionId::Level(level), _) => {
            let directory = segment.directory(level)?;
            let before = |start: &u32| some.partition_point(|row| row < start) as i64;
            let starts = directory.starts(0..directory.len()).iter().map(before).collect();
            runs = Runs { units: Vec::new(), starts, marked: false };
            Cells::Runs(&runs)
        }
        (_, Some((column, tree, level))) => {
            let (lines, days) = match segment.grid(section)? {
                Some(grid) => {
                    let line = |node| grid.line_of(tree, node, level) as u32;
                    let lines = Lines { nodes: grid.nodes(), of_rows: source.lines_of(column, line) };
                    (lines, source.days_from(section.clock(), grid.starts()))
                }
                None => {
                    let lines = source.lines(column, tree, level);
                    let ends = source.ends(section.clock());
                    if ends.map_or(0, days_between).saturating_mul(lines.nodes.len()) > most {
                        return Ok(None);
                    }
                    (lines, source.days(section.clock(), ends))
                }
            };
            Cells::Grid(Shape::new(lines.nodes, days.starts, lines.of_rows.into_iter().zip(days.of_rows)))
        }
        _ => return Ok(None),
    };
    let filled = source.fill(vec![View { section, cells, facts: Vec::new() }]);
    Ok(filled.into_iter().map(|(_, bytes)| bytes).next())
}

/// What of some rows of a segment a view is made from.
fn read(
    section: SectionId,
    segment: &Segment,
    some: &[u32],
    schema: &Schema,
    layout: &Layout,
) -> Result<(Rows, Vec<Vec<bool>>)> {
    let mut rows = Rows::new(layout);
    for (id, values) in layout.columns().iter().zip(&mut rows.columns) {
        let is_read = match id {
            ColumnId::Created => true,
            ColumnId::Clock(number) if section.clock() == Clock::Other(*number) => true,
            ColumnId::Place => matches!(section, SectionId::UnitDays(..)),
            ColumnId::Tree(number) => matches!(section, SectionId::NodeDays(of, _) if of == *number),
            ColumnId::Measure(_) | ColumnId::Clock(_) => matches!(section, SectionId::Level(_)),
            _ => false,
        };
        if is_read {
            let column = segment.column(*id)?;
            values.extend(some.iter().map(|row| column.map_or(MISSING, |column| column.get(*row as usize))));
        }
    }
    let mut counted = Vec::new();
    for number in 0..schema.counters.len() {
        let bits = segment.counter(number)?;
        counted.push(some.iter().map(|row| bits.is_some_and(|bits| bits.get(*row))).collect());
    }
    Ok((rows, counted))
}

/// A view that may be made.
enum Plan<'a, 'd> {
    Level(usize, &'a Runs),
    UnitDays(&'d Days, usize, &'a Runs),
    NodeDays(usize, usize, Lines),
}

/// The first instants of the days of a clock, and the end of the last.
struct Days {
    clock: Clock,
    starts: Vec<i64>,
    /// The number of each row's day; none for a row without a time.
    of_rows: Vec<Option<u32>>,
}

/// The lines of a view of nodes.
struct Lines {
    nodes: Vec<i64>,
    of_rows: Vec<u32>,
}

/// How many days lie between two times.
fn days_between((first, last): (i64, i64)) -> usize {
    usize::try_from(last.saturating_sub(first) / DAY).unwrap_or(0)
}

/// Sums a fact in all views, of which it tells what each row adds beyond the base.
fn sum(views: &mut [View<'_>], fact: Fact, base: i64, addends: impl Iterator<Item = u64> + Clone) {
    let is_of_measure = matches!(fact, Fact::Having(_) | Fact::Sum(_));
    for view in views {
        let sums = match &view.cells {
            Cells::Runs(runs) => running(&runs.starts, addends.clone()),
            Cells::Grid(_) if is_of_measure => continue,
            Cells::Grid(shape) => shape.running(addends.clone()),
        };
        view.facts.push(Running { fact, base, sums });
    }
}

/// What the rows before each start add up to.
fn running(starts: &[i64], mut addends: impl Iterator<Item = u64>) -> Vec<u64> {
    let (mut row, mut sum) = (0, 0u64);
    let before = |start: &i64| {
        let rows = usize::try_from(start.saturating_sub(row)).unwrap_or(0);
        row = row.max(*start);
        sum = addends.by_ref().take(rows).fold(sum, u64::saturating_add);
        sum
    };
    starts.iter().map(before).collect()
}
