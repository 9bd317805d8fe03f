//! Three cities' orders: imported through the mapping files, asked on the command line, compared with DuckDB.
//!
//! `answers/` holds the questions and what they have to give, and says how that was computed. The data is not part
//! of this repository: it is looked for in the folder `$ZONAL_DATA`, or in `../shared/data`, and where it is not,
//! each test says that it was ignored and why.

mod city;
mod compare;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use city::City;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The cities with the files of their orders; a city's mapping file and the folder of its answers bear its name.
const CITIES: [(&str, &str); 3] = [
    ("boston", "boston311-2011.csv.gz"),
    ("chicago", "chicago-sanitation.csv.gz"),
    ("pingshan", "pingshan-12345.csv.gz"),
];

fn main() -> ExitCode {
    let trials = CITIES.into_iter().flat_map(|(name, file)| trials(name, data().join(file))).collect();
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
    let mut trials = vec![trial(&city, "quality", |city| compare::quality(city.report()?, &city.answers))];
    for question in city.questions() {
        trials.push(trial(&city, &question.clone(), move |city| {
            compare::answer(&city.ask(&question)?, &city.answers, &question)
        }));
    }
    trials
}

fn trial(
    city: &Arc<City>,
    name: &str,
    run: impl FnOnce(&City) -> Result<(), String> + Send + 'static,
) -> Trial {
    let (name, city) = (format!("{}::{name}", city.name), Arc::clone(city));
    Trial::ignorable_test(name, move || {
        if city.data.exists() {
            run(&city).map(|()| Completion::Completed).map_err(Failed::from)
        } else {
            let file = city.data.file_name().unwrap_or_default().to_string_lossy();
            Ok(Completion::ignored_with(format!("{file} is not there; set ZONAL_DATA to its folder")))
        }
    })
}
