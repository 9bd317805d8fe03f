//! What changes cost. Parts, each with stores of its own:
//!
//! - `questions`: zoom and penetration over superseded orders, flushed, in batches, compacted
//! - `upserts`: single orders anywhere in a large store, with numbers and with texts for ids
//! - `versions`: a ranking as of a month's end, with five later versions of every order; bytes per ended version
//! - `units`: commits that each bring a building to a twentieth as many
//! - `commits`: durable commits of several sizes from one thread and from eight; replay
//!
//! `cargo bench --bench change` runs them all, `cargo bench --bench change -- units commits` those two;
//! `ZONAL_BENCH_ORDERS=20000000` changes the size from 200 thousand. Every bulk load tells its speed.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod workload;

use std::path::Path;
use std::time::{Duration, Instant};

use workload::{Chance, City};
use zonal::{
    Columns, Commit, Durability, Filter, Grain, Order, Patch, Query, Schema, Snapshot, Span, Store, count,
    counter, rate, under,
};

type Done<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A part of the bench, told by its name: what it does in a folder.
type Part<'a> = (&'static str, &'a dyn Fn(&Path) -> Done);

/// A question about 2023, with constants that change from one asking to the next.
type Question = (&'static str, fn(&Snapshot, &mut Chance) -> zonal::Result<Query>);

fn month(now: &Snapshot, chance: &mut Chance) -> zonal::Result<Span> {
    now.calendar().month(2023, chance.below(12) as u32 + 1)
}

/// Ten days of a month, at the edge of none.
fn ten_days(now: &Snapshot, chance: &mut Chance) -> zonal::Result<Span> {
    const DAY: i64 = 86_400;
    let month = month(now, chance)?;
    let start = month.start() + (1 + chance.below(15) as i64) * DAY;
    Span::new(start, start + 10 * DAY)
}

fn district(now: &Snapshot, chance: &mut Chance) -> zonal::Node {
    let all: Vec<_> = now.place().children(None).collect();
    all[chance.below(all.len() as u64) as usize]
}

/// A theme, or one of its topics.
fn under_theme(now: &Snapshot, chance: &mut Chance, topic: bool) -> zonal::Result<Filter> {
    let topics = now.tree("topic")?;
    let mut below = |parent| {
        let all: Vec<_> = topics.children(parent).collect();
        all[chance.below(all.len() as u64) as usize]
    };
    let theme = below(None);
    Ok(under("topic", if topic { below(Some(theme)) } else { theme }))
}

const QUESTIONS: [Question; 9] = [
    ("city by district, a month", |now, chance| {
        Ok(Query::zoom().level("district").during(month(now, chance)?))
    }),
    ("city to streets, a month, rate", |now, chance| {
        Ok(Query::zoom().level("street").during(month(now, chance)?).metric(rate("solved", "effective")))
    }),
    ("district by month, a year, rate", |now, chance| {
        let query = Query::zoom().within(district(now, chance)).during(now.calendar().year(2023)?);
        Ok(query.grain(Grain::Month).metric(rate("solved", "effective")))
    }),
    ("district to communities, a year, rate", |now, chance| {
        let query = Query::penetrate(district(now, chance), 2).during(now.calendar().year(2023)?);
        Ok(query.metric(rate("solved", "effective")))
    }),
    ("a street to communities, a quarter, rate", |now, chance| {
        let streets: Vec<_> = now.place().children(Some(district(now, chance))).collect();
        let street = streets[chance.below(streets.len() as u64) as usize];
        let quarter = now.calendar().quarter(2023, 1 + chance.below(4) as u32)?;
        Ok(Query::penetrate(street, 1).during(quarter).metric(rate("solved", "effective")))
    }),
    ("city to streets, ten days", |now, chance| {
        Ok(Query::zoom().level("street").during(ten_days(now, chance)?))
    }),
    ("city by day, a year, a theme", |now, chance| {
        let query = Query::zoom().during(now.calendar().year(2023)?).grain(Grain::Day);
        Ok(query.filter(under_theme(now, chance, false)?))
    }),
    ("district to communities, a year, a topic", |now, chance| {
        let query = Query::penetrate(district(now, chance), 2).during(now.calendar().year(2023)?);
        Ok(query.filter(under_theme(now, chance, true)?))
    }),
    ("city to buildings, a year, a topic, top 20", |now, chance| {
        let query = Query::zoom().level("building").during(now.calendar().year(2023)?);
        Ok(query.filter(under_theme(now, chance, true)?).metric(count()).top(20))
    }),
];

/// The median time of a question, in microseconds, when asked of each snapshot in turn.
fn ask(question: Question, snapshots: &[&Snapshot]) -> Done<Vec<f64>> {
    const TIMES: usize = 301;
    let mut times = vec![Vec::new(); snapshots.len()];
    let mut chance = Chance::new(7);
    for _ in 0..TIMES {
        let seed = chance.below(u64::MAX);
        for (snapshot, times) in snapshots.iter().zip(&mut times) {
            let query = question.1(snapshot, &mut Chance::new(seed))?;
            let begun = Instant::now();
            std::hint::black_box(snapshot.run(&query)?);
            times.push(begun.elapsed());
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// Asks a store of what is newest, in turn with one that has not changed.
fn compare(stage: &str, unchanged: &Store, store: &Store) -> Done {
    for question in QUESTIONS {
        let times = ask(question, &[&unchanged.snapshot(), &store.snapshot()])?;
        let (before, now) = (times[0], times[1]);
        println!("{stage:<11} {:<42} {before:7.1} µs {now:7.1} µs {:5.2}×", question.0, now / before);
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn loaded(folder: &Path, columns: impl Iterator<Item = Columns>) -> Done<Store> {
    let store = Store::create(folder, workload::schema()?)?;
    load(&store, columns)?;
    Ok(store)
}

/// Loads columns, and says how fast; making them does not count.
fn load(store: &Store, columns: impl Iterator<Item = Columns>) -> Done {
    let mut taken = Duration::ZERO;
    let mut load = store.load()?;
    for columns in columns {
        let begun = Instant::now();
        load.push_columns(columns)?;
        taken += begun.elapsed();
    }
    let begun = Instant::now();
    let report = load.finish()?;
    taken += begun.elapsed();
    println!(
        "loaded {} orders, {} of them new versions: {:.0} a second",
        report.orders,
        report.superseded,
        report.orders as f64 / taken.as_secs_f64()
    );
    Ok(())
}

/// Commits of so many orders each, not durable on return.
fn in_commits(store: &Store, size: usize, orders: &[u64], change: impl Fn(&mut Commit, u64)) -> Done {
    for chunk in orders.chunks(size) {
        let mut commit = store.begin().durability(Durability::Buffered);
        chunk.iter().for_each(|order| change(&mut commit, *order));
        commit.finish()?;
    }
    Ok(())
}

fn solve(commit: &mut Commit, order: u64) {
    commit.patch(order.to_string(), Patch::new().outcome("solved", "yes").outcome("satisfaction", "yes"));
}

fn questions(folder: &Path, city: &City, orders: u64) -> Done {
    let store = &loaded(&folder.join("changing"), workload::slices(city, orders as usize))?;
    store.backup(folder.join("unchanged"))?;
    let unchanged = &Store::open(folder.join("unchanged"))?;
    let mut chance = Chance::new(3);
    let last_year = orders / 5;
    let mut superseded: Vec<u64> = (0..orders / 100).map(|_| chance.below(orders)).collect();
    superseded.extend((0..last_year / 5).map(|_| orders - 1 - chance.below(last_year)));
    let begun = Instant::now();
    in_commits(store, 5_000, &superseded, solve)?;
    let patched = begun.elapsed();
    let begun = Instant::now();
    store.flush()?;
    println!(
        "{} patches: {:.1} µs each; flushed in {:.2} s",
        superseded.len(),
        patched.as_secs_f64() * 1e6 / superseded.len() as f64,
        begun.elapsed().as_secs_f64()
    );
    compare("flushed", unchanged, store)?;
    let recent: Vec<u64> = (0..10_000).map(|_| chance.below(orders)).collect();
    in_commits(store, 100, &recent, solve)?;
    compare("in batches", unchanged, store)?;
    let begun = Instant::now();
    store.compact()?;
    println!("compacted in {:.2} s", begun.elapsed().as_secs_f64());
    compare("compacted", unchanged, store)?;
    Ok(())
}

fn versions(folder: &Path, city: &City, orders: u64) -> Done {
    let store = loaded(folder, workload::slices(city, orders as usize))?;
    let known = store.snapshot().commit();
    for seed in 2..7 {
        load(&store, workload::slices(&City::new(seed), orders as usize))?;
        store.compact()?;
    }
    let now = store.snapshot();
    let described = now.describe();
    let bytes: u64 = described.partitions.iter().map(|partition| partition.history_bytes).sum();
    println!("{:.1} bytes an ended version, of {}", bytes as f64 / described.ended as f64, described.ended);
    let ranking: Question = ("streets ranked, a month", |now, chance| {
        let query =
            Query::zoom().level("street").during(month(now, chance)?).metric(rate("solved", "effective"));
        Ok(query.metric(counter("solved")))
    });
    let begun = Instant::now();
    let then = store.snapshot_at(known)?;
    let taken = begun.elapsed();
    let times = ask(ranking, &[&now, &then])?;
    println!(
        "{}: {:.1} µs now, {:.1} µs as of five versions ago; the snapshot {:.1} µs",
        ranking.0,
        times[0],
        times[1],
        taken.as_secs_f64() * 1e6
    );
    Ok(())
}

fn units(folder: &Path, orders: u64) -> Done {
    let units = (orders / 20).max(100_000);
    let schema = Schema::builder("UTC").place(["district", "street", "building"]).build()?;
    let store = Store::create(folder, schema)?;
    let path = |unit: u64| {
        [format!("district {}", unit % 16), format!("street {}", unit % 400), format!("building {unit}")]
    };
    let numbers: Vec<u64> = (0..units).collect();
    let created: Vec<i64> = numbers.iter().map(|number| 1_700_000_000 + *number as i64 % 1_000_000).collect();
    let rows = (0..units as u32).map(Some).collect();
    let paths = numbers.iter().map(|unit| path(*unit));
    load(&store, std::iter::once(Columns::numbered(numbers.clone(), created).place(paths, rows)))?;
    let new: Vec<u64> = (units..units + 1_000).collect();
    let begun = Instant::now();
    in_commits(&store, 1, &new, |commit, unit| {
        commit.upsert(Order::new(unit.to_string(), 1_700_500_000).place(path(unit)));
    })?;
    let each = begun.elapsed().as_secs_f64() * 1e6 / new.len() as f64;
    println!("a commit with a new building among {units}: {each:.1} µs");
    Ok(())
}

/// A number from a number, without locality.
fn scattered(number: u64) -> String {
    format!(
        "{:016x}",
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    )
}

fn upserts(folder: &Path, city: &City, orders: u64) -> Done {
    let store = loaded(&folder.join("numbers"), workload::slices(city, orders as usize))?;
    upsert(&store, orders, "numbers", |number| number.to_string())?;
    let named = |first: u64, created: Vec<i64>| {
        Columns::named((first..first + created.len() as u64).map(scattered), created)
    };
    let store = loaded(&folder.join("texts"), workload::slices_with(city, orders as usize, named))?;
    upsert(&store, orders, "texts without locality", scattered)
}

fn upsert(store: &Store, orders: u64, what: &str, id: fn(u64) -> String) -> Done {
    let mut chance = Chance::new(11);
    let some: Vec<u64> = (0..10_000).map(|_| chance.below(orders)).collect();
    let begun = Instant::now();
    in_commits(store, 1, &some, |commit, order| {
        let upsert = Order::new(id(order), 1_600_000_000 + order as i64 % 1_000_000);
        commit.upsert(
            upsert.place(["district 1", "street 1"]).category("channel", "1").outcome("solved", "yes"),
        );
    })?;
    let each = begun.elapsed().as_secs_f64() * 1e6 / some.len() as f64;
    println!("10,000 random upserts, ids are {what}: {each:.1} µs each, in a commit of its own");
    Ok(())
}

fn commits(folder: &Path) -> Done {
    for (size, commits) in [(1u64, 200), (100, 100), (10_000, 5)] {
        for threads in [1u64, 8] {
            let store = Store::create(folder.join(format!("{size}-{threads}")), workload::schema()?)?;
            let begun = Instant::now();
            std::thread::scope(|scope| {
                let run = |thread: u64| {
                    let store = store.clone();
                    move || -> zonal::Result<()> {
                        for number in 0..commits {
                            let mut commit = store.begin();
                            let first = (thread * commits + number) * size;
                            for id in first..first + size {
                                let order = Order::new(id.to_string(), 1_700_000_000 + id as i64);
                                commit
                                    .upsert(order.place(["district 1", "street 1"]).outcome("solved", "yes"));
                            }
                            commit.finish()?;
                        }
                        Ok(())
                    }
                };
                let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(run(thread))).collect();
                handles.into_iter().try_for_each(|handle| handle.join().unwrap_or(Ok(())))
            })?;
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "durable commits of {size} from {threads} threads: {:.0} a second",
                (threads * commits) as f64 / seconds
            );
        }
    }
    let path = folder.join("10000-8");
    let begun = Instant::now();
    let store = Store::open(&path)?;
    let taken = begun.elapsed().as_secs_f64();
    let orders = store.snapshot().describe().orders;
    println!("replay: {orders} orders, {:.0} a second", orders as f64 / taken);
    Ok(())
}

fn main() -> Done {
    let orders: u64 = std::env::var("ZONAL_BENCH_ORDERS").map_or(Ok(200_000), |given| given.parse())?;
    let city = City::new(1);
    let parts: [Part<'_>; 5] = [
        ("questions", &|folder| questions(&folder.join("store"), &city, orders)),
        ("upserts", &|folder| upserts(folder, &city, orders)),
        ("versions", &|folder| versions(&folder.join("store"), &city, orders)),
        ("units", &|folder| units(&folder.join("store"), orders)),
        ("commits", &commits),
    ];
    // What names no part is meant for cargo or criterion.
    let asked: Vec<String> =
        std::env::args().filter(|asked| parts.iter().any(|(name, _)| name == asked)).collect();
    for (name, run) in parts.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|a| a == name)) {
        let begun = Instant::now();
        println!("\n{name}");
        let folder = tempfile::tempdir()?;
        run(folder.path())?;
        println!("{name} took {:.0} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}
