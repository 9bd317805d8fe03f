//! An embedded storage engine for a city's work orders: the requests that citizens bring to a 12345 or 311 hotline.
//!
//! A service links zonal as it links SQLite, keeps its orders in a folder, and asks it to *zoom* (any level of the
//! administrative tree, any grain of time) and to *penetrate* (from one unit straight through to the units some levels
//! below it). Rows of one month lie in one immutable file, sorted by the administrative tree: every unit, at every level, is
//! one range of rows in it, so that such questions read where ranges begin and not the orders within.
//!
//! ```
//! use zonal::{Order, Patch, Query, Schema, Store, count, is, rate};
//!
//! fn main() -> zonal::Result<()> {
//!     let schema = Schema::builder("Asia/Shanghai")
//!         .place(["city", "district", "street", "community", "building"])
//!         .tree("topic", ["theme", "topic", "item"])
//!         .category("channel")
//!         .outcome("callback", ["effective"])
//!         .outcome("solved", ["yes", "no"])
//!         .counter("effective", is("callback", "effective"))
//!         .counter("solved", is("callback", "effective").and(is("solved", "yes")))
//!         .build()?;
//!     let store = Store::in_memory(schema)?; // or Store::create("beijing.zonal", schema)
//!
//!     let mut commit = store.begin();
//!     commit.upsert(
//!         Order::new("2026030100123", "2026-03-01T09:12:00+08:00")
//!             .place(["北京市", "朝阳区", "望京街道", "花家地社区", "3号楼"])
//!             .tree("topic", ["基础民生", "供暖", "温度不达标"])
//!             .category("channel", "phone"),
//!     );
//!     commit.patch("2026030100123", Patch::new().outcome("callback", "effective").outcome("solved", "yes"));
//!     commit.finish()?; // durable on return
//!
//!     let now = store.snapshot();
//!     let solution = rate("solved", "effective");
//!     let query = Query::penetrate(now.unit(["北京市", "朝阳区"])?, 2)
//!         .during(now.calendar().month(2026, 3)?)
//!         .metric(count())
//!         .metric(&solution);
//!     for row in &now.run(&query)? {
//!         println!("{} {} {}", row.path(), row.count(), row.get(&solution));
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # How it goes together
//!
//! - A [`Schema`] says what an order carries: the levels of *place*, further trees, categories, tags, outcomes, counters
//!   (filters with a name), measures, clocks, keys, a location, texts. It is stored with the orders.
//! - A [`Store`] is a folder, or lives in memory. It is a handle: clones share it, any thread may use it.
//! - A [`Commit`] writes whole orders, [`Patch`]es some of their fields, or removes them, all at once. What an order was
//!   before stays: [`Store::history`] tells it, and [`Store::snapshot_at`] answers every question as of an earlier commit.
//! - A [`Load`] takes many [`Order`]s, or [`Columns`] of them, and makes them part of the store in one commit.
#![cfg_attr(
    feature = "import",
    doc = "   An [`Import`] fills one from CSV files, as a [`Mapping`] file says."
)]
//! - A [`Snapshot`] is what a reader sees: fixed at a commit, cheap to take, never in anybody's way. It looks up nodes of a
//!   [`Tree`], runs queries, lists orders and finds one by its id.
//! - A [`Query`] is an owned value: [`Query::zoom`] and [`Query::penetrate`] start one; both take the same steps, a
//!   [`Span`] of a clock, a [`Grain`], units, dimensions, a [`Filter`], [`Metric`]s, a top k.
//! - [`Snapshot::repeats`] tells which orders of one key, and one topic, came more than once.
//! - What units add up to is summed ahead: month by month in the files, and over months, less what has ended since, in a *ledger* that
//!   is kept in memory, at most 64 MiB of it. Questions without a filter are answered from it, changed orders or not;
//!   [`Snapshot::explain`] says from what.
//! - An [`Answer`] has a [`Row`] for every group that has orders. Rows speak of nodes and of exact [`Figure`]s: counts as integers,
//!   rates as numerator and denominator. Names are looked up and numbers rounded when they are displayed.
//!
//! # Targets and remainders
//!
//! A query names its *targets*: the units of a level, or those some levels below a base. An order may sit on any unit, so
//! some sit above the targets; every unit above that has such orders gives one *remainder* row, with its own path. Targets
//! and remainders together are the orders asked for, each exactly once. An order without place belongs to the remainder
//! with the empty path. The same holds for every tree by which a query groups. [`Query::between`] adds *subtotals*,
//! which are flagged as such, for the units between.
//!
//! # Missing values
//!
//! Filters are two-valued: a missing value equals nothing, so *is not* and *not* keep orders without a value. Missing groups
//! as missing. A name that the store does not know is an error that lists the nearest known ones, not an empty answer.
//!
//! # Metrics
//!
//! Sums are 128 bits wide. A rate is a numerator and a denominator; denominator 0 is no rate, never 0. A mean keeps sum
//! and count. A quantile is the smallest value whose cumulative share reaches what is asked; distinct counts are exact.
//! [`Query::top`] ranks over the whole span by the first metric, ties in the order of the tree; *others* is
//! computed from the orders again where it does not add up.
//!
//! # What the city asks
//!
//! - A [`Policy`] says how units are judged: terms with credits and weights, what is excluded, the minimum, peer groups. It
//!   [ranks](Policy::rank) the units of a query, or does so by any metric: a [`Ranking`] with rates, scores, Wilson intervals and
//!   summaries, compared as exact [`Fraction`]s. [`Ranking::against`] tells the movement since another period or another snapshot.
//! - [`Calendar::earlier`] finds the period to compare with, [`Snapshot::compare`] lays both beside each other, group by group.
//! - [`Attributes`] are dated numbers of units from outside, such as residents; [`Quadrants`] puts satisfaction against the complaints
//!   for each 10,000 of them.
//! - A [`Backlog`] counts open orders at the end of every step of time, and how old and how late they are at a moment.
//! - [`Snapshot::clusters`] finds where the same came again within some days, as of a moment or [at any time](Snapshot::clusters_during),
//!   and [`Snapshot::surges`] groups with more orders than their own past leads one to expect; [`Snapshot::repeats_each`] tells who came
//!   again within a month, [`Snapshot::profile`] what comes back with the season. [`Concentration`] says how unevenly orders are
//!   spread, and [`Comparison::turnover`] who is new among the largest.
//! - An [`Area`] is a set of units with a name of its own, such as an economic zone: the base of a query, or a row of a ranking beside
//!   the units or in their place.
//! - [`Store::hand_overs`] tells which orders went from one department to another, and which came back.
//! - [`Snapshot::callers`] says how often the same key comes, from how many units and with which topics, but not whose it is.
//!   [`Snapshot::correlate`] puts a series from [`Outside`] beside the orders, by lag.
#![cfg_attr(
    feature = "forecast",
    doc = "- [`Snapshot::forecast`] goes on with a series by its trend and seasons, and says how well it would have told the last steps."
)]
//! - [`Snapshot::reach`] tells at which level a problem stays within one unit, [`Snapshot::ladder`] on which step of topics it stands;
//!   [`Snapshot::nearest`] finds the orders within a circle, [`Snapshot::hot_cells`] where on a map most of them lie.
//!
//! ```
//! use zonal::{Alignment, Grain, Movement, Policy, Query};
//! # use zonal::{Order, Schema, Store, is};
//! # let schema = Schema::builder("Asia/Shanghai").place(["city", "district"]).outcome("solved", ["yes", "no"])
//! #     .counter("solved", is("solved", "yes")).build()?;
//! # let store = Store::in_memory(schema)?;
//! # let mut commit = store.begin();
//! # commit.upsert(Order::new("1", "2026-03-01").place(["北京市", "朝阳区"]).outcome("solved", "yes"));
//! # commit.upsert(Order::new("2", "2026-02-01").place(["北京市", "朝阳区"]).outcome("solved", "no"));
//! # commit.finish()?;
//!
//! let policy = Policy::new("2026", "count").term("solution", "1", [("solved", "1")]);
//! let (now, districts) = (store.snapshot(), Query::zoom().level("district"));
//! let march = now.calendar().month(2026, 3)?;
//! let february = now.calendar().earlier(march, 1, Grain::Month, Alignment::SameDates)?;
//! let (later, earlier) =
//!     (policy.rank(&now, &districts.clone().during(march))?, policy.rank(&now, &districts.during(february))?);
//! for Movement { now, before } in later.against(&earlier) {
//!     println!("{:?}, {:?} before", now.map(|row| row.rank()), before.map(|row| row.rank()));
//! }
//! # Ok::<(), zonal::Error>(())
//! ```
//!
//! # Time
//!
//! Times are whole seconds from 1900 to 2200. Hours, days, weeks and months are those of the schema's time zone, whose rules
//! come with the crate: two machines agree. A day starts at its first instant; a local time that the clock shows twice
//! is the earlier instant, one that it skips moves forward. There are noon-days, months that start on another day than the first,
//! seasons across the end of the year, lists of dates that start a step each, and periods to date. [`Span`]s are half-open. With a grain, time is dense: each group
//! has a row for every step.
//!
//! # What it does not do
//!
//! It is not a server, has no SQL and searches no text; no count is approximate (an interval or what is expected by chance is
//! an estimate, and says so). It keeps one kind of fact, not tables of any shape. While a bulk load goes on, commits are refused.
//! Calls block: an async service runs them where blocking is allowed, and the example `service` shows threads that write
//! beside threads that ask.
//!
//! # Durability
//!
//! - [`Commit::finish`] returns when the commit is in the log and the log is on the disk, unless
//!   [`Durability::Buffered`] was asked for. Commits that wait at the same time share one sync. Opening replays
//!   the log; [`Store::flush`] seals what it holds into segments and starts a new one, while commits go on.
//! - [`Store::compact`] merges segments and moves versions that have ended to history, while commits go on. An [`Upkeep`]
//!   does both as needed on a thread of its own ([`Store::keep_up`]). Nothing is forgotten unless
//!   [`Store::forget_before`] says so.
//! - [`Load::finish`] returns when everything is on the disk, files and names: written, synced, and made part of the store by
//!   renaming one file. Before that, an error or a kill leaves the store as it was.
//! - A store has **one writer**: opening takes a lock on the folder, and a second opening is [`Error::Locked`]. Any number of
//!   readers go beside it, in any process: [`Store::open_read_only`] needs no permission to write, and [`Store::refresh`] sees
//!   what was committed since.
//! - A schema can grow: [`Store::open_with`] one that adds fields, labels or levels makes these the store's in one commit.
//! - [`Store::backup`] copies a store that is in use to another folder, where it is a store of its own.
//! - Sealed files are mapped into memory. **Nothing outside may cut them short or write to them** while a store is open: the
//!   operating system would end the process. Copying them is always safe.
//! - After a failed write to the log or of the manifest nobody knows what the disk holds: the store takes no more commits
//!   ([`Error::Latched`]); readers go on, reopening recovers. Any other write that fails, in a flush, a compaction or a load,
//!   was to a file or a part of one that no manifest names yet: the store goes on as it was.
//! - Opening reads the ends of files, not the orders. [`Store::verify`] reads all of it and finds any damaged byte. Damage
//!   that a question meets is [`Error::Corrupt`], with the place, or a wrong figure; it is never a crash.
//!
//! # The files of a store
//!
//! ```text
//! MANIFEST                    which files make up the store; replaced as a whole by every load, flush and compaction
//! nodes/*.log                 the nodes of each tree, and the values of categories and tags; appended to
//! COMMITS                     when each commit was known, and how many nodes there were then; appended to
//! log/*.log                   the commits that no segment holds yet
//! segments/*.deaths           which versions of a segment have ended, and when
//! segments/*.segment          the orders of one partition, a month unless the schema says otherwise; never changed
//! history/*.segment           the versions of orders of one partition that have ended
//! LOCK                        empty; locked by the writer
//! ```
//!
#![cfg_attr(doc, doc = "Their layout is told under [`file_format`].")]
//! Until 0.1 it may change with any version; a file of another version is refused, not misread.
//!
//! # Features
//!
//! - `import` (on): mapping files and CSV, and the TOML form of schemas.
//! - `forecast` (off): `Snapshot::forecast`, by the crate `augurs`.
//!
//! # What may surprise
//!
//! 1. Units come in the order in which they were first added, not by their names.
//! 2. Tags do not add up: an order with two tags is in two groups, one without is in the group *missing*.
//! 3. Without a unit, [`Query::penetrate`]'s depth is counted from the only top unit; where there are several, it is an error that lists them.
//!    Orders outside are still in the answer, as remainders.
//! 4. A span on a clock leaves out orders that lack it. Without a span they stay, and with a grain have a row without time.
//! 5. The first and the last step of a grain may reach beyond the span: the row has the orders within the span alone.
//! 6. A measure between two clocks is rounded down, also below zero; a day of it has 86,400 seconds, whatever the clocks did.
//! 7. An id that prints as a number is kept as one: `7` and `007` are two ids, and ids sort as numbers before texts.
//! 8. Sum over nothing is 0; minimum, maximum and quantile over nothing are missing.
//! 9. An id that the store has already gets a new version by a load as by a commit; within one load the last order with an id
//!    counts, and the report names the others.

