//! zonal: an embedded storage engine for a city's work orders.

mod error;
mod segment;

pub use error::{Corruption, Error, Result};
