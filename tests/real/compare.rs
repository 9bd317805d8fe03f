//! Compares what zonal said with what was computed without it.

#![expect(clippy::disallowed_methods, reason = "a test reads the answers it is compared with")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// The answer to a question: the same rows, in the same order where the order is part of the answer.
pub(crate) fn answer(found: &[Value], answers: &Path, question: &str) -> Result<(), String> {
    let asked = read(&answers.join(question).with_extension("json"))?;
    let [asked] = asked.as_slice() else { return Err("a question is one object".to_owned()) };
    let expected = lines(&read(&answers.join(question).with_extension("jsonl"))?);
    if asked["summary"] == true {
        return same(lines(&[summary(found)]), expected);
    }
    same(lines(found), expected)?;
    let mut args = asked["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if args.clone().any(|arg| arg == "--top") {
        let metric = args.by_ref().skip_while(|arg| *arg != "--metric").nth(1).unwrap_or("count");
        descend(found, metric)?;
    }
    Ok(())
}

/// Whether groups descend by a metric over all their steps, and the others come last. Ties are in the order of a tree,
/// which the SQL does not know.
fn descend(rows: &[Value], metric: &str) -> Result<(), String> {
    let group = |row: &Value| (row["others"] == true, row["path"].to_string(), row["by"].to_string());
    let figure = |row: &Value| match &row["values"][metric] {
        Value::Number(count) => (count.as_u64().unwrap_or_default(), 1),
        rate => (rate["num"].as_u64().unwrap_or_default(), rate["den"].as_u64().unwrap_or_default()),
    };
    let groups = rows.chunk_by(|a, b| group(a) == group(b)).filter_map(|rows| {
        let add = |total: (u64, u64), row| (total.0 + figure(row).0, total.1 + figure(row).1);
        Some((group(rows.first()?), rows.iter().fold((0, 0), add)))
    });
    let groups: Vec<_> = groups.collect();
    for pair in groups.windows(2) {
        let [(first, (a, b)), (second, (c, d))] = pair else { continue };
        if first.0 || (!second.0 && a * d < c * b) {
            return Err(format!("{first:?} stands before {second:?}"));
        }
    }
    Ok(())
}

/// Objects, one a line; or one that is spread over many.
fn read(file: &Path) -> Result<Vec<Value>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let objects = serde_json::Deserializer::from_str(&text).into_iter();
    objects.collect::<Result<_, _>>().map_err(|error| format!("{}: {error}", file.display()))
}

/// Each object in one spelling: keys ascend.
fn lines(objects: &[Value]) -> Vec<String> {
    objects.iter().map(Value::to_string).collect()
}

fn same(mut found: Vec<String>, mut expected: Vec<String>) -> Result<(), String> {
    found.sort();
    expected.sort();
    if found == expected {
        return Ok(());
    }
    let without = |lines: &[String], others: &[String]| {
        let lines: Vec<&String> = lines.iter().filter(|line| others.binary_search(line).is_err()).collect();
        let shown: String = lines.iter().take(5).map(|line| format!("\n    {line}")).collect();
        format!("{}{shown}", lines.len())
    };
    Err(format!(
        "{} rows, {} expected\n  found only: {}\n  expected only: {}",
        found.len(),
        expected.len(),
        without(&found, &expected),
        without(&expected, &found)
    ))
}

/// What stands for an answer of too many rows; `answers.py` computes the same.
fn summary(rows: &[Value]) -> Value {
    let count = |row: &Value| row["values"]["count"].as_u64().unwrap_or_default();
    let weighed = |row: &Value| {
        let path: Vec<&str> =
            row["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        count(row) * u64::from(crc32fast::hash(path.join("\u{1f}").as_bytes()))
    };
    json!({
        "rows": rows.len(),
        "remainders": rows.iter().filter(|row| row["remainder"] == true).count(),
        "count": rows.iter().map(count).sum::<u64>(),
        "checksum": rows.iter().map(weighed).sum::<u64>(),
    })
}

/// The report of an import.
pub(crate) fn quality(report: &Value, answers: &Path) -> Result<(), String> {
    let expected = read(&answers.join("quality.json"))?;
    let [expected] = expected.as_slice() else { return Err("quality.json is one object".to_owned()) };
    let mut wrong = Vec::new();
    let mut check = |what: &str, found: &Value, expected: &Value| {
        if found != expected {
            wrong.push(format!("{what}: {found}, not {expected}"));
        }
    };
    for (found, name) in
        [("rows", "rows"), ("imported", "orders"), ("rejected", "rejected"), ("ignored", "ignored")]
    {
        check(name, &report[found], &expected[name]);
    }
    let repeated: Vec<&str> =
        report["repeated"].as_array().into_iter().flatten().filter_map(|row| row["id"].as_str()).collect();
    let ids: BTreeSet<&str> = repeated.iter().copied().collect();
    check("repeated", &json!({ "rows": repeated.len(), "ids": ids.len() }), &expected["repeated"]);
    let zero = || json!(0);
    for (kind, found) in [("cut", "levels_cut"), ("negative", "negative")] {
        for (name, expected) in expected[kind].as_object().into_iter().flatten() {
            check(&format!("{kind} of {name}"), report[found].get(name).unwrap_or(&zero()), expected);
        }
    }
    let columns = report["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    for kind in ["missing", "out_of_range", "ambiguous", "skipped"] {
        let names: Vec<&str> =
            expected[kind].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        for name in &names {
            if !columns.iter().any(|column| column["column"] == *name) {
                check(&format!("{kind} of {name}"), &Value::Null, &expected[kind][*name]);
            }
        }
        for column in columns {
            let name = column["column"].as_str().unwrap_or_default();
            let mut count = expected[kind][name].as_u64().unwrap_or_default();
            let is_location = column["field"].as_str().is_some_and(|field| field.starts_with("location"));
            if kind == "missing" && is_location {
                let unknown = |point: &str| expected["location"][point].as_u64().unwrap_or_default();
                count += unknown("zero") + unknown("default");
            }
            check(&format!("{kind} of {name} for {}", column["field"]), &column[kind], &json!(count));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
