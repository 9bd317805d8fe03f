//! A city's store, made once for all questions, and the command line that is asked.

#![expect(clippy::disallowed_methods, reason = "a test reads the answers it is compared with")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, OnceLock};

use serde_json::Value;
use tempfile::TempDir;

use super::root;

pub(crate) struct City {
    pub(crate) name: String,
    /// The file of its orders.
    pub(crate) data: PathBuf,
    /// The folder of questions and answers.
    pub(crate) answers: PathBuf,
    imported: OnceLock<Result<Imported, String>>,
}

struct Imported {
    store: TempDir,
    report: Value,
}

impl City {
    pub(crate) fn new(name: &str, data: PathBuf) -> Self {
        let answers = root().join("tests/real/answers").join(name);
        Self { name: name.to_owned(), data, answers, imported: OnceLock::new() }
    }

    /// What the import reported.
    pub(crate) fn report(&self) -> Result<&Value, String> {
        self.imported().map(|imported| &imported.report)
    }

    /// The lines that answer a question.
    pub(crate) fn ask(&self, question: &str) -> Result<Vec<Value>, String> {
        let file = self.answers.join(question).with_extension("json");
        let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
        let asked: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let args = asked["args"].as_array().ok_or("no args")?.iter().filter_map(Value::as_str);
        let store = self.imported()?.store.path().to_string_lossy().into_owned();
        zonal(args.chain(["--json", "--store", &store]))
    }

    fn imported(&self) -> Result<&Imported, String> {
        let import = || {
            let store = tempfile::tempdir().map_err(|error| error.to_string())?;
            let mapping = root().join("examples/mappings").join(&self.name).with_extension("toml");
            let paths = [store.path(), &mapping, &self.data].map(|path| path.to_string_lossy().into_owned());
            let [folder, mapping, data] = &paths;
            let report = zonal(["import", "--json", "--store", folder, "--mapping", mapping, data])?;
            let verified = zonal(["verify", "--json", "--store", folder])?;
            let report = report.into_iter().next().ok_or("import printed nothing")?;
            if verified.first().is_none_or(|verified| verified["sealed_orders"] != report["imported"]) {
                return Err(format!("{report} was imported, but {verified:?} verified"));
            }
            Ok(Imported { store, report })
        };
        self.imported.get_or_init(import).as_ref().map_err(Clone::clone)
    }
}

/// The names of all questions in a folder.
pub(crate) fn questions(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let mut questions: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned)).collect();
    questions.sort();
    assert!(!questions.is_empty(), "{} has no questions", folder.display());
    questions
}

/// Runs the command line and gives the objects it printed.
fn zonal<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Vec<Value>, String> {
    let mut command = Command::new(EXAMPLE.as_ref()?);
    let output = command.args(args).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let lines = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
    lines.lines().map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))).collect()
}

/// The command line, built as `cargo test` builds it.
static EXAMPLE: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--profile", "test", "--example", "zonal", "--message-format", "json"]);
    let output = build.current_dir(root()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{build:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut executables = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    executables.next_back().ok_or_else(|| "cargo named no executable".to_owned())
});
