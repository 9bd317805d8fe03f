use super::*;
use crate::{Store, Value};

/// A mapping with one of everything.
const MAPPING: &str = r#"
time_zone = "America/New_York"
missing = ["-"]
[order]
id = "id"
created = { column = "opened", formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d"], missing = ["never"] }
[place]
levels = ["city", "ward", "street"]
columns = [
    { value = "Boston" },
    { column = "ward", code = "ward_code", clean = { strip_prefix = "Ward ", integer = true, range = [1, 22] } },
    "street",
]
[location]
longitude = "lon"
latitude = "lat"
default = [-71.0587, 42.3594]
[[tree]]
name = "topic"
levels = ["reason", "type"]
columns = ["reason", "type"]
[[category]]
name = "channel"
column = "source"
clean = { values = { Tel = "phone" } }
[[category]]
name = "city_hall"
value = "Boston"
[[tags]]
name = "marks"
column = "marks"
separator = ";"
[[tags]]
name = "flags"
columns = ["flag_1", "flag_2"]
[[outcome]]
name = "on_time"
column = "ontime"
labels = { ONTIME = "yes", OVERDUE = "no" }
[[clock]]
name = "closed"
column = "closed"
formats = ["%Y-%m-%d %H:%M:%S"]
clean = { range = ["2011-01-01", "2013-01-01"] }
[[measure]]
name = "minutes"
between = ["created", "closed"]
unit = "minutes"
[[measure]]
name = "calls"
column = "calls"
clean = { integer = true }
[[key]]
name = "caller"
column = "phone"
secret = "s"
[[key]]
name = "case"
column = "case"
integer = true
[[text]]
name = "words"
column = "words"
"#;

const COLUMNS: [&str; 20] = [
    "id",
    "opened",
    "ward",
    "ward_code",
    "street",
    "lon",
    "lat",
    "reason",
    "type",
    "source",
    "marks",
    "flag_1",
    "flag_2",
    "ontime",
    "closed",
    "calls",
    "phone",
    "case",
    "words",
    "extra",
];

const GOOD: [&str; 20] = [
    "7",
    "2011-07-01 09:00:00",
    "Ward 09",
    "W9",
    "Main St",
    "-71.5",
    "42.25",
    "Street",
    "Lights",
    "Tel",
    "a; b;;a",
    "x",
    "-",
    "ONTIME",
    "2011-07-01 10:00:30",
    "3.0",
    "617",
    "12",
    " said \"this\" ",
    "ignored",
];

/// A row like the good one, but for some columns.
fn row(changes: &[(&str, &str)]) -> Vec<String> {
    let value = |(name, good): (&&str, &&str)| {
        changes.iter().find(|change| change.0 == *name).map_or(*good, |change| change.1).to_owned()
    };
    COLUMNS.iter().zip(&GOOD).map(value).collect()
}

fn csv(rows: &[Vec<String>]) -> String {
    let mut out = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    out.write_record(COLUMNS).unwrap();
    rows.iter().for_each(|row| out.write_record(row).unwrap());
    String::from_utf8(out.into_inner().unwrap()).unwrap()
}

/// What came of a file: the orders, the rejects, the report.
struct Outcome {
    orders: Vec<Order>,
    rejects: String,
    report: ImportReport,
}

impl Outcome {
    fn column(&self, field: &str) -> &ColumnReport {
        self.report.columns.iter().find(|column| column.field == field).unwrap()
    }
}

fn try_read(mapping: &str, text: &[u8], refuse: &[&str]) -> Result<Outcome> {
    let mapping = Mapping::from_toml(mapping)?;
    let store = Store::in_memory(mapping.schema().clone())?;
    let mut load = store.load()?;
    let (mut orders, mut rejects) = (Vec::new(), Vec::new());
    let mut tally = Tally::new(&mapping);
    tally.rejects = Some(Rejects::new(&mut rejects));
    file(&mapping, "a.csv", text, &mut tally, |order| {
        if refuse.contains(&order.id()) {
            return Err(Error::order(order.id(), "it is refused"));
        }
        load.push(order.clone())?;
        orders.push(order);
        Ok(())
    })?;
    tally.rejects.take().unwrap().finish()?;
    let report = tally.report(load.finish()?.into());
    Ok(Outcome { orders, rejects: String::from_utf8(rejects).unwrap(), report })
}

fn read(rows: &[Vec<String>]) -> Outcome {
    try_read(MAPPING, csv(rows).as_bytes(), &[]).unwrap()
}

/// One row like the good one, but for some columns, which must not be rejected.
fn read_one(changes: &[(&str, &str)]) -> (Order, Outcome) {
    let mut outcome = read(&[row(changes)]);
    assert_eq!(outcome.rejects, "", "{changes:?}");
    (outcome.orders.pop().unwrap(), outcome)
}

#[test]
fn every_kind_of_field_is_read() {
    let (order, outcome) = read_one(&[]);
    let identity = order.value("caller").cloned().unwrap();
    let expected = Order::new("7", 1_309_525_200)
        .place([crate::Step::from("Boston"), crate::Step::from(("9", "W9")), crate::Step::from("Main St")])
        .location(-71.5, 42.25)
        .tree("topic", ["Street", "Lights"])
        .category("channel", "phone")
        .category("city_hall", "Boston")
        .tags("marks", ["a", "b", "a"])
        .tags("flags", ["x"])
        .outcome("on_time", "yes")
        .clock("closed", 1_309_528_830)
        .measure("calls", 3)
        .with("caller", identity.clone())
        .key("case", 12)
        .text("words", "said \"this\"");
    assert_eq!(order, expected);
    assert!(matches!(identity, Value::Key(key) if key != 617));
    assert_eq!(outcome.report.ignored, ["extra"]);
    assert_eq!((outcome.report.rows, outcome.report.imported, outcome.report.rejected), (1, 1, 0));
    let noticed =
        outcome.report.columns.iter().filter(|column| column.missing > 0 || column.example.is_some());
    assert_eq!(noticed.map(|column| column.column.as_str()).collect::<Vec<_>>(), ["flag_2"]);
}

#[test]
fn a_path_ends_at_its_first_missing_level() {
    let (order, outcome) = read_one(&[("ward", "-"), ("reason", "")]);
    assert_eq!(order.place_path(), [crate::Step::from("Boston")]);
    assert_eq!(order.value("topic"), None);
    assert_eq!(outcome.report.levels_cut, [("place".to_owned(), 1), ("topic".to_owned(), 1)].into());
    assert_eq!(outcome.column("place.ward").missing, 1);
    let (order, outcome) = read_one(&[("ward", "-"), ("street", " ")]);
    assert_eq!(order.place_path().len(), 1);
    assert!(outcome.report.levels_cut.is_empty());
}

#[test]
fn values_that_cannot_be_read_are_missing_and_counted() {
    let (order, outcome) = read_one(&[
        ("ward", "Ward X"),
        ("ontime", "perhaps"),
        ("closed", "tomorrow"),
        ("calls", "3.5"),
        ("case", "-1"),
        ("lon", "east"),
    ]);
    for field in ["on_time", "closed", "calls", "case"] {
        assert_eq!(order.value(field), None, "{field}");
        assert_eq!(outcome.column(field).unreadable, 1, "{field}");
    }
    assert_eq!(order.point(), None);
    assert_eq!(order.place_path().len(), 1);
    let example = outcome.column("closed").example.clone().unwrap();
    assert_eq!((example.file.as_str(), example.line, example.value.as_str()), ("a.csv", 2, "tomorrow"));
}

#[test]
fn values_out_of_range_are_missing_and_counted() {
    let (order, outcome) = read_one(&[("ward", "23"), ("closed", "2059-12-31 19:00:00"), ("lat", "-90.1")]);
    assert_eq!((order.value("closed"), order.point(), order.place_path().len()), (None, None, 1));
    for (field, column) in [("place.ward", "ward"), ("closed", "closed"), ("location", "lat")] {
        let found =
            outcome.report.columns.iter().find(|report| report.field == field && report.column == column);
        assert_eq!(found.unwrap().out_of_range, 1, "{field}");
    }
    assert_eq!(read_one(&[("closed", "2013-01-01 00:00:00")]).1.column("closed").out_of_range, 1);
    assert_eq!(read_one(&[("closed", "2012-12-31 23:59:59")]).1.column("closed").out_of_range, 0);
}

#[test]
fn points_that_stand_for_none_are_missing() {
    for (lon, lat) in
        [("0", "0.0"), ("-71.0587", "42.3594"), ("-71.05870000", "42.35940"), ("-", "42"), ("12", "")]
    {
        let (order, outcome) = read_one(&[("lon", lon), ("lat", lat)]);
        assert_eq!(order.point(), None, "{lon} {lat}");
        assert!(
            outcome.report.columns.iter().any(|column| column.field == "location" && column.missing == 1)
        );
    }
    assert_eq!(read_one(&[("lon", "0"), ("lat", "51.5")]).0.point(), Some((0, 515_000_000)));
}

#[test]
fn local_times_and_durations_are_watched() {
    let (order, outcome) = read_one(&[("opened", "2011-11-06 01:30:00"), ("closed", "2011-03-13 02:30:00")]);
    assert_eq!(order.created().seconds(), Some(1_320_557_400));
    assert_eq!((outcome.column("created").ambiguous, outcome.column("closed").skipped), (1, 1));
    assert_eq!(outcome.report.negative, [("minutes".to_owned(), 1)].into());
    assert!(read_one(&[("closed", "2011-07-01 09:00:00")]).1.report.negative.is_empty());
}

#[test]
fn rows_that_cannot_be_orders_are_written_aside() {
    let mut short = row(&[("id", "5")]);
    short.pop();
    let outcome = read(&[
        row(&[("id", "1")]),
        row(&[("id", " ")]),
        row(&[("id", "2"), ("words", "two\nlines")]),
        row(&[("id", "3"), ("opened", "2011-07-32")]),
        row(&[("id", "4"), ("opened", "never"), ("words", "three\r\nlines\n")]),
        short,
        row(&[("id", "6"), ("opened", "3020-01-01")]),
        row(&[("id", "x".repeat(65).as_str())]),
        row(&[("id", "9")]),
    ]);
    assert_eq!(outcome.orders.iter().map(Order::id).collect::<Vec<_>>(), ["1", "2", "9"]);
    let reasons = [
        ("created cannot be read", 1),
        ("created out of range", 1),
        ("does not fit the schema", 1),
        ("no created", 1),
        ("no id", 1),
        ("wrong number of fields", 1),
    ];
    assert_eq!(outcome.report.reasons, reasons.into());
    assert_eq!((outcome.report.rows, outcome.report.imported, outcome.report.rejected), (9, 3, 6));
    let mut rejects = csv::ReaderBuilder::new().flexible(true).from_reader(outcome.rejects.as_bytes());
    let header: Vec<&str> = ["file", "line", "reason"].into_iter().chain(COLUMNS).collect();
    assert_eq!(rejects.headers().unwrap(), header);
    let rows: Vec<StringRecord> = rejects.records().map(|row| row.unwrap()).collect();
    let first: Vec<_> = rows.iter().map(|row| (&row[0], &row[1], &row[2])).collect();
    assert_eq!(
        &first[..5],
        [
            ("a.csv", "3", "id is missing: id is \" \""),
            ("a.csv", "6", "created cannot be read: opened is \"2011-07-32\""),
            ("a.csv", "7", "created is missing: opened is \"never\""),
            ("a.csv", "10", "it has 19 fields, the header has 20"),
            ("a.csv", "11", "created is out of range: opened is \"3020-01-01\""),
        ]
    );
    assert_eq!((&first[5].1, first[5].2.contains("it takes 1 to 64")), (&"12", true), "{first:?}");
    assert_eq!(rows[2].iter().nth(3 + 18), Some("three\nlines\n"));
}

#[test]
fn what_the_store_refuses_is_rejected_and_what_fails_ends_the_import() {
    let text = csv(&[row(&[("id", "1")]), row(&[("id", "2")])]);
    let outcome = try_read(MAPPING, text.as_bytes(), &["1"]).unwrap();
    assert!(outcome.rejects.contains("a.csv,2,it is refused,1,"), "{}", outcome.rejects);
    assert_eq!(outcome.orders.len(), 1);
    let mapping = Mapping::from_toml(MAPPING).unwrap();
    let full = || Error::io("write", "a file", std::io::Error::other("no space left"));
    let result = file(&mapping, "a.csv", text.as_bytes(), &mut Tally::new(&mapping), |_| Err(full()));
    assert!(matches!(result, Err(Error::Io { .. })));
}

#[test]
fn repeated_ids_are_told_and_the_last_wins() {
    let outcome = read(&[row(&[("id", "1"), ("case", "1")]), row(&[]), row(&[("id", "1"), ("case", "2")])]);
    assert_eq!((outcome.report.rows, outcome.report.imported, outcome.report.repeated.len()), (3, 2, 1));
    assert_eq!(outcome.report.repeated[0].id, "1");
}

#[test]
fn lines_are_those_of_the_file() {
    let mapping = MAPPING.replace("[order]", "[file]\nheader_row = 3\n[order]");
    let header = COLUMNS.join(",");
    for end in ["\n", "\r\n", "\r"] {
        let lines = ["made \"yesterday", "", &header, "", "1,", "", "\"2", "\",", "3", ""];
        let rejects = try_read(&mapping, lines.join(end).as_bytes(), &[]).unwrap().rejects;
        let found: Vec<&str> = rejects.lines().filter_map(|line| line.strip_prefix("a.csv,")).collect();
        let starts: Vec<&str> = found.iter().filter_map(|line| line.split(',').next()).collect();
        assert_eq!(starts, ["5", "7", "9"], "{end:?} {rejects}");
    }
    // The last line may lack its end, and a quote may never be closed.
    for (last, line) in [("1", "4"), ("\"1\n2\n", "4")] {
        let rejects = try_read(&mapping, format!("\n\n{header}\n{last}").as_bytes(), &[]).unwrap().rejects;
        assert!(rejects.contains(&format!("a.csv,{line},\"it has")), "{rejects}");
    }
}

#[test]
fn a_file_without_a_mapped_column_is_refused_with_the_nearest_names() {
    let text = csv(&[]).replace("opened", "openned");
    let error = try_read(MAPPING, text.as_bytes(), &[]).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("no column of a.csv \"opened\"") && error.contains("openned"), "{error}");
    let error = try_read(MAPPING, csv(&[]).replace("extra", "id").as_bytes(), &[]).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("stands twice"), "{error}");
    let error = try_read(MAPPING, b"\n\n", &[]).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("no header on line 1"), "{error}");
}

#[test]
fn gb18030_and_semicolons() {
    let mapping = r#"
        time_zone = "Asia/Shanghai"
        [file]
        delimiter = ";"
        [order]
        id = "编号"
        created = { column = "时间", formats = ["%Y年%m月%d日"] }
        [place]
        levels = ["street"]
        columns = ["街道"]
    "#;
    let text = encoding_rs::GB18030.encode("编号;时间;街道\n1;2018年2月8日;坪山街道\n").0.into_owned();
    let outcome = try_read(mapping, &text, &[]).unwrap();
    assert_eq!(outcome.orders[0].place_path(), [crate::Step::from("坪山街道")]);
    assert_eq!(outcome.orders[0].created().seconds(), Some(1_518_019_200));
}
