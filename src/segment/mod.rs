//! Segments: the sealed, immutable files of a partition, read in place.

mod bitmap;
mod bits;
mod column;
mod row_mask;
mod row_set;
mod search;
mod sets;
mod words;
