//! From one file of orders to the weekly report of a unit: totals, change, hot areas, repeats, what is open, eight weeks' trend.
//!
//! ```sh
//! cargo run --release --example weekly -- --mapping examples/mappings/boston.toml --unit Boston \
//!     --week 2011-10-12 --html report.html boston311-2011.csv.gz
//! ```
//!
//! The report is printed as a page of tables, and written as HTML with small charts where a file is named for it.
#![expect(clippy::disallowed_methods, reason = "a program opens the files that its user names")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;

use clap::Parser;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use zonal::{
    Alignment, Backlog, Compared, Figure, Fraction, Grain, Import, Mapping, NodeRef, Query, RowKind,
    Snapshot, Span, Store, count,
};

/// The weekly report of a unit.
#[derive(Parser)]
struct Args {
    /// The mapping file, which says what becomes of the columns
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// The unit that the report is for: names from the top joined by /
    #[arg(long, value_name = "PATH")]
    unit: String,
    /// Any day of the week
    #[arg(long, value_name = "DATE")]
    week: String,
    /// The tree of topics
    #[arg(long, value_name = "TREE", default_value = "topic")]
    topic: String,
    /// The clock that ends an order
    #[arg(long, value_name = "CLOCK", default_value = "closed")]
    closed: String,
    /// Where to write the report as HTML
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// CSV files, plain or .gz
    #[arg(value_name = "CSV", required = true)]
    files: Vec<PathBuf>,
}

/// How many lines a table has at most.
const LINES: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mapping = Mapping::from_toml(&fs::read_to_string(&args.mapping)?)?;
    let store = Store::in_memory(mapping.schema().clone())?;
    let mut import = Import::new(&store, &mapping)?;
    for path in &args.files {
        import.file(&path.display().to_string(), File::open(path)?)?;
    }
    let imported = import.finish()?;
    eprintln!("{} orders, {} rows rejected", imported.imported, imported.rejected);

    let now = store.snapshot();
    let report = Report::of(&now, &args)?;
    print!("{}", report.text());
    if let Some(path) = &args.html {
        fs::write(path, report.html())?;
    }
    Ok(())
}

/// A page to hand out.
struct Report {
    title: String,
    sections: Vec<Section>,
}

struct Section {
    title: &'static str,
    header: Vec<&'static str>,
    /// How many columns are no numbers.
    names: usize,
    rows: Vec<Vec<String>>,
    /// A number for each bar of a small chart, with its name.
    bars: Vec<(String, u64)>,
}

impl Report {
    fn of(now: &Snapshot, args: &Args) -> zonal::Result<Self> {
        let calendar = now.calendar();
        let week = calendar.step(Grain::Week, calendar.parse(&args.week)?);
        let unit = NodeRef::parse(&args.unit);
        let node = now.resolve(&unit)?;
        let asked = Query::zoom().within(unit.clone()).metric(count());
        let below = (now.place().level_of(node) + 1).min(now.place().levels().len() - 1);
        let areas = asked.clone().level(now.place().levels()[below].as_str());
        let week_before = calendar.earlier(week, 1, Grain::Week, Alignment::SameDates)?;
        let year_before = calendar.earlier(week, 1, Grain::Year, Alignment::SameWeekdays)?;
        let sections = vec![
            totals(now, &asked, week, [("the week before", week_before), ("a year before", year_before)])?,
            trend(now, &asked, week)?,
            changes(now, "Areas", &areas, week, week_before)?,
            changes(now, "Topics", &asked.clone().by(&args.topic), week, week_before)?,
            repeats(now, &asked, &args.topic, week)?,
            open(now, &areas, &args.closed, week)?,
        ];
        let title = format!(
            "{}, week {}",
            now.place().path(node).join(" / "),
            calendar.name(Grain::Week, week.start())
        );
        Ok(Self { title, sections })
    }
}

