//! The commands and their options.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use zonal::{Grain, Metric};

use super::backlog::Backlog;
use super::callers::{Callers, Correlate};
use super::compare::Compare;
use super::forecast::Forecast;
use super::hand_overs::HandOvers;
use super::quadrants::Quadrants;
use super::rank::Rank;
use super::repeats::Repeats;
use super::shape::{Concentration, Profile};
use super::spread::{HotCells, Near, Reach};
use super::watch::{Clusters, Surges};
use super::{Failure, Result};

/// Ask a store of a city's work orders.
#[derive(Parser)]
#[command(name = "zonal", version, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
PATH  names from the top joined by /, as in Boston/17/1714 (\\/ is a slash in a name), or code:CODE
T     2011-07-01, 2011-07-01T09:00 or RFC 3339; without an offset in the store's time zone
N     the number of a commit
G     hour, day, week, month, quarter, half-year, year, noon-day, month-from-19 (any day), from:2011-02-10,2011-07-05
EXPR  channel=phone|web  channel!=web  topic=Street/Lights  tags~a&b  on_time=  minutes>=10  closed<2012-01-01
M     count, a counter's name, rate:NUM/DEN, sum:X, mean:X, min:X, max:X, p50:X, distinct:KEY";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Turn CSV files into orders of a store, which is made where there is none
    Import(Import),
    /// The same beside readers, commit by commit; rows that say nothing new are passed over
    Upsert(Import),
    /// End orders; their history stays
    Remove(Remove),
    /// Figures at any level of the place tree and any grain of time
    #[command(after_help = HELP)]
    Zoom(Zoom),
    /// From one unit straight through to the units some levels below it
    #[command(after_help = HELP)]
    Penetrate(Penetrate),
    /// Two periods side by side
    #[command(after_help = HELP)]
    Compare(Compare),
    /// Units by a policy's score, or by any metric
    #[command(after_help = HELP)]
    Rank(Rank),
    /// Satisfaction against complaints for each 10,000 residents
    #[command(after_help = HELP)]
    Quadrants(Quadrants),
    /// Open orders at the end of every step of time, or how old and late they are
    #[command(after_help = HELP)]
    Backlog(Backlog),
    /// Groups with many orders within some days, as of a time or at any time
    #[command(after_help = HELP)]
    Clusters(Clusters),
    /// The same key again within a month, or another step of time
    #[command(after_help = HELP)]
    Repeats(Repeats),
    /// Groups with more orders on a day than their own past leads one to expect
    #[command(after_help = HELP)]
    Surges(Surges),
    /// What comes back with the hour, the weekday or the month
    #[command(after_help = HELP)]
    Profile(Profile),
    /// How many orders are to come, by the trend and the seasons of those that came
    #[command(after_help = HELP)]
    Forecast(Forecast),
    /// How unevenly orders are spread over units
    #[command(after_help = HELP)]
    Concentration(Concentration),
    /// How often the same key comes, from how many units, with which topics; whose it is is not told
    #[command(after_help = HELP)]
    Callers(Callers),
    /// How closely a series from outside goes with the orders, by lag
    #[command(after_help = HELP)]
    Correlate(Correlate),
    /// How far orders reach: by levels of the place tree, or on a ladder of topics
    #[command(after_help = HELP)]
    Reach(Reach),
    /// Orders within a circle, the nearest first
    #[command(after_help = HELP)]
    Near(Near),
    /// The cells of a map with the most orders
    #[command(after_help = HELP)]
    HotCells(HotCells),
    /// The orders behind a figure, the newest first
    #[command(after_help = HELP)]
    Orders(Orders),
    /// One order
    Get(Get),
    /// What became of an order: every version, and what it changed
    History(History),
    /// The orders that differ between two commits
    Changes(Changes),
    /// Who handed orders on to whom
    HandOvers(HandOvers),
    /// What the store holds
    Describe(Reading),
    /// Read every byte of the store and check it
    Verify(Store),
    /// Seal what only the log has
    Flush(Store),
    /// Merge segments, and move ended versions to history
    Compact(Store),
    /// Copy the store, which may be in use, to a new folder
    Backup(Backup),
}

