//! Three cities' orders: imported through the mapping files, asked on the command line, compared with DuckDB.
//!
//! `answers/` holds the questions and what they have to give, and says how that was computed. The data is not part
//! of this repository: it is looked for in the folder `$ZONAL_DATA`, or in `../shared/data`, and where it is not,
//! each test says that it was ignored and why.

mod city;
mod compare;
mod life;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use city::{City, questions};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use life::Life;

/// The cities with the files of their orders; a city's mapping file and the folder of its answers bear its name.
const CITIES: [(&str, &str); 3] = [
    ("boston", "boston311-2011.csv.gz"),
    ("chicago", "chicago-sanitation.csv.gz"),
    ("pingshan", "pingshan-12345.csv.gz"),
];

fn main() -> ExitCode {
    let mut trials: Vec<Trial> =
        CITIES.into_iter().flat_map(|(name, file)| trials(name, data().join(file))).collect();
    trials.extend(life(data().join(CITIES[1].1)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn data() -> PathBuf {
    std::env::var_os("ZONAL_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from)
}

/// A test for the import of a city and one for each question.
fn trials(name: &str, file: PathBuf) -> Vec<Trial> {
    let city = Arc::new(City::new(name, file));
    let mut trials = vec![trial(&city, &city.data, name, "quality", |city| {
        compare::quality(city.report()?, &city.answers)
    })];
    for question in questions(&city.answers) {
        trials.push(trial(&city, &city.data, name, &question.clone(), move |city| {
            compare::answer(&city.ask(&question)?, &city.answers, &question)
        }));
    }
    trials
}

/// A test for the end of Chicago's life, and one for each question about a day of it.
fn life(file: PathBuf) -> Vec<Trial> {
    let life = Arc::new(Life::new(file));
    let name = "chicago-life";
    let mut trials = vec![trial(&life, &life.data, name, "end", Life::compare_with_load)];
    for question in questions(&life.answers) {
        trials.push(trial(&life, &life.data, name, &question.clone(), move |life| {
            compare::answer(&life.ask(&question)?, &life.answers, &question)
        }));
    }
    trials
}

fn trial<T: Send + Sync + 'static>(
    of: &Arc<T>,
    data: &Path,
    group: &str,
    name: &str,
    run: impl FnOnce(&T) -> Result<(), String> + Send + 'static,
) -> Trial {
    let (name, of, data) = (format!("{group}::{name}"), Arc::clone(of), data.to_owned());
    Trial::ignorable_test(name, move || {
        if data.exists() {
            run(&of).map(|()| Completion::Completed).map_err(Failed::from)
        } else {
            let file = data.file_name().unwrap_or_default().to_string_lossy();
            Ok(Completion::ignored_with(format!("{file} is not there; set ZONAL_DATA to its folder")))
        }
    })
}