fn totals(now: &Snapshot, asked: &Query, week: Span, periods: [(&str, Span); 2]) -> zonal::Result<Section> {
    let mut rows = Vec::new();
    for (name, before) in periods {
        for row in now.compare(asked, week, before)?.rows() {
            let [later, earlier, growth] = change(&row);
            rows.push(vec![name.to_owned(), later, earlier, growth]);
        }
    }
    Ok(Section {
        title: "Orders",
        header: vec!["beside", "orders", "before", "change"],
        names: 1,
        rows,
        bars: Vec::new(),
    })
}

/// Eight weeks up to this one.
fn trend(now: &Snapshot, asked: &Query, week: Span) -> zonal::Result<Section> {
    let first = now.calendar().earlier(week, 7, Grain::Week, Alignment::SameDates)?;
    let weeks = asked.clone().during(Span::new(first.start(), week.end())?).grain(Grain::Week);
    let answer = now.run(&weeks)?;
    let bars =
        answer.rows().filter_map(|row| Some((now.calendar().name(Grain::Week, row.time()?), row.count())));
    Ok(Section { title: "Eight weeks", header: Vec::new(), names: 0, rows: Vec::new(), bars: bars.collect() })
}

/// The groups with the most orders, and what they had before.
fn changes(
    now: &Snapshot,
    title: &'static str,
    query: &Query,
    week: Span,
    before: Span,
) -> zonal::Result<Section> {
    let comparison = now.compare(query, week, before)?;
    let mut rows: Vec<Compared<'_>> = comparison.rows().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.now().map_or(0, |row| row.count())));
    let lines = rows.iter().take(LINES).map(|row| {
        let group = row.groups().next().map(|(_, group)| group.to_string());
        let name = group
            .unwrap_or_else(|| name(row.path().names().as_slice(), row.kind() == Some(RowKind::Remainder)));
        std::iter::once(or(name, "no topic")).chain(change(row)).collect()
    });
    Ok(Section {
        title,
        header: vec!["", "orders", "before", "change"],
        names: 1,
        rows: lines.collect(),
        bars: Vec::new(),
    })
}

/// The same place and the same topic, twice or more within the week, at the finest levels there are.
fn repeats(now: &Snapshot, asked: &Query, topic: &str, week: Span) -> zonal::Result<Section> {
    let last = |levels: &[String]| levels.last().cloned().unwrap_or_default();
    let (place, leaf) = (last(now.place().levels()), last(now.tree(topic)?.levels()));
    let query = asked.clone().during(week).level(place).by_level(topic, leaf);
    let answer = now.run(&query)?;
    let whole = |row: &zonal::Row<'_>| {
        row.kind() == RowKind::Target && row.groups().all(|(_, group)| !group.is_remainder())
    };
    let mut found: Vec<_> = answer.rows().filter(|row| row.count() > 1 && whole(row)).collect();
    found.sort_by_key(|row| std::cmp::Reverse(row.count()));
    let orders: u64 = found.iter().map(zonal::Row::count).sum();
    let mut rows: Vec<Vec<String>> = found
        .iter()
        .take(LINES)
        .map(|row| {
            let topics = row.groups().map(|(_, group)| group.value().unwrap_or_default().to_owned());
            vec![
                name(&row.path().names(), false),
                topics.collect::<Vec<_>>().join(", "),
                row.count().to_string(),
            ]
        })
        .collect();
    rows.push(vec![format!("in all {} of these", found.len()), String::new(), orders.to_string()]);
    Ok(Section {
        title: "The same again",
        header: vec!["place", "topic", "orders"],
        names: 2,
        rows,
        bars: Vec::new(),
    })
}

/// What is open at the end of the week.
fn open(now: &Snapshot, areas: &Query, closed: &str, week: Span) -> zonal::Result<Section> {
    let mut pending = Backlog::new(closed).ages([7, 30]).at(now, areas, week.end())?;
    pending.sort_by_key(|row| std::cmp::Reverse(row.open));
    let rows = pending.iter().take(LINES).map(|row| {
        let counts =
            std::iter::once(row.open).chain(row.ages.iter().copied()).map(|orders| orders.to_string());
        std::iter::once(name(&row.path().names(), row.kind == RowKind::Remainder)).chain(counts).collect()
    });
    let header = vec!["", "open", "to 7 days", "to 30 days", "older"];
    Ok(Section {
        title: "Open at the end of the week",
        header,
        names: 1,
        rows: rows.collect(),
        bars: Vec::new(),
    })
}