mod analysis;
mod calendar;
mod counting;
mod cursor;
mod error;
mod filter;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(feature = "import")]
mod import;
mod log;
mod order;
mod order_id;
mod query;
mod schema;
mod segment;
mod storage;
mod store;
mod tree;

#[cfg(doc)]
pub mod file_format {
    //! The files of a store, byte by byte.
    //!
    #![doc = include_str!("store/manifest.md")]
    #![doc = include_str!("tree/log.md")]
    #![doc = include_str!("segment/format.md")]
}

pub use analysis::{
    Area, Attribute, Attributes, Backlog, Caller, Callers, Cell, Cluster, Clusters, Compared, Comparison,
    Concentration, Cycle, Fraction, HandOver, HotCell, Ladder, Lag, Movement, Open, Outside, Pending, Placed,
    Policy, QuadrantMap, Quadrants, Ranked, Ranking, Reach, RepeatStep, Season, Surge, Surges, Threshold,
    Turnover,
};
#[cfg(feature = "forecast")]
pub use analysis::{Expected, Forecast, Trial};
pub use calendar::{Alignment, Calendar, Dates, Grain, PartitionGrain, Span};
pub use error::{Corruption, Error, Result};
pub use filter::{Filter, NodeRef, any_of, between, during, has_all, is, missing, under};
#[cfg(feature = "import")]
pub use import::{ColumnReport, Example, Import, ImportReport, Mapping};
pub use order::{Moment, Order, Patch, Value};
pub use query::{
    Access, Answer, Explanation, Figure, Group, Metric, NodePath, Query, Repeat, RepeatReport, Repeats, Row,
    RowKind, SegmentExplanation, Sort, count, counter, distinct, max, mean, min, quantile, rate, sum,
};
#[cfg(feature = "kernels")]
#[doc(hidden)]
pub use query::{Measure, kernels};
pub use schema::{Schema, SchemaBuilder, Unit};
pub use store::{
    Change, Columns, Commit, Description, Durability, Load, LoadReport, PartitionDescription, Paths,
    Progress, Repeated, Snapshot, Store, TreeDescription, Upkeep, Verified, Version,
};
pub use tree::{Node, Step, Tree};
