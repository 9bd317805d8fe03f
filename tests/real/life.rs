//! Chicago's complaints as a life: opened on one day, completed on a later one, each day a commit known on that day.
//!
//! The rows of the file are the moves: `answers/chicago-life/clean.sql` says what becomes of them, in the words of SQL.

#![expect(clippy::disallowed_methods, reason = "a test reads the file that it replays")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use tempfile::TempDir;
use zonal::{Durability, Import, Mapping, Order, Patch, Query, Snapshot, Sort, Store, is};

use super::root;

pub(crate) struct Life {
    pub(crate) data: PathBuf,
    pub(crate) answers: PathBuf,
    lived: OnceLock<Result<Lived, String>>,
}

struct Lived {
    /// The store that lived.
    store: Store,
    /// The same file, loaded at once.
    loaded: Store,
    _folder: TempDir,
}

/// What happens to a complaint on a day.
#[derive(Debug, Clone, Copy)]
enum Move {
    Opened,
    Completed,
    /// Completed, or left open, as a duplicate of another one.
    Removed,
}

/// By day: whose move it is, in the order of the file, but nothing before the opening.
type Moves = BTreeMap<String, Vec<(usize, String, Move)>>;

impl Life {
    pub(crate) fn new(data: PathBuf) -> Self {
        Self { data, answers: root().join("tests/real/answers/chicago-life"), lived: OnceLock::new() }
    }

    fn lived(&self) -> Result<&Lived, String> {
        let live = || live(&self.data).map_err(|error| error.to_string());
        self.lived.get_or_init(live).as_ref().map_err(Clone::clone)
    }

    /// The rows that answer a question as of its day.
    pub(crate) fn ask(&self, question: &str) -> Result<Vec<Value>, String> {
        let file = self.answers.join(question).with_extension("json");
        let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
        let asked: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        answer(&self.lived()?.store, &asked).map_err(|error| error.to_string())
    }

    /// At the end the store has the orders of the bulk load, less duplicates, each exactly as it is there.
    pub(crate) fn compare_with_load(&self) -> Result<(), String> {
        let Lived { store, loaded, .. } = self.lived()?;
        let all = |snapshot: &Snapshot| {
            let query = Query::zoom().filter(!is("duplicate", "yes"));
            snapshot.orders(&query, Sort::Newest, usize::MAX).map_err(|error| error.to_string())
        };
        let (found, expected) = (all(&store.snapshot())?, all(&loaded.snapshot())?);
        if let Some((found, expected)) = found.iter().zip(&expected).find(|(a, b)| a != b) {
            return Err(format!("{found:?}, loaded as {expected:?}"));
        }
        let described = store.snapshot().describe().orders;
        if found.len() != expected.len() || found.len() as u64 != described {
            return Err(format!("{} orders of {described}, {} loaded", found.len(), expected.len()));
        }
        store.verify(|_| {}).map(drop).map_err(|error| error.to_string())
    }
}

type Failure = Box<dyn std::error::Error>;

fn live(data: &Path) -> Result<Lived, Failure> {
    let mapping = fs::read_to_string(root().join("examples/mappings/chicago.toml"))?;
    let mapping = Mapping::from_toml(&mapping)?;
    let loaded = Store::in_memory(mapping.schema().clone())?;
    let mut import = Import::new(&loaded, &mapping)?;
    import.file("chicago", fs::File::open(data)?)?;
    import.finish()?;
    let last = loaded.snapshot();

    let folder = TempDir::new()?;
    let mut store = Store::create(folder.path(), mapping.schema().clone())?;
    let mut living = BTreeSet::new();
    for (number, (day, moves)) in moves(data)?.into_iter().enumerate() {
        let mut commit = store.begin().known_at(day.as_str()).durability(Durability::Buffered);
        for (_, id, made) in moves {
            // One that was taken for a duplicate, and is none, is there again.
            if matches!(made, Move::Opened | Move::Completed) && living.insert(id.clone()) {
                commit.upsert(opened(&last.get(&id)?.ok_or("an order that was not loaded")?));
            }
            match made {
                Move::Opened => {}
                Move::Completed => {
                    let closed = Patch::new().category("status", "Completed").clock("closed", day.as_str());
                    commit.patch(id, closed);
                }
                // One may be told to be a duplicate twice.
                Move::Removed if living.remove(&id) => commit.remove(id),
                Move::Removed => {}
            }
        }
        commit.finish()?;
        match number % 210 {
            209 => {
                drop(store);
                store = Store::open(folder.path())?;
            }
            number if number % 30 == 29 => store.flush()?,
            _ => {}
        }
    }
    Ok(Lived { store, loaded, _folder: folder })
}

/// An order as it was when it was opened.
fn opened(order: &Order) -> Order {
    let created = order.created().clone();
    let mut opened = Order::new(order.id(), created).place(order.place_path().iter().cloned());
    if let Some((longitude, latitude)) = order.point() {
        opened = opened.location_e7(longitude, latitude);
    }
    for (name, value) in order.values().filter(|(name, _)| *name != "closed") {
        opened = opened.with(name, value.clone());
    }
    opened.category("status", "Open").outcome("duplicate", "no")
}

fn moves(data: &Path) -> Result<Moves, Failure> {
    let mut file = csv::Reader::from_reader(MultiGzDecoder::new(fs::File::open(data)?));
    let header = file.headers()?.clone();
    let column = |name: &str| header.iter().position(|column| column == name).ok_or(name.to_owned());
    let (id, status) = (column("Service_Request_Number")?, column("Status")?);
    let (created, completed) = (column("Creation_Date")?, column("Completion_Date")?);
    let mut moves = Moves::new();
    let mut undated = Vec::new();
    for (row, record) in file.records().enumerate() {
        let record = record?;
        let id = record[id].trim().to_owned();
        moves.entry(record[created].to_owned()).or_default().push((0, id.clone(), Move::Opened));
        let made = if record[status].ends_with("- Dup") { Move::Removed } else { Move::Completed };
        match (&record[completed], made) {
            ("", Move::Removed) => undated.push((row + 1, id, made)),
            ("", _) => {}
            (day, _) => moves.entry(day.to_owned()).or_default().push((row + 1, id, made)),
        }
    }
    if let Some(mut last) = moves.last_entry() {
        last.get_mut().extend(undated);
    }
    moves.values_mut().for_each(|moves| moves.sort_by_key(|(row, ..)| *row));
    Ok(moves)
}

/// What a store answers as of a day. A question gives the parts in which it differs from the plainest.
fn answer(store: &Store, asked: &Value) -> Result<Vec<Value>, Failure> {
    let mut query = serde_json::to_value(Query::zoom())?;
    for (part, value) in asked["query"].as_object().ok_or("no query")? {
        query[part] = value.clone();
    }
    let query: Query = serde_json::from_value(query)?;
    let day = asked["as_of"].as_str().ok_or("no day")?;
    let then = store.snapshot_at_time(store.schema().calendar().parse(day)?)?;
    let answer = then.run(&query)?;
    answer.rows().map(|row| Ok(serde_json::to_value(row)?)).collect()
}