/// Both counts, and by how much the first exceeds the second.
fn change(row: &Compared<'_>) -> [String; 3] {
    let (now, before) = row.figures(&count());
    let growth = row.growth(&count()).map(|growth| format!("{:.1} %", growth * Fraction::from(100)));
    let figure = |figure: Figure| figure.to_string();
    [figure(now), figure(before), growth.unwrap_or_else(|| "–".to_owned())]
}

/// A unit by its last two names.
fn name(names: &[&str], remainder: bool) -> String {
    let short = names[names.len().saturating_sub(2)..].join(" / ");
    or(if remainder { format!("{short} (no further)") } else { short }, "no place")
}

fn or(text: String, otherwise: &str) -> String {
    if text.trim().is_empty() { otherwise.to_owned() } else { text }
}

impl Report {
    fn text(&self) -> String {
        let mut page = format!("{}\n{}\n", self.title, "═".repeat(self.title.chars().count()));
        for section in &self.sections {
            let _ = writeln!(page, "\n{}", section.title);
            if !section.header.is_empty() {
                let mut table = Table::new();
                let line = LineStyle::none().fill('─').junction('─');
                table.load_style(TableStyle::new().header_separator(line)).set_header(&section.header);
                for column in table.column_iter_mut().skip(section.names) {
                    column.set_cell_alignment(CellAlignment::Right);
                }
                table.add_rows(section.rows.iter());
                let _ = writeln!(page, "{}", table.trim_fmt());
            }
            let most = section.bars.iter().map(|(_, orders)| *orders).max().unwrap_or(0).max(1);
            for (name, orders) in &section.bars {
                let length = usize::try_from(orders * 40 / most).unwrap_or(0);
                let _ = writeln!(page, " {name}  {} {orders}", "█".repeat(length));
            }
        }
        page
    }

    fn html(&self) -> String {
        let mut page = String::from("<!doctype html>\n<meta charset=\"utf-8\">\n");
        let _ =
            writeln!(page, "<title>{}</title>\n<style>{STYLE}</style>\n<h1>{0}</h1>", escaped(&self.title));
        for section in &self.sections {
            let _ = writeln!(page, "<h2>{}</h2>", escaped(section.title));
            if !section.header.is_empty() {
                page.push_str(&table_row("th", section.header.iter().copied(), "<table>"));
                for row in &section.rows {
                    page.push_str(&table_row("td", row.iter().map(String::as_str), ""));
                }
                page.push_str("</table>\n");
            }
            if !section.bars.is_empty() {
                page.push_str(&chart(&section.bars));
            }
        }
        page
    }
}

const STYLE: &str = "body{font:15px sans-serif;max-width:46em;margin:2em auto}table{border-collapse:collapse}\
    th,td{padding:.2em .8em;border-bottom:1px solid #ccc;text-align:right}th:first-child,td:first-child{text-align:left}";

fn table_row<'a>(tag: &str, cells: impl Iterator<Item = &'a str>, before: &str) -> String {
    let cells = cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)));
    format!("{before}<tr>{}</tr>\n", cells.collect::<String>())
}

/// Bars as SVG, each with its number and its name.
fn chart(bars: &[(String, u64)]) -> String {
    const HEIGHT: u64 = 120;
    let most = bars.iter().map(|(_, orders)| *orders).max().unwrap_or(0).max(1);
    let mut svg =
        format!("<svg width=\"{}\" height=\"{}\" font-size=\"11\">\n", bars.len() * 80, HEIGHT + 40);
    for (at, (name, orders)) in bars.iter().enumerate() {
        let (x, height) = (at * 80 + 10, orders * HEIGHT / most);
        let y = HEIGHT - height + 20;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"60\" height=\"{height}\" fill=\"#47a\"/>\
             <text x=\"{x}\" y=\"{}\">{orders}</text><text x=\"{x}\" y=\"{}\">{}</text>",
            y - 4,
            HEIGHT + 35,
            escaped(name)
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
