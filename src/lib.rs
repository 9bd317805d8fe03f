//! zonal: an embedded storage engine for a city's work orders.

mod calendar;
mod error;
mod storage;

pub use calendar::{Calendar, Grain, PartitionGrain, Span};
pub use error::{Corruption, Error, Result};
