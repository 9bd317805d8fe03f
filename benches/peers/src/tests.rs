//! Every question on a small city, loaded and superseded, beside answers that are counted order by order.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::data_type::Int64Type;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use zonal::Store;

use crate::analyses::residents;
use crate::question::{Constants, put};
use crate::read::{rows, touch};
use crate::{Result, flush, load, supersede};

const COLUMNS: &str = "order_id created district street community building topic1 topic2 topic3 department channel \
                       kind effective contacted solved satisfaction closed caller";

/// An order: the columns of the files, in their order.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    created: i64,
    /// District, street, community, building.
    units: [i64; 4],
    topics: [i64; 3],
    /// Department, channel, kind.
    categories: [i64; 3],
    /// Effective, contacted, solved, satisfaction.
    outcomes: [i64; 4],
    closed: i64,
    caller: i64,
}

impl Row {
    fn numbers(&self) -> Vec<i64> {
        let parts: [&[i64]; 6] = [
            &[self.id, self.created],
            &self.units,
            &self.topics,
            &self.categories,
            &self.outcomes,
            &[self.closed, self.caller],
        ];
        parts.concat()
    }
}

const BUILDINGS: i64 = 24;
const TOPICS: i64 = 8;
const DAY: i64 = 86_400;
/// The first second of 2023.
const YEAR: i64 = 1_672_531_200;

fn units(building: i64) -> [i64; 4] {
    [building / 8, building / 4, building / 2, building]
}

fn topics(topic: i64) -> [i64; 3] {
    [topic / 4, topic / 2, topic]
}

/// The first second of a month of 2023, counted from 0.
fn month(number: usize) -> i64 {
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    YEAR + DAY * days[..number].iter().sum::<i64>()
}

/// Numbers that look like chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % bound
    }

    fn order(&mut self, id: i64, created: i64) -> Row {
        let called = i64::from(self.below(10) < 7);
        let mut answer = |labels| if called == 1 { self.below(labels) } else { -1 };
        let outcomes = [called, answer(2), answer(2), answer(3)];
        Row {
            id,
            created,
            units: units(self.below(BUILDINGS) * self.below(BUILDINGS) / BUILDINGS),
            topics: topics(self.below(TOPICS)),
            categories: [self.below(20), self.below(4), self.below(3)],
            outcomes,
            closed: created + self.below(9 * DAY),
            caller: self.below(40),
        }
    }
}

