//! Asking every question with every constant, and writing down times and answers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use zonal::{Attributes, Store};

use crate::analyses::residents;
use crate::question::{Constants, put};
use crate::read::{rows, touch};
use crate::{Result, memory};

/// The questions and their constants: some to warm up with, others to be timed.
#[derive(Debug, Deserialize)]
struct Questions {
    warm: BTreeMap<String, Vec<Constants>>,
    asked: BTreeMap<String, Vec<Constants>>,
}

/// What a question may take altogether before it is not asked again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks all of `questions`, each constant up to `repeats` times, and leaves times in `out`.json, answers in `out`.bin.
pub(crate) fn ask(folder: &Path, questions: &Path, out: &Path, repeats: usize) -> Result<Value> {
    let store = Store::open(folder)?;
    let questions: Questions = serde_json::from_reader(File::open(questions)?)?;
    let residents = residents(&store.snapshot())?;
    let mut answers = BufWriter::new(File::create(out.with_extension("bin"))?);
    let (mut times, mut shapes) = (BTreeMap::new(), BTreeMap::new());
    for (name, constants) in &questions.asked {
        for given in questions.warm.get(name).into_iter().flatten() {
            timed(&store, &residents, name, given)?;
        }
        let mut taken: Vec<u64> = Vec::new();
        for round in 0..repeats {
            if round > 0 && taken.iter().sum::<u64>() > PATIENCE.as_nanos().try_into()? {
                break;
            }
            for given in constants {
                taken.push(timed(&store, &residents, name, given)?);
            }
        }
        times.insert(name, taken);
        let mut shape = Vec::new();
        for given in constants {
            let now = store.snapshot();
            let rows = rows(&now, name, &put(&now, &residents, name, given)?)?;
            shape.push((rows.len(), rows.first().map_or(0, Vec::len)));
            for number in rows.iter().flatten() {
                answers.write_all(&number.to_le_bytes())?;
            }
        }
        shapes.insert(name, shape);
    }
    answers.flush()?;
    let told = json!({ "times": times, "shapes": shapes, "memory": memory::told() });
    std::fs::write(out.with_extension("json"), told.to_string())?;
    Ok(json!({ "questions": times.len(), "memory": told["memory"] }))
}

/// Nanoseconds from the snapshot to the last value read.
fn timed(store: &Store, residents: &Attributes, question: &str, given: &Constants) -> Result<u64> {
    let begun = Instant::now();
    let now = store.snapshot();
    let asked = put(&now, residents, question, given)?;
    touch(&asked);
    Ok(begun.elapsed().as_nanos().try_into()?)
}
