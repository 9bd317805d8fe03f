//! The command line: questions to a store, and what it takes to make one.
//!
//! `cargo run --release --example zonal -- --help` tells all commands and options.
#![expect(clippy::disallowed_methods, reason = "a program opens the files that its user names")]

mod against;
mod args;
mod ask;
mod backlog;
mod callers;
mod change;
mod compare;
mod fields;
mod files;
mod forecast;
mod hand_overs;
mod history;
mod import;
mod list;
mod output;
mod quadrants;
mod rank;
mod repeats;
mod shape;
mod spread;
mod state;
mod watch;

use std::process::ExitCode;

use args::Command;

/// Why the program ends early.
enum Failure {
    /// What the user gave makes no sense.
    Input(String),
    /// The store, a file or the machine is at fault.
    Failed(String),
    /// Nobody reads the output any more.
    Unread,
}

type Result<T> = std::result::Result<T, Failure>;

impl From<zonal::Error> for Failure {
    fn from(error: zonal::Error) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

fn main() -> ExitCode {
    let done = args::parse().and_then(|command| match command {
        Command::Import(args) => import::import(&args),
        Command::Upsert(args) => import::upsert(&args),
        Command::Remove(args) => change::remove(&args),
        Command::Zoom(args) => ask::zoom(&args),
        Command::Penetrate(args) => ask::penetrate(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Rank(args) => rank::rank(&args),
        Command::Quadrants(args) => quadrants::quadrants(&args),
        Command::Backlog(args) => backlog::backlog(&args),
        Command::Clusters(args) => watch::clusters(&args),
        Command::Repeats(args) => repeats::repeats(&args),
        Command::Callers(args) => callers::callers(&args),
        Command::Correlate(args) => callers::correlate(&args),
        Command::Reach(args) => spread::reach(&args),
        Command::Near(args) => spread::near(&args),
        Command::HotCells(args) => spread::hot_cells(&args),
        Command::Surges(args) => watch::surges(&args),
        Command::Profile(args) => shape::profile(&args),
        Command::Forecast(args) => forecast::forecast(&args),
        Command::Concentration(args) => shape::concentration(&args),
        Command::Orders(args) => list::orders(&args),
        Command::Get(args) => list::get(&args),
        Command::Describe(args) => state::describe(&args),
        Command::History(args) => history::history(&args),
        Command::Changes(args) => history::changes(&args),
        Command::HandOvers(args) => hand_overs::hand_overs(&args),
        Command::Verify(args) => state::verify(&args),
        Command::Flush(args) => change::flush(&args),
        Command::Compact(args) => change::compact(&args),
        Command::Backup(args) => change::backup(&args),
    });
    let (code, message) = match done {
        Ok(()) | Err(Failure::Unread) => return ExitCode::SUCCESS,
        Err(Failure::Input(message)) => (2, message),
        Err(Failure::Failed(message)) => (1, message),
    };
    // One line, whatever the message was made of.
    eprintln!("zonal: {}", message.split_whitespace().collect::<Vec<_>>().join(" "));
    ExitCode::from(code)
}
