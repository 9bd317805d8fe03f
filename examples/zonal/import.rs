//! import and upsert.

use zonal::{Error, Import, ImportReport, Mapping, Store, Upkeep};

use super::output::{NONE, Output, table};
use super::{Result, args, files, state};

pub(crate) fn import(args: &args::Import) -> Result<()> {
    run(args, false)
}

pub(crate) fn upsert(args: &args::Import) -> Result<()> {
    run(args, true)
}

fn run(args: &args::Import, upsert: bool) -> Result<()> {
    let mapping = Mapping::from_toml(&files::read_text(&args.mapping)?)?;
    // A file without one of the columns is better known before the others are read.
    for path in &args.files {
        mapping.check(&path.display().to_string(), files::open(path)?)?;
    }
    let folder = &args.store.folder;
    let store = match Store::open_with(folder, mapping.schema()) {
        Err(Error::NotAStore { .. }) => Store::create(folder, mapping.schema().clone())?,
        opened => opened?,
    };
    let mut import = if upsert {
        store.keep_up(Upkeep::default())?;
        Import::upsert(&store, &mapping)?
    } else {
        Import::new(&store, &mapping)?
    };
    if let Some(known) = &args.known_at {
        import = import.known_at(store.snapshot().calendar().parse(known)?);
    }
    if let Some(path) = &args.rejects {
        import = import.rejects(files::create(path)?);
    }
    let bar = state::bar();
    for path in &args.files {
        let file = files::open(path)?;
        bar.set_length(file.metadata().map_or(0, |file| file.len()));
        bar.set_message("reading");
        bar.reset();
        import.file(&path.display().to_string(), bar.wrap_read(file))?;
    }
    let report = import.finish_with(|progress| state::show(&bar, progress))?;
    // What only the log has would be replayed by every question.
    store.flush()?;
    bar.finish_and_clear();
    let mut output = Output::new();
    if args.store.json {
        output.json(&report)?;
    } else {
        print(&mut output, args, &report)?;
    }
    output.end()
}

fn print(output: &mut Output, args: &args::Import, report: &ImportReport) -> Result<()> {
    let mut facts = table(["", "rows"], 1);
    facts.add_row(["read", &report.rows.to_string()]);
    facts.add_row(["new orders", &(report.imported - report.changed).to_string()]);
    facts.add_row(["new versions of orders", &report.changed.to_string()]);
    facts.add_row(["unchanged", &report.unchanged.to_string()]);
    facts.add_row(["replaced by a later row with the same id", &report.repeated.len().to_string()]);
    facts.add_row(["rejected", &report.rejected.to_string()]);
    facts.add_rows(report.reasons.iter().map(|(reason, rows)| [format!("  {reason}"), rows.to_string()]));
    output.table(&facts)?;
    match (&args.rejects, report.rejected) {
        (_, 0) => {}
        (Some(path), _) => output.line(format!("\nThe rejected rows are in {}.", path.display()))?,
        (None, _) => output.line("\nName a file with --rejects to see the rejected rows.")?,
    }
    quality(output, args, report)?;
    if !report.ignored.is_empty() {
        output.line(format!("\nColumns that the mapping does not name: {}.", report.ignored.join(", ")))?;
    }
    Ok(())
}

/// What was noticed in the rows that became orders.
fn quality(output: &mut Output, args: &args::Import, report: &ImportReport) -> Result<()> {
    let header =
        ["field", "column", "missing", "unreadable", "out of range", "ambiguous", "skipped", "example"];
    let mut columns = table(header, 2);
    if let Some(example) = columns.column_mut(header.len() - 1) {
        example.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    for column in &report.columns {
        let counts =
            [column.missing, column.unreadable, column.out_of_range, column.ambiguous, column.skipped];
        if counts.iter().all(|count| *count == 0) {
            continue;
        }
        let example = column.example.as_ref();
        let example = example.map(|example| match args.files.len() {
            1 => format!("{:?} on line {}", example.value, example.line),
            _ => format!("{:?} on line {} of {}", example.value, example.line, example.file),
        });
        let mut cells = vec![column.field.clone(), column.column.clone()];
        cells.extend(counts.map(|count| if count == 0 { NONE.to_owned() } else { count.to_string() }));
        cells.push(example.unwrap_or_default());
        columns.add_row(cells);
    }
    if !columns.is_empty() {
        output.line("")?;
        output.table(&columns)?;
    }
    for (tree, rows) in &report.levels_cut {
        output.line(format!(
            "\nIn {rows} rows a level of {tree} has a value under a missing one; the path ends above."
        ))?;
    }
    for (measure, rows) in &report.negative {
        output
            .line(format!("\nIn {rows} rows {measure} is negative: the second clock is before the first."))?;
    }
    Ok(())
}
