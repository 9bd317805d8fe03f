//! zonal: an embedded storage engine for a city's work orders.

mod cursor;
mod error;
mod order_id;
mod segment;
mod tree;

pub use error::{Corruption, Error, Result};
pub use order_id::OrderId;
pub use tree::{Node, Step, Tree};
