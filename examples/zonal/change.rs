//! remove, flush, compact and backup.

use serde_json::json;

use super::args::{Backup, Remove, Store};
use super::output::Output;
use super::{Result, files, state};

pub(crate) fn remove(args: &Remove) -> Result<()> {
    let store = files::store(&args.store)?;
    let mut commit = store.begin();
    if let Some(known) = &args.known_at {
        commit = commit.known_at(store.snapshot().calendar().parse(known)?);
    }
    args.ids.iter().for_each(|id| commit.remove(id));
    let commit = commit.finish()?;
    let removed = args.ids.len();
    say(&args.store, &json!({ "commit": commit, "removed": removed }), || {
        format!("Commit {commit} has removed {removed} {}.", if removed == 1 { "order" } else { "orders" })
    })
}

pub(crate) fn flush(args: &Store) -> Result<()> {
    let store = files::store(args)?;
    store.flush()?;
    sealed(args, &store)
}

pub(crate) fn compact(args: &Store) -> Result<()> {
    let store = files::store(args)?;
    let bar = state::bar();
    store.compact_with(|progress| state::show(&bar, progress))?;
    bar.finish_and_clear();
    sealed(args, &store)
}

fn sealed(args: &Store, store: &zonal::Store) -> Result<()> {
    let now = store.snapshot().describe();
    let (commit, segments) = (now.commit, now.segments);
    say(args, &json!({ "commit": commit, "segments": segments }), || {
        format!("All up to commit {commit} is sealed, in {segments} segments.")
    })
}

pub(crate) fn backup(args: &Backup) -> Result<()> {
    let commit = files::reader(&args.store)?.backup(&args.target)?;
    let folder = args.target.display().to_string();
    say(&args.store, &json!({ "commit": commit, "folder": folder }), || {
        format!("{folder} is a store of its own, with all up to commit {commit}.")
    })
}

fn say(args: &Store, value: &serde_json::Value, text: impl FnOnce() -> String) -> Result<()> {
    let mut output = Output::new();
    if args.json {
        output.json(value)?;
    } else {
        output.line(text())?;
    }
    output.end()
}
