//! reach, near and hot-cells: how far a problem spreads, and where.

use clap::Args;
use serde_json::json;
use zonal::{Query, Snapshot};

use super::args::Scope;
use super::ask::{scoped, within};
use super::fields::fields;
use super::output::{Output, table};
use super::rank::or_none;
use super::{Failure, Result, files};

#[derive(Args)]
struct Asked {
    #[command(flatten)]
    scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    within: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Reach {
    #[command(flatten)]
    asked: Asked,
    /// Rather than by levels of the place tree: by the steps of this field, named from the lowest up
    #[arg(long, value_name = "DIM[:LEVEL]", requires = "steps")]
    ladder: Option<String>,
    /// basic,essential,developing,quality
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "ladder")]
    steps: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Near {
    #[command(flatten)]
    asked: Asked,
    /// The point, in degrees: -71.06,42.36
    #[arg(long, value_name = "LON,LAT", allow_hyphen_values = true)]
    point: String,
    /// The radius of the circle
    #[arg(long, value_name = "METRES")]
    metres: f64,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

#[derive(Args)]
pub(crate) struct HotCells {
    #[command(flatten)]
    asked: Asked,
    /// Width and height of a cell in degrees; one number for both
    #[arg(long, value_name = "DEGREES", value_delimiter = ',', default_value = "0.005")]
    cell: Vec<f64>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

impl Asked {
    fn ask(&self) -> Result<(Snapshot, Query, bool)> {
        let now = files::snapshot(&self.scope.reading)?;
        let query = scoped(within(Query::zoom(), &self.within), &self.scope, &now)?;
        Ok((now, query, self.scope.reading.store.json))
    }
}

pub(crate) fn reach(args: &Reach) -> Result<()> {
    let (now, query, json) = args.asked.ask()?;
    let mut output = Output::new();
    if let Some(ladder) = &args.ladder {
        let (field, level) = ladder.split_once(':').map_or((ladder.as_str(), None), |(f, l)| (f, Some(l)));
        let steps: Vec<&str> = args.steps.iter().map(String::as_str).collect();
        let found = now.ladder(&query, field, level, &steps)?;
        if json {
            output.json(&found)?;
            return output.end();
        }
        let mut table = table(["step", "orders"], 1);
        for (step, orders) in steps.iter().zip(&found.steps) {
            table.add_row([(*step).to_owned(), orders.to_string()]);
        }
        table.add_row(["none of them".to_owned(), found.none.to_string()]);
        output.table(&table)?;
        output
            .line(format!("\nThe mean step is {}.", or_none(found.mean.map(|mean| format!("{mean:.2}")))))?;
        return output.end();
    }
    let levels = now.reach(&query)?;
    if json {
        levels.iter().try_for_each(|level| output.json(level))?;
        return output.end();
    }
    let mut table = table(["level", "units", "orders", "largest"], 1);
    for level in levels {
        table.add_row([
            level.level,
            level.units.to_string(),
            level.orders.to_string(),
            level.largest.to_string(),
        ]);
    }
    output.table(&table)?;
    output.end()
}

pub(crate) fn near(args: &Near) -> Result<()> {
    let (now, query, json) = args.asked.ask()?;
    let point =
        args.point.split_once(',').and_then(|(lon, lat)| Some((lon.parse().ok()?, lat.parse().ok()?)));
    let point = point.ok_or_else(|| Failure::Input(format!("{:?} is no LON,LAT", args.point)))?;
    let found = now.nearest(&query, point, args.metres)?;
    let mut output = Output::new();
    let mut table = table(["metres", "order", "created"], 3);
    for (metres, order) in found.iter().take(args.limit) {
        let order = fields(order, now.calendar());
        if json {
            output.json(&json!({ "metres": metres, "order": order }))?;
            continue;
        }
        let text = |name: &str| order.get(name).map_or(String::new(), super::fields::text);
        table.add_row([format!("{metres:.0}"), text("id"), text("created")]);
    }
    if !json {
        output.table(&table)?;
        output.line(format!("\n{} orders lie within the circle.", found.len()))?;
    }
    output.end()
}

pub(crate) fn hot_cells(args: &HotCells) -> Result<()> {
    let (now, query, json) = args.asked.ask()?;
    let e7 =
        |degrees: &f64| if *degrees > 0.0 && *degrees <= 90.0 { (degrees * 1e7).round() as u32 } else { 0 };
    let (width, height) = match args.cell.as_slice() {
        [both] => (e7(both), e7(both)),
        [width, height] => (e7(width), e7(height)),
        _ => return Err(Failure::Input("give one number of degrees for a cell, or two".to_owned())),
    };
    let cells = now.hot_cells(&query, (width, height), args.limit)?;
    let mut output = Output::new();
    if json {
        cells.iter().try_for_each(|cell| output.json(cell))?;
        return output.end();
    }
    let mut table = table(["west", "south", "orders"], 0);
    let degrees = |e7: i64| format!("{:.4}", e7 as f64 / 1e7);
    for cell in cells {
        table.add_row([degrees(cell.west), degrees(cell.south), cell.orders.to_string()]);
    }
    output.table(&table)?;
    output.end()
}
