//! Readers in another process, beside a writer in this one: the program starts itself.

#![expect(clippy::disallowed_methods, reason = "a test looks at the files of a store, and starts a process")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write, stdin};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::SystemTime;

use libtest_mimic::{Arguments, Failed, Trial};
use zonal::{Error, Order, Query, Schema, Store};

/// What makes the program a reader of the folder that follows.
const READ: &str = "--read-the-store-in";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip_while(|arg| arg != READ).skip(1);
    if let Some(folder) = args.next() {
        return match read(Path::new(&folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let trials = vec![
        Trial::test("another_process_reads_what_this_one_writes", || told(beside_a_writer)),
        Trial::test("a_reader_needs_no_permission_to_write", || told(without_permission)),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn told(test: fn() -> Result<(), Box<dyn std::error::Error>>) -> Result<(), Failed> {
    test().map_err(|error| Failed::from(error.to_string()))
}

/// The reader: answers every line it is given with the commit, the orders and their districts.
fn read(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_read_only(folder)?;
    for line in stdin().lines() {
        let newer = if line? == "refresh" { store.refresh()? } else { false };
        let now = store.snapshot();
        let districts = now.run(&Query::zoom().level("district"))?;
        let districts: Vec<String> =
            districts.rows().map(|row| format!("{}={}", row.path(), row.count())).collect();
        println!("{newer} {} {} {}", now.commit(), now.describe().orders, districts.join(","));
    }
    Ok(())
}

struct Reader {
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Reader {
    fn start(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(READ).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asks = child.stdin.take().ok_or("no stdin")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
        Ok(Self { child, asks, answers })
    }

    fn ask(&mut self, what: &str) -> Result<String, Box<dyn std::error::Error>> {
        writeln!(self.asks, "{what}")?;
        Ok(self.answers.next().ok_or("the reader has ended")??)
    }

    fn end(mut self) -> Result<(), Box<dyn std::error::Error>> {
        drop(self.asks);
        if self.child.wait()?.success() { Ok(()) } else { Err("the reader has failed".into()) }
    }
}

fn schema() -> zonal::Result<Schema> {
    Schema::builder("Asia/Shanghai").place(["district"]).build()
}

fn commit(store: &Store, id: u32, district: &str) -> zonal::Result<()> {
    let mut commit = store.begin();
    commit.upsert(Order::new(id.to_string(), "2026-03-01").place([district]));
    commit.finish().map(drop)
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?}, not {expected:?}")) }
}

fn beside_a_writer() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store");
    let store = Store::create(&path, schema()?)?;
    commit(&store, 1, "A")?;
    let mut reader = Reader::start(&path)?;
    same(reader.ask("now")?.as_str(), "false 1 1 A=1")?;
    commit(&store, 2, "B")?;
    same(reader.ask("now")?.as_str(), "false 1 1 A=1")?;
    same(reader.ask("refresh")?.as_str(), "true 2 2 A=1,B=1")?;
    same(reader.ask("refresh")?.as_str(), "false 2 2 A=1,B=1")?;
    // The files that the reader has open are replaced and removed.
    store.flush()?;
    commit(&store, 1, "B")?;
    store.compact()?;
    same(reader.ask("now")?.as_str(), "false 2 2 A=1,B=1")?;
    same(reader.ask("refresh")?.as_str(), "true 3 2 B=2")?;
    // The writer's lock is held, and the reader has none.
    same(matches!(Store::open(&path), Err(Error::Locked { .. })), true)?;
    drop(store);
    let store = Store::open(&path)?;
    commit(&store, 3, "C")?;
    same(reader.ask("refresh")?.as_str(), "true 4 3 B=2,C=1")?;
    reader.end()
}

/// Everything in a folder: length and time of change of every file.
fn listing(
    folder: &Path,
    into: &mut BTreeMap<PathBuf, (u64, SystemTime)>,
) -> Result<(), Box<dyn std::error::Error>> {
    for entry in fs::read_dir(folder)? {
        let (path, metadata) =
            (entry.as_ref().map_err(|error| error.to_string())?.path(), entry?.metadata()?);
        if metadata.is_dir() {
            listing(&path, into)?;
        }
        into.insert(path, (metadata.len(), metadata.modified()?));
    }
    Ok(())
}

fn without_permission() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store");
    let store = Store::create(&path, schema()?)?;
    commit(&store, 1, "A")?;
    store.flush()?;
    commit(&store, 2, "B")?;
    drop(store);
    // Some users may write in spite of the mode; so the files tell whether anything was written.
    let writable = fs::metadata(&path)?.permissions();
    let mut readable = writable.clone();
    readable.set_readonly(true);
    fs::set_permissions(&path, readable)?;
    let mut before = BTreeMap::new();
    listing(folder.path(), &mut before)?;
    let mut reader = Reader::start(&path)?;
    same(reader.ask("refresh")?.as_str(), "false 2 2 A=1,B=1")?;
    reader.end()?;
    let mut after = BTreeMap::new();
    listing(folder.path(), &mut after)?;
    fs::set_permissions(&path, writable)?;
    same(after, before)?;
    Ok(())
}