#[derive(Args)]
pub(crate) struct Import {
    /// The mapping file, which says what becomes of the columns
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: PathBuf,
    #[command(flatten)]
    pub(crate) store: Store,
    /// CSV files, plain or .gz
    #[arg(value_name = "CSV", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where to write the rows that cannot be orders, with the reason
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// When the rows became known; now if not said
    #[arg(long, value_name = "T")]
    pub(crate) known_at: Option<String>,
}

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    pub(crate) store: Store,
    /// The order ids; all are removed, or none
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    /// When the removal became known; now if not said
    #[arg(long, value_name = "T")]
    pub(crate) known_at: Option<String>,
}

#[derive(Args)]
pub(crate) struct Zoom {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    pub(crate) within: Vec<String>,
    /// A row for every unit of this level
    #[arg(long, value_name = "NAME")]
    pub(crate) level: Option<String>,
    #[command(flatten)]
    pub(crate) cut: Cut,
    #[command(flatten)]
    pub(crate) figures: Figures,
}

#[derive(Args)]
pub(crate) struct Penetrate {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// The unit to start from; the only top unit if not said
    #[arg(long, value_name = "PATH")]
    pub(crate) unit: Option<String>,
    /// How many levels down
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) depth: u8,
    /// The levels between as well, as subtotals
    #[arg(long)]
    pub(crate) between: bool,
    #[command(flatten)]
    pub(crate) cut: Cut,
    #[command(flatten)]
    pub(crate) figures: Figures,
}

#[derive(Args)]
pub(crate) struct Orders {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// Only orders at or under this unit; several are a union
    #[arg(long, value_name = "PATH")]
    pub(crate) within: Vec<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// The largest value of a measure first
    #[arg(long, value_name = "MEASURE")]
    pub(crate) sort: Option<String>,
    #[command(flatten)]
    _figures: Figures,
}

#[derive(Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The order id
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) store: Store,
    /// The order id
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct Changes {
    #[command(flatten)]
    pub(crate) store: Store,
    /// The earlier commit: its number, or the last one known by a time
    #[arg(long, value_name = "T|N")]
    pub(crate) from: String,
    /// The later commit; the last one if not said
    #[arg(long, value_name = "T|N")]
    pub(crate) to: Option<String>,
}

#[derive(Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) store: Store,
    /// The folder of the copy
    #[arg(value_name = "DIR")]
    pub(crate) target: PathBuf,
}

#[derive(Args)]
pub(crate) struct Store {
    /// The folder of the store
    #[arg(long = "store", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is read, and as of when.
#[derive(Args)]
pub(crate) struct Reading {
    #[command(flatten)]
    pub(crate) store: Store,
    /// As it was known at a time, or at a commit
    #[arg(long, value_name = "T|N")]
    pub(crate) as_of: Option<String>,
}

/// Which orders are asked for.
#[derive(Args)]
pub(crate) struct Scope {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Only orders created at or after this time
    #[arg(long, value_name = "T")]
    pub(crate) from: Option<String>,
    /// Only orders created before this time
    #[arg(long, value_name = "T")]
    pub(crate) to: Option<String>,
    /// Only orders that this keeps; several are and-ed
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) filters: Vec<String>,
    /// Say how the question is answered
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Into which groups orders are cut.
#[derive(Args)]
pub(crate) struct Cut {
    /// A row for every step of time
    #[arg(long, value_name = "G")]
    pub(crate) grain: Option<Grain>,
    /// A row for every value of a dimension, or for every node of a tree's level
    #[arg(long, value_name = "DIM[:LEVEL]")]
    pub(crate) by: Vec<String>,
}

/// What is computed for each group; a list of orders has none, and takes no notice.
#[derive(Args)]
pub(crate) struct Figures {
    /// What to compute; count if not said
    #[arg(long = "metric", value_name = "M")]
    pub(crate) metrics: Vec<Metric>,
    /// Only the N groups with the largest first metric, and one row for the others
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Units without orders as well
    #[arg(long)]
    pub(crate) all_units: bool,
}

/// Reads the arguments. Help is printed where it is asked for, and ends the program.
pub(crate) fn parse() -> Result<Command> {
    Cli::try_parse().map(|cli| cli.command).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => {
            let text = error.to_string();
            let what = text.split("Usage:").next().unwrap_or_default().trim_start_matches("error:");
            let what = what.split("For more information").next().unwrap_or_default().trim();
            Failure::Input(format!("{what}; --help tells all options"))
        }
    })
}
