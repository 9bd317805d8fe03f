//! A process that is killed while it writes: what it had acknowledged is there when the store is opened again, in order and
//! with exactly its content, and nothing else is but what was in flight.
//!
//! The writer is this program, started again; it says on its standard output which commits are done. It is killed by
//! its parent, ends itself after some time, or after so many commits. 50 rounds run each time; `ZONAL_KILL_ROUNDS=500`
//! makes more, `ZONAL_KILL_SEED` repeats the round of a failure as far as chance lets it.

#![expect(clippy::expect_used, reason = "a writer that cannot go on ends, and its parent says so")]

mod check;
mod plan;
mod writer;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

use plan::{Ack, Dice, End};

/// Set for the process that writes: the seed of its life, and of its end.
const LIFE: &str = "ZONAL_KILL_LIFE";
const END: &str = "ZONAL_KILL_END";
const FOLDER: &str = "ZONAL_KILL_FOLDER";

/// How often a store is killed and opened again before there is a new one.
const ROUNDS_OF_A_LIFE: u64 = 5;

fn main() -> ExitCode {
    if let Ok(folder) = std::env::var(FOLDER) {
        writer::write(Path::new(&folder), number(LIFE).unwrap_or(0), number(END).unwrap_or(0));
    }
    let rounds = number("ZONAL_KILL_ROUNDS").unwrap_or(50);
    let trial = Trial::test("a_killed_process_leaves_what_it_acknowledged", move || {
        kill_and_reopen(rounds).map_err(Failed::from)
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn kill_and_reopen(rounds: u64) -> Result<(), String> {
    let seed = number("ZONAL_KILL_SEED").unwrap_or_else(plan::random);
    let (mut acknowledged, mut in_flight) = (0, 0);
    for life in 0..rounds.div_ceil(ROUNDS_OF_A_LIFE) {
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        let life_seed = seed.wrapping_add(life);
        let (mut acks, mut known) = (Vec::new(), BTreeMap::new());
        for round in 0..ROUNDS_OF_A_LIFE.min(rounds - life * ROUNDS_OF_A_LIFE) {
            let end = life_seed.wrapping_mul(31).wrapping_add(round);
            acks.extend(killed(folder.path(), life_seed, end).map_err(|error| error.to_string())?);
            let found = check::check(folder.path(), life_seed, &acks, &mut known)
                .map_err(|error| format!("ZONAL_KILL_SEED={life_seed}, round {round}: {error}"))?;
            in_flight += found;
        }
        acknowledged += acks.len();
    }
    println!("{rounds} rounds, {acknowledged} commits acknowledged, {in_flight} found that were in flight");
    if acknowledged < rounds as usize {
        return Err(format!("{acknowledged} commits in {rounds} rounds: the writers hardly wrote"));
    }
    Ok(())
}

/// Runs a writer to its end, and gives the commits that it acknowledged.
fn killed(folder: &Path, life: u64, end: u64) -> std::io::Result<Vec<Ack>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(FOLDER, folder).env(LIFE, life.to_string()).env(END, end.to_string());
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut dice = Dice::new(end);
    let acks = match End::of(&mut dice) {
        End::Killed { after, pause } => {
            let mut acks = read(&mut child, after);
            std::thread::sleep(pause);
            child.kill()?;
            acks.extend(read(&mut child, u64::MAX));
            acks
        }
        End::Time(_) | End::Commits(_) => read(&mut child, u64::MAX),
    };
    child.wait()?;
    Ok(acks)
}

/// The next acknowledgements of a child, as long as it gives any.
fn read(child: &mut Child, most: u64) -> Vec<Ack> {
    let mut acks = Vec::new();
    if let Some(output) = child.stdout.as_mut() {
        // A buffer of one byte reads nothing that the next call would miss.
        let mut lines = BufReader::with_capacity(1, output);
        let mut line = String::new();
        while (acks.len() as u64) < most && lines.read_line(&mut line).is_ok_and(|length| length > 0) {
            acks.extend(Ack::parse(&line));
            line.clear();
        }
    }
    acks
}

/// Time to wait, in microseconds.
fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}