/// A file of integers.
fn write(path: &Path, columns: &str, rows: &[Vec<i64>]) -> Result<()> {
    let fields: String = columns.split_whitespace().map(|name| format!("required int64 {name}; ")).collect();
    let schema = Arc::new(parse_message_type(&format!("message rows {{ {fields}}}"))?);
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, Arc::default())?;
    let mut group = writer.next_row_group()?;
    for position in 0.. {
        let Some(mut column) = group.next_column()? else { break };
        let values: Vec<i64> = rows.iter().map(|row| row[position]).collect();
        column.typed::<Int64Type>().write_batch(&values, None, None)?;
        column.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

/// Times stand in the files in microseconds.
fn write_orders(path: &Path, orders: &[Row]) -> Result<()> {
    let in_microseconds = |order: &Row| {
        let (created, closed) = (order.created * 1_000_000, order.closed * 1_000_000);
        Row { created, closed, ..order.clone() }.numbers()
    };
    write(path, COLUMNS, &orders.iter().map(in_microseconds).collect::<Vec<_>>())
}

fn grouped(
    rows: &[&Row],
    key: impl Fn(&Row) -> Vec<i64>,
    figures: impl Fn(&[&Row]) -> Vec<i64>,
) -> Vec<Vec<i64>> {
    let mut groups: BTreeMap<Vec<i64>, Vec<&Row>> = BTreeMap::new();
    rows.iter().for_each(|row| groups.entry(key(row)).or_default().push(row));
    groups.into_iter().map(|(key, rows)| [key, figures(&rows)].concat()).collect()
}

fn number(rows: &[&Row], keep: impl Fn(&Row) -> bool) -> i64 {
    i64::try_from(rows.iter().filter(|row| keep(row)).count()).unwrap()
}

fn count(rows: &[&Row]) -> Vec<i64> {
    vec![number(rows, |_| true)]
}

fn rates(rows: &[&Row]) -> Vec<i64> {
    let outcomes = [(0, 1), (1, 1), (2, 1), (3, 0), (3, 1)];
    let counted = outcomes.map(|(outcome, label)| number(rows, |row| row.outcomes[outcome] == label));
    [count(rows), counted.to_vec()].concat()
}

fn distinct(rows: &[&Row]) -> Vec<i64> {
    count(&grouped(rows, |row| vec![row.caller], count).iter().map(|_| rows[0]).collect::<Vec<_>>())
}

/// What a question should give.
fn expected(orders: &[Row], question: &str, given: &Constants) -> Vec<Vec<i64>> {
    let names = |names: &[String]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<i64>>();
    let in_span = |row: &Row, (begin, end): (i64, i64)| (begin..end).contains(&row.created);
    let unit = names(given.unit.get(1..).unwrap_or_default());
    let (topic, channels, departments) =
        (names(&given.topic), names(&given.channels), names(&given.departments));
    let kept: Vec<&Row> = orders
        .iter()
        .filter(|row| given.spans.is_empty() || given.spans.iter().any(|span| in_span(row, *span)))
        .filter(|row| row.units.starts_with(&unit) && row.topics.starts_with(&topic))
        .filter(|row| channels.is_empty() || channels.contains(&row.categories[1]))
        .filter(|row| given.kind.is_empty() || given.kind == row.categories[2].to_string())
        .filter(|row| departments.is_empty() || departments.contains(&row.categories[0]))
        .filter(|row| question != "F3" || row.outcomes[2] == 0)
        .filter(|row| given.id.is_empty() || given.id == row.id.to_string())
        .collect();
    let by = |level: usize| move |row: &Row| vec![row.units[level]];
    match question {
        "Z1" | "F2" => grouped(&kept, by(0), count),
        "Z2" | "P4" => grouped(&kept, by(2), rates),
        "Z3" => grouped(&kept, |row| vec![row.created.div_euclid(DAY) * DAY], count),
        "Z4" => {
            let start = |row: &Row| (0..12).rev().map(month).find(|start| *start <= row.created).unwrap();
            grouped(&kept, |row| vec![row.units[0], start(row)], rates)
        }
        "P1" | "F1" => grouped(&kept, by(1), rates),
        "P2" => grouped(&kept, by(2), count),
        "P3" => {
            let mut buildings = grouped(&kept, by(3), count);
            buildings.sort_by_key(|row| (-row[1], row[0]));
            buildings.truncate(20);
            buildings
        }
        "C1" => grouped(&kept, by(1), |rows| {
            given.spans.iter().map(|span| number(rows, |row| in_span(row, *span))).collect()
        }),
        "F3" => grouped(&kept, |row| vec![row.categories[0], row.units[1]], count),
        "M1" => grouped(&kept, by(1), |rows| {
            [vec![rows.iter().map(|row| row.closed - row.created).sum()], count(rows)].concat()
        }),
        "R1" => {
            let pairs = grouped(&kept, |row| vec![row.caller, row.topics[1]], count);
            vec![vec![i64::try_from(pairs.iter().filter(|pair| pair[2] > 1).count()).unwrap()]]
        }
        "U1" => grouped(&kept, by(0), distinct),
        "L1" => {
            let mut listed = kept;
            listed.sort_by_key(|row| (-row.created, row.id));
            listed.iter().take(50).map(|row| vec![row.id]).collect()
        }
        "K1" => kept.iter().map(|row| row.numbers()).collect(),
        _ => panic!("{question} has no expected answer"),
    }
}

fn strings<const N: usize>(names: [i64; N]) -> Vec<String> {
    names.map(|name| name.to_string()).to_vec()
}

fn questions() -> Vec<(&'static str, Constants)> {
    let unit = |path: &[i64]| {
        let names = path.iter().map(i64::to_string);
        std::iter::once("city".to_owned()).chain(names).collect::<Vec<_>>()
    };
    let during = |begin, end| Constants { spans: vec![(begin, end)], ..Constants::default() };
    let long = || during(month(1), month(11));
    vec![
        ("Z1", during(month(3), month(4))),
        ("Z2", Constants { unit: unit(&units(9)[..2]), ..during(month(3), month(6)) }),
        ("Z3", Constants { topic: strings([1]), ..long() }),
        ("Z4", long()),
        ("P1", during(month(4), month(5))),
        ("P2", Constants { unit: unit(&[0]), topic: strings([0, 1]), ..during(YEAR, YEAR + 365 * DAY) }),
        ("P3", Constants { topic: strings([1, 2]), ..long() }),
        ("P4", long()),
        (
            "C1",
            Constants {
                spans: vec![(month(5), month(6)), (month(4), month(5)), (YEAR - 30 * DAY, YEAR)],
                ..Constants::default()
            },
        ),
        (
            "F1",
            Constants {
                topic: strings([0]),
                channels: strings([0, 2]),
                kind: "1".to_owned(),
                departments: strings([3, 4, 5, 6, 7, 8]),
                ..long()
            },
        ),
        ("F2", during(month(2) + 5_000, month(2) + 15 * DAY + 77)),
        ("F3", long()),
        ("M1", long()),
        ("R1", Constants { unit: unit(&[0]), ..during(month(3), month(6)) }),
        ("U1", long()),
        ("L1", Constants { unit: unit(&units(2)), ..Constants::default() }),
        ("K1", Constants { id: "1234".to_owned(), ..Constants::default() }),
    ]
}

fn check(folder: &Path, orders: &[Row]) -> Result<()> {
    let store = Store::open(folder)?;
    let now = store.snapshot();
    for (question, given) in questions() {
        let asked = put(&now, &residents(&now)?, question, &given)?;
        touch(&asked);
        let mut answered = rows(&now, question, &asked)?;
        if !matches!(question, "P3" | "L1") {
            answered.sort();
        }
        let expected = expected(orders, question, &given);
        assert!(!expected.is_empty(), "{question} asks about nothing");
        assert_eq!(answered, expected, "{question}");
    }
    Ok(())
}

#[test]
fn every_question_is_answered_as_counted_before_and_after_orders_are_superseded() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("zonal-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let at = |name: &str| folder.join(name);
    let mut chance = Chance(1);
    let mut created: Vec<i64> = (0..4_000).map(|_| YEAR + chance.below(365 * DAY)).collect();
    created.sort_unstable();
    let mut orders: Vec<Row> = (0..).zip(created).map(|(id, created)| chance.order(id, created)).collect();
    let numbered = |count| 0..count;
    let places: Vec<Vec<i64>> = numbered(BUILDINGS).map(|building| units(building).to_vec()).collect();
    let names: Vec<Vec<i64>> = numbered(TOPICS).map(|topic| topics(topic).to_vec()).collect();
    write(&at("places.parquet"), "district street community building", &places)?;
    write(&at("topics.parquet"), "topic1 topic2 topic3", &names)?;
    write_orders(&at("orders-2023.parquet"), &orders)?;

    let store = at("store");
    load(&folder, &store)?;
    check(&store, &orders)?;

    for (sealed, step) in [(true, 5), (false, 31)] {
        let changed: Vec<Row> =
            orders.iter().step_by(step).map(|order| chance.order(order.id, order.created)).collect();
        write_orders(&at("changes.parquet"), &changed)?;
        supersede(&store, &at("changes.parquet"), 100)?;
        if sealed {
            flush(&store)?;
        }
        for order in changed {
            let position = usize::try_from(order.id)?;
            orders[position] = order;
        }
        check(&store, &orders)?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
