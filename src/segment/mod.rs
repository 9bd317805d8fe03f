//! Segments: sealed, immutable files, each with the orders of one partition.
//!
//! [`format`] draws the file; [`writer`] seals rows into one, [`reader`] reads it in place. The other files
//! are the encodings of its sections.

mod bitmap;
mod bits;
mod bloom;
mod column;
mod day_totals;
mod deaths;
mod directory;
pub(crate) mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod grid;
mod ids;
mod lanes;
mod lists;
mod narrow;
mod node_runs;
mod packed;
mod permutation;
mod planes;
mod reader;
mod records;
mod row_mask;
mod row_set;
mod rows;
mod sets;
mod summary;
mod text;
mod totals;
mod views;
mod words;
mod writer;

pub(crate) use bits::Bits;
pub(crate) use column::{Column, MISSING};
pub(crate) use day_totals::day_totals;
pub(crate) use deaths::{Death, Deaths};
pub(crate) use directory::{Directory, Finder};
pub(crate) use format::SectionId;
pub(crate) use grid::Grid;
pub(crate) use lists::Lists;
pub(crate) use node_runs::NodeRuns;
pub(crate) use planes::{CodeSet, Planes};
pub(crate) use reader::Segment;
pub(crate) use records::{Fact, Records};
pub(crate) use row_mask::RowMask;
pub(crate) use rows::{ColumnId, Layout, Row, Rows, column_of, elapsed, present};
pub(crate) use sets::{Sets, SetsOf};
pub(crate) use text::TEXT_LIMIT;
pub(crate) use totals::{Source, Totals};
pub(crate) use writer::Sealer;
