//! zonal: an embedded storage engine for a city's work orders.

mod calendar;
mod cursor;
mod error;
mod filter;
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
pub use query::{Access, Metric, Query, count, counter, distinct, max, mean, min, quantile, rate, sum};
pub use schema::{Schema, SchemaBuilder, Unit};
pub use store::{
    Columns, Description, Load, LoadReport, PartitionDescription, Progress, Repeated, Snapshot, Store, TreeDescription,
    Verified,
};
pub use tree::{Node, Step, Tree};
