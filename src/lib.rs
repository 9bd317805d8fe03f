//! zonal: an embedded storage engine for a city's work orders.
//!
//! ```
//! use zonal::{Order, Query, Schema, Store, count, is, rate};
//!
//! let schema = Schema::builder("Asia/Shanghai")
//!     .place(["city", "district", "street", "community", "building"])
//!     .tree("topic", ["theme", "topic", "item"])
//!     .category("channel")
//!     .outcome("callback", ["effective"])
//!     .outcome("solved", ["yes", "no"])
//!     .counter("effective", is("callback", "effective"))
//!     .counter("solved", is("callback", "effective").and(is("solved", "yes")))
//!     .clock("closed")
//!     .key("caller")
//!     .build()?;
//! let store = Store::in_memory(schema)?; // or Store::create("beijing.zonal", schema)
//!
//! let mut load = store.load()?;
//! load.push(
//!     Order::new("2026030100123", "2026-03-01T09:12:00+08:00")
//!         .place(["北京市", "朝阳区", "望京街道", "花家地社区", "3号楼"])
//!         .tree("topic", ["基础民生", "供暖", "温度不达标"])
//!         .category("channel", "phone")
//!         .outcome("callback", "effective")
//!         .outcome("solved", "yes"),
//! )?;
//! load.finish()?; // durable on return
//!
//! let now = store.snapshot();
//! let solution = rate("solved", "effective");
//! let query = Query::penetrate(now.unit(["北京市", "朝阳区"])?, 2)
//!     .during(now.calendar().month(2026, 3)?)
//!     .metric(count())
//!     .metric(&solution);
//! for row in &now.run(&query)? {
//!     println!("{} {} {}", row.path(), row.count(), row.get(&solution));
//! }
//! # Ok::<(), zonal::Error>(())
//! ```

mod calendar;
mod cursor;
mod error;
mod filter;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(feature = "import")]
mod import;
mod order;
mod order_id;
mod query;
mod schema;
mod segment;
mod storage;
mod store;
mod tree;

pub use calendar::{Calendar, Grain, PartitionGrain, Span};
pub use error::{Corruption, Error, Result};
pub use filter::{Filter, NodeRef, any_of, between, during, has_all, is, missing, under};
#[cfg(feature = "import")]
pub use import::{ColumnReport, Example, Import, ImportReport, Mapping};
pub use order::{Moment, Order, Value};
pub use query::{
    Access, Answer, Explanation, Figure, Group, Metric, NodePath, Query, Row, RowKind, SegmentExplanation,
    Sort, count, counter, distinct, max, mean, min, quantile, rate, sum,
};
pub use schema::{Schema, SchemaBuilder, Unit};
pub use store::{
    Columns, Description, Load, LoadReport, PartitionDescription, Progress, Repeated, Snapshot, Store,
    TreeDescription, Verified,
};
pub use tree::{Node, Step, Tree};
