//! zonal: an embedded storage engine for a city's work orders.

mod cursor;
mod error;
mod tree;

pub use error::{Corruption, Error, Result};
pub use tree::{Node, Step, Tree};
